// SPDX-License-Identifier: Apache-2.0
#include "signstep/nn/network.h"

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

constexpr size_t kAlignment = 64;  // elements: tensors start on whole 64-bit sign words and whole cache lines

void add(std::vector<TensorInfo>& list, size_t& flat, std::string name, std::vector<int64_t> shape) {
  size_t size = 1;
  for (const int64_t side : shape) size *= static_cast<size_t>(side);
  list.push_back({std::move(name), std::move(shape), flat, size});
  flat += (size + kAlignment - 1) / kAlignment * kAlignment;
}

void add_norm(NetworkShape& s, const std::string& name, int64_t channels) {
  add(s.parameters, s.parameter_elements, name + ".weight", {channels});
  add(s.parameters, s.parameter_elements, name + ".bias", {channels});
  if (s.options.norm != NormKind::kBatch) return;
  add(s.buffers, s.buffer_elements, name + ".running_mean", {channels});
  add(s.buffers, s.buffer_elements, name + ".running_var", {channels});
}

void add_conv(NetworkShape& s, const std::string& name, int64_t out, int64_t in, int64_t kernel) {
  add(s.parameters, s.parameter_elements, name + ".weight", {out, in, kernel, kernel});
}

// Calls f(place in row-major order, place in the flat buffer's order) for every element.
template <class F>
void for_each_place(const TensorInfo& t, F&& f) {
  const bool convolution = t.shape.size() == 4;
  const size_t in = convolution ? static_cast<size_t>(t.shape[1]) : 1;
  const size_t pixels = convolution ? static_cast<size_t>(t.shape[2] * t.shape[3]) : 1;
  const size_t outer = t.size / (in * pixels);
  size_t place = 0;
  for (size_t o = 0; o < outer; ++o)
    for (size_t i = 0; i < in; ++i)
      for (size_t p = 0; p < pixels; ++p) f(place++, t.offset + (o * pixels + p) * in + i);
}

}  // namespace

std::vector<float> row_major(const TensorInfo& tensor, std::span<const float> flat) {
  std::vector<float> out(tensor.size);
  for_each_place(tensor, [&](size_t place, size_t stored) { out[place] = flat[stored]; });
  return out;
}

void store_row_major(const TensorInfo& tensor, std::span<const float> values, std::span<float> flat) {
  for_each_place(tensor, [&](size_t place, size_t stored) { flat[stored] = values[place]; });
}

void describe(OptionList& list, NetworkOptions& o) {
  list.group("Network");
  list.integer("width", o.width, Range::closed(4, 1024), "channels",
               "of ResNet-18's first stage; 64 is the standard network");
  list.choice("norm", o.norm, {"batch", "group"}, "normalisation");
}

size_t NetworkShape::parameter_count() const {
  size_t count = 0;
  for (const TensorInfo& t : parameters) count += t.size;
  return count;
}

std::vector<BlockShape> resnet18_blocks(int64_t width) {
  std::vector<BlockShape> blocks;
  int64_t in = width;
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t out = width << stage;
    for (int block = 0; block < 2; ++block) {
      blocks.push_back({fmt::format("layer{}.{}", stage + 1, block), in, out, stage > 0 && block == 0 ? 2 : 1});
      in = out;
    }
  }
  return blocks;
}

NetworkShape resnet18_shape(const NetworkOptions& options, int64_t input_channels, int64_t classes) {
  if (options.width < 4 || options.width % 4 != 0) {
    throw OptionError(fmt::format("width is {}; wanted a multiple of 4, such as 16 or 64", options.width));
  }
  NetworkShape s;
  s.options = options;
  s.input_channels = input_channels;
  s.classes = classes;
  add_conv(s, "conv1", options.width, input_channels, 3);
  add_norm(s, "bn1", options.width);
  for (const BlockShape& b : resnet18_blocks(options.width)) {
    add_conv(s, b.prefix + ".conv1", b.out, b.in, 3);
    add_norm(s, b.prefix + ".bn1", b.out);
    add_conv(s, b.prefix + ".conv2", b.out, b.out, 3);
    add_norm(s, b.prefix + ".bn2", b.out);
    if (!b.downsample()) continue;
    add_conv(s, b.prefix + ".downsample.0", b.out, b.in, 1);
    add_norm(s, b.prefix + ".downsample.1", b.out);
  }
  add(s.parameters, s.parameter_elements, "fc.weight", {classes, options.width * 8});
  add(s.parameters, s.parameter_elements, "fc.bias", {classes});
  return s;
}

int64_t norm_groups(int64_t channels) {
  int64_t groups = std::min<int64_t>(channels, 32);
  while (channels % groups != 0) --groups;
  return groups;
}

void initialize(const NetworkShape& shape, uint64_t seed, std::span<float> parameters, std::span<float> buffers) {
  std::fill(parameters.begin(), parameters.end(), 0.0f);
  for (size_t index = 0; index < shape.parameters.size(); ++index) {
    const TensorInfo& t = shape.parameters[index];
    const auto values = parameters.subspan(t.offset, t.size);
    SequentialRandom random(Stream(seed, Purpose::kInit, 0, static_cast<uint32_t>(index)));
    if (t.name.starts_with("fc.")) {
      const double bound = 1.0 / std::sqrt(static_cast<double>(shape.options.width * 8));
      for (float& x : values) x = static_cast<float>((2 * random.uniform() - 1) * bound);
    } else if (t.shape.size() == 4) {
      const double deviation = std::sqrt(2.0 / static_cast<double>(t.shape[0] * t.shape[2] * t.shape[3]));
      for (float& x : values) x = static_cast<float>(random.normal() * deviation);
    } else if (t.name.ends_with(".weight")) {
      std::fill(values.begin(), values.end(), 1.0f);
    }
  }
  std::fill(buffers.begin(), buffers.end(), 0.0f);
  for (const TensorInfo& t : shape.buffers) {
    if (t.name.ends_with(".running_var"))
      std::fill_n(buffers.begin() + static_cast<std::ptrdiff_t>(t.offset), t.size, 1.0f);
  }
}

}  // namespace signstep
