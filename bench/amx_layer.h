// SPDX-License-Identifier: Apache-2.0
// One layer of ResNet-18 at batch 128 with all its passes, to be timed alone, and what checks them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "signstep/engines/amx/context.h"
#include "signstep/random/random.h"

namespace signstep::amx {

inline constexpr int64_t kImages = 128;

struct Shape {
  std::string name;
  int64_t in, out, side, kernel, stride;
  int count;  // of such layers in ResNet-18
};

inline std::vector<Shape> shapes_of(int64_t w) {
  std::vector<Shape> shapes{{"stem", 27, w, 32, 1, 1, 1}};
  const auto add = [&](int64_t in, int64_t out, int64_t side, int64_t kernel, int64_t stride, int count) {
    std::string name = fmt::format("{}{}", kernel == 1 ? "shortcut " : "", in);
    if (out != in && kernel != 1) name += fmt::format(" to {}, /2", out);
    if (out == in) name += fmt::format(", {}x{}", side, side);
    shapes.push_back({name, in, out, side, kernel, stride, count});
  };
  for (int64_t stage = 0, in = w, side = 32; stage < 4; ++stage) {
    add(in, in, side, 3, 1, stage == 0 ? 4 : 3);
    if (stage == 3) break;
    add(in, 2 * in, side, 3, 2, 1);
    in *= 2;
    side /= 2;
  }
  for (int64_t in = w, side = 32; in < 8 * w; in *= 2, side /= 2) add(in, 2 * in, side, 1, 2, 1);
  return shapes;
}

struct Tensor {
  Tensor(int64_t pixels, int64_t channels, uint32_t seed)
      : tiles{blocks_of(kImages), pixels, blocks_of(channels), nullptr},
        memory(static_cast<size_t>(tiles.size()) * sizeof(Bf16)) {
    tiles.data = memory.as<Bf16>();
    const Stream stream(seed, Purpose::kProblem);
    for (int64_t i = 0; i < tiles.size(); ++i) {
      const uint32_t word = stream.group(static_cast<uint32_t>(i / 4))[static_cast<size_t>(i % 4)];
      if (i / kUnit % tiles.blocks * kSide + i % kSide < channels)
        tiles.data[i] = narrow(static_cast<float>(word) * 0x1p-31f - 1);
    }
  }
  Tiles tiles;
  Arena memory;
};

// One layer with all its passes.
class Case {
 public:
  explicit Case(const Shape& shape)
      : shape_(shape),
        geometry_{shape.side, shape.side, shape.kernel, shape.stride},
        forward_(Terms::forward(geometry_)),
        backward_(Terms::backward(geometry_)),
        bands_(geometry_),
        x_(geometry_.pixels(), shape.in, 1),
        y_(geometry_.out_pixels(), shape.out, 2),
        x_out_(geometry_.pixels(), shape.in, 3),
        y_out_(geometry_.out_pixels(), shape.out, 4),
        packed_(2 * static_cast<size_t>(packed_size(shape.out, shape.in, geometry_.taps())) * sizeof(Bf16)),
        weights_(static_cast<size_t>(shape.out * shape.in * geometry_.taps()), 0.01f),
        gradient_(weights_.size()),
        channels_(static_cast<size_t>(std::max(x_.tiles.blocks, y_.tiles.blocks) * kSide), 0.5f),
        sums_(static_cast<size_t>(std::max(row_count(x_), row_count(y_)) * kSums)) {
    backward_weights_ = packed_.as<Bf16>() + packed_size(shape.out, shape.in, geometry_.taps());
    chunks_ = std::clamp<int64_t>(8 / weight_gradient_columns(y_.tiles.blocks), 1, bands_.count(y_.tiles.groups));
    partial_.resize(static_cast<size_t>(chunks_ * y_.tiles.blocks * x_.tiles.blocks * geometry_.taps() * kUnit));
    for (size_t i = 0; i < weights_.size(); ++i)
      weights_[i] = 0.01f * static_cast<float>(static_cast<int>(i * 7919 % 201) - 100);
  }

  double flops() const {  // of one pass, borders left out as they are
    size_t pairs = 0;
    for (int64_t p = 0; p < geometry_.out_pixels(); ++p) pairs += forward_.of(p).size();
    return 2.0 * static_cast<double>(pairs) * static_cast<double>(kImages * shape_.in * shape_.out);
  }
  const Shape& network() const { return shape_; }

  void pack(Context& context) {
    const PackJob job = pack_job();
    context.executor.run(static_cast<size_t>(y_.tiles.blocks),
                         [&](size_t block) { context.kernels.pack(job, static_cast<int64_t>(block)); });
  }
  void forward(Context& context) {
    context.for_each_part(y_.tiles, geometry_.out_width(), operand_size(),
                          [&](const Part& part) { forward(context.kernels, part); });
  }
  void data_gradient(Context& context) {
    context.for_each_part(x_.tiles, shape_.side, operand_size(),
                          [&](const Part& part) { data_gradient(context.kernels, part); });
  }
  void weight_gradient(Context& context) {
    const WeightGradientJob job = weight_gradient_job();
    context.scratch.resize(context.executor.threads(), static_cast<size_t>(weight_gradient_scratch(bands_)));
    context.executor.run(static_cast<size_t>(weight_gradient_columns(y_.tiles.blocks) * chunks_), [&](size_t task) {
      const Scratch::Loan loan(context.scratch);
      context.kernels.weight_gradient(job, static_cast<int64_t>(task) / chunks_, static_cast<int64_t>(task) % chunks_,
                                      loan.get());
    });
    context.executor.run(static_cast<size_t>(y_.tiles.blocks),
                         [&](size_t block) { context.kernels.sum_weight_gradient(job, static_cast<int64_t>(block)); });
  }
  void normalize(Context& context) {
    context.for_each_row(y_.tiles, geometry_.out_width(),
                         [&](int64_t group, int64_t row) { normalize(context.kernels, group, row); });
  }
  void norm_gradient(Context& context) {
    context.for_each_row(y_.tiles, geometry_.out_width(),
                         [&](int64_t group, int64_t row) { norm_gradient(context.kernels, group, row); });
  }

