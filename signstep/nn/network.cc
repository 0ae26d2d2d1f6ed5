// SPDX-License-Identifier: Apache-2.0
#include "signstep/nn/network.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "signstep/base/error.h"
#include "signstep/nn/resnet.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

struct NetworkRecord {
  std::string name, display_name;
  int64_t width;  // its own
  std::function<std::vector<Layer>(int64_t width, int64_t input_channels, int64_t classes)> layers;
};

std::function<std::vector<Layer>(int64_t, int64_t, int64_t)> cifar(int64_t blocks) {
  return [blocks](int64_t width, int64_t channels, int64_t classes) {
    return cifar_resnet(blocks, width, channels, classes);
  };
}

const std::vector<NetworkRecord>& table() {
  static const std::vector<NetworkRecord> networks = {
      {"resnet18", "ResNet-18", 64, resnet18},
      {"resnet20", "ResNet-20", 16, cifar(3)},
      {"resnet32", "ResNet-32", 16, cifar(5)},
      {"resnet56", "ResNet-56", 16, cifar(9)},
  };
  return networks;
}

const NetworkRecord& record(const std::string& name) {
  for (const NetworkRecord& r : table())
    if (r.name == name) return r;
  throw OptionError(fmt::format("network is '{}'; wanted one of {}", name, fmt::join(network_names(), ", ")));
}

constexpr size_t kAlignment = 64;  // elements: tensors start on whole 64-bit sign words and whole cache lines

void add(std::vector<TensorInfo>& list, size_t& flat, TensorInfo tensor) {
  tensor.offset = flat;
  tensor.size = 1;
  for (const int64_t side : tensor.shape) tensor.size *= static_cast<size_t>(side);
  flat += (tensor.size + kAlignment - 1) / kAlignment * kAlignment;
  list.push_back(std::move(tensor));
}

// torchvision's initial values: convolutions He-normal by fan-out, norms 1 and 0, the last layer uniform in
// +-1/sqrt(fan-in); running means 0, running variances 1.
void add_tensors(Network& n, const Layer& layer) {
  const auto parameter = [&](const char* name, std::vector<int64_t> shape, Init init, double spread = 0) {
    add(n.parameters, n.parameter_elements,
        {.name = layer.name + name, .shape = std::move(shape), .init = init, .spread = spread});
  };
  if (layer.kind == Layer::Kind::kConv) {
    const int64_t k = layer.kernel;
    parameter(".weight", {layer.out, layer.in, k, k}, Init::kNormal,
              std::sqrt(2.0 / static_cast<double>(layer.out * k * k)));
  } else if (layer.kind == Layer::Kind::kNorm) {
    parameter(".weight", {layer.out}, Init::kOne);
    parameter(".bias", {layer.out}, Init::kZero);
    if (n.options.norm != NormKind::kBatch) return;
    add(n.buffers, n.buffer_elements,
        {.name = layer.name + ".running_mean", .shape = {layer.out}, .init = Init::kZero});
    add(n.buffers, n.buffer_elements, {.name = layer.name + ".running_var", .shape = {layer.out}, .init = Init::kOne});
  } else if (layer.kind == Layer::Kind::kLinear) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(layer.in));
    parameter(".weight", {layer.out, layer.in}, Init::kUniform, bound);
    parameter(".bias", {layer.out}, Init::kUniform, bound);
  }
}

void fill(const TensorInfo& t, const Stream& stream, std::span<float> values) {
  SequentialRandom random(stream);
  for (float& x : values) {
    switch (t.init) {
      case Init::kZero: x = 0; break;
      case Init::kOne: x = 1; break;
      case Init::kNormal: x = static_cast<float>(random.normal() * t.spread); break;
      case Init::kUniform: x = static_cast<float>((2 * random.uniform() - 1) * t.spread); break;
    }
  }
}

}  // namespace

void describe(OptionList& list, NetworkOptions& o) {
  list.group("Network");
  list.choice("network", o.name, network_names(), "which one").role(Role::kCommon);
  list.integer("width", o.width, Range::closed(0, 1024), "channels",
               "of the network's first stage; 0: its own, which is 64 for resnet18 and 16 for the others")
      .role(Role::kCommon);
  list.choice("norm", o.norm, {"batch", "group"}, "normalisation");
}

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const NetworkRecord& r : table()) all.push_back(r.name);
    return all;
  }();
  return names;
}

NetworkOptions resolved(NetworkOptions o) {
  if (o.width == 0) o.width = record(o.name).width;
  if (o.width < 4 || o.width % 4 != 0)
    throw OptionError(fmt::format("width is {}; wanted a multiple of 4, such as 16 or 64", o.width));
  return o;
}

size_t Network::parameter_count() const {
  size_t count = 0;
  for (const TensorInfo& t : parameters) count += t.size;
  return count;
}

Network make_network(const NetworkOptions& options, int64_t input_channels, int64_t classes) {
  const NetworkRecord& r = record(options.name);
  Network n;
  n.options = resolved(options);
  n.display_name = r.display_name;
  n.input_channels = input_channels;
  n.classes = classes;
  n.layers = r.layers(n.options.width, input_channels, classes);
  for (const Layer& layer : n.layers) add_tensors(n, layer);
  return n;
}

int64_t norm_groups(int64_t channels) {
  int64_t groups = std::min<int64_t>(channels, 32);
  while (channels % groups != 0) --groups;
  return groups;
}

void initialize(const Network& n, uint64_t seed, std::span<float> parameters, std::span<float> buffers) {
  std::fill(parameters.begin(), parameters.end(), 0.0f);
  std::fill(buffers.begin(), buffers.end(), 0.0f);
  for (size_t index = 0; index < n.parameters.size(); ++index) {
    const TensorInfo& t = n.parameters[index];
    fill(t, Stream(seed, Purpose::kInit, 0, static_cast<uint32_t>(index)), parameters.subspan(t.offset, t.size));
  }
  for (const TensorInfo& t : n.buffers) fill(t, Stream(seed, Purpose::kInit), buffers.subspan(t.offset, t.size));
}

}  // namespace signstep
