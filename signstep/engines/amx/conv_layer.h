// SPDX-License-Identifier: Apache-2.0
// One convolution with its batch normalisation: forward, and backward to weights and input.
#pragma once

#include <optional>
#include <string>

#include "signstep/engines/amx/batch_norm.h"
#include "signstep/engines/amx/context.h"
#include "signstep/engines/amx/network_plan.h"

namespace signstep::amx {

class ConvLayer {
 public:
  // plan's kernel is the operand's: 1 for the stem, whose taps are channels.
  ConvLayer(const Network& network, const ConvNorm& plan);

  void set_input(int64_t height, int64_t width);  // in pixels; makes the lists
  const Geometry& geometry() const { return geometry_; }
  int64_t out_blocks() const { return blocks_of(out_); }
  Norm& norm() { return norm_; }
  size_t partial_size(int64_t groups) const;                              // floats that weight_gradient needs
  int64_t operand_size() const { return packed_size(out_, in_, taps_); }  // of the operand, in values
  size_t scratch_bytes() const { return static_cast<size_t>(weight_gradient_scratch(*bands_)); }

  // Weights to operands: one task for each block of out channels. Once a step, before any other use.
  void pack(Context& context, int64_t out_block);
  void load_norm(Context& context);

  // y = conv(x), and what normalises it: batch statistics in training (the running ones move), else the running ones.
  void forward(Context& context, const Tiles& x, bool training);

  // dy from the gradient g at the normalised y and the sums in context that g's epilogue left, in place `which`. dy may
  // be g.
  void norm_backward(Context& context, int64_t which, const Tiles& g, const Tiles& dy);
  void weight_gradient(Context& context, const Tiles& x, const Tiles& dy);
  Source data_gradient_source(const Tiles& dy) const {
    return {dy, backward_weights_, taps_, &*backward_terms_, out_, in_};
  }

  Tiles y;

 private:
  std::span<float> part(std::span<float> flat, const TensorInfo& t) const { return flat.subspan(t.offset, t.size); }
  int64_t chunks(int64_t groups) const;  // of the weight gradient
  TaskGrid grid(const Context& context) const;

  TensorInfo weight_, gamma_, beta_, mean_, variance_;
  int64_t out_, in_, taps_;  // as the operand has them
  Geometry geometry_;
  std::optional<Terms> forward_terms_, backward_terms_;
  std::optional<Bands> bands_;
  Arena packed_;
  Bf16 *forward_weights_ = nullptr, *backward_weights_ = nullptr;
  Norm norm_;
};

}  // namespace signstep::amx