  // Whether each pass agrees with the reference on its first unit; one weight's gradient with a sum by hand.
  bool verified(Context& context) {
    const Kernels& reference = reference_kernels();
    pack(context);
    const std::vector<Bf16> packed = all_packed();
    const PackJob job = pack_job();
    for (int64_t block = 0; block < y_.tiles.blocks; ++block) reference.pack(job, block);
    if (!close(packed, all_packed())) return false;
    forward(context);
    data_gradient(context);
    weight_gradient(context);
    const auto y = first(y_out_), x = first(x_out_);
    forward(reference, {0, 0, 1, 0, 1});
    data_gradient(reference, {0, 0, 1, 0, 1});
    if (!close(y, first(y_out_)) || !close(x, first(x_out_))) return false;
    normalize(context);
    const auto z = first(y_out_);
    normalize(reference, 0, 0);
    if (!close(z, first(y_out_))) return false;
    norm_gradient(context);
    const auto g = first(y_out_);
    norm_gradient(reference, 0, 0);
    if (!close(g, first(y_out_))) return false;
    double sum = 0;
    for (int64_t p = 0; p < geometry_.out_pixels(); ++p)
      for (const Term& term : forward_.of(p))
        for (int64_t i = 0; i < kImages && term.tap == 0; ++i)
          sum += static_cast<double>(widen(y_.tiles.unit(i / kSide, p, 0)[i % kSide * kSide])) *
                 widen(x_.tiles.unit(i / kSide, term.pixel, 0)[i % kSide * kSide]);
    return std::fabs(gradient_[0] - sum) <= 1e-3 * std::fabs(sum) + 1e-2;
  }

 private:
  static std::vector<Bf16> first(const Tensor& t) { return {t.tiles.data, t.tiles.data + kUnit}; }
  static bool close(const std::vector<Bf16>& a, const std::vector<Bf16>& b) {
    for (size_t i = 0; i < a.size(); ++i)
      if (!(std::fabs(widen(a[i]) - widen(b[i])) <= 0.01f + 0.01f * std::fabs(widen(b[i])))) return false;
    return true;
  }
  std::vector<Bf16> all_packed() {
    const auto* begin = packed_.as<Bf16>();
    return {begin, begin + 2 * operand_size()};
  }
  int64_t row_count(const Tensor& t) const { return t.tiles.groups * t.tiles.pixels * t.tiles.blocks; }
  int64_t operand_size() const { return packed_size(shape_.out, shape_.in, geometry_.taps()); }
  void forward(const Kernels& kernels, const Part& part) {
    const Source source{x_.tiles, packed_.as<Bf16>(), geometry_.taps(), &forward_, shape_.in, shape_.out};
    kernels.conv({{&source, 1}, y_out_.tiles, geometry_.out_width(), kImages, sums_.data()}, part);
  }
  void data_gradient(const Kernels& kernels, const Part& part) {
    const Source source{y_.tiles, backward_weights_, geometry_.taps(), &backward_, shape_.out, shape_.in};
    kernels.data_gradient({{&source, 1},
                           {.out = x_out_.tiles,
                            .z = x_.tiles,
                            .y0 = x_.tiles,
                            .add = {},
                            .y1 = {},
                            .mean0 = channels_.data(),
                            .mean1 = nullptr,
                            .width = shape_.side,
                            .images = kImages,
                            .sums = sums_.data()}},
                          part);
  }
  void normalize(const Kernels& kernels, int64_t group, int64_t row) {
    kernels.normalize({y_.tiles,
                       y_out_.tiles,
                       {},
                       channels_.data(),
                       channels_.data(),
                       nullptr,
                       nullptr,
                       geometry_.out_width(),
                       kImages},
                      group, row);
  }
  void norm_gradient(const Kernels& kernels, int64_t group, int64_t row) {
    kernels.norm_gradient({y_.tiles, y_.tiles, y_out_.tiles, channels_.data(), channels_.data(), channels_.data(),
                           geometry_.out_width(), kImages},
                          group, row);
  }
  PackJob pack_job() {
    return {weights_.data(), shape_.out, shape_.in, geometry_.taps(), packed_.as<Bf16>(), backward_weights_};
  }
  WeightGradientJob weight_gradient_job() {
    return {x_.tiles,        y_.tiles,         &bands_,    geometry_.taps(), chunks_,
            partial_.data(), gradient_.data(), shape_.out, shape_.in};
  }

  const Shape shape_;
  const Geometry geometry_;
  const Terms forward_, backward_;
  const Bands bands_;
  Tensor x_, y_, x_out_, y_out_;
  Arena packed_;
  Bf16* backward_weights_ = nullptr;
  int64_t chunks_ = 1;
  std::vector<float> weights_, gradient_, channels_, sums_, partial_;
};

}  // namespace signstep::amx
