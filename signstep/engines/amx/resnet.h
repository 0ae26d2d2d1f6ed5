// SPDX-License-Identifier: Apache-2.0
// A residual network as layers of this engine, forward and backward written out. For each block, with x its input:
//
//   forward    y1 = conv1(x)   z = relu(norm1(y1))   y2 = conv2(z)   out = relu(norm2(y2) + x, or x padded, or
//              norm_s(conv_s(x)))
//   backward   g at norm2's result arrives rectified and summed by the epilogue of what follows
//              dy2 from g;  conv2's weights from (z, dy2);  h at norm1's result: conv2 backward, rectified at z
//              dy1 from h;  conv1's weights from (x, dy1);  g of the block before: conv1 backward (+ conv_s backward,
//              or + g, or + g where padding took it from)
#pragma once

#include <memory>
#include <vector>

#include "signstep/data/batch.h"
#include "signstep/engines/amx/conv_layer.h"
#include "signstep/engines/amx/head.h"
#include "signstep/engines/amx/network_plan.h"
#include "signstep/engines/amx/stem_input.h"

namespace signstep::amx {

class ResNet {
 public:
  explicit ResNet(const Network& network);  // that plan_network can plan

  // Loss and number right of images first .. first + count - 1, summed. backward overwrites the gradients with those of
  // the mean loss; it follows a training forward pass of the same images.
  BatchResult forward(Context& context, const Batch& batch, size_t first, size_t count, bool training);
  void backward(Context& context, const Batch& batch);

  // Of every class, an image a row: of the images of the last forward pass.
  std::span<const float> probabilities() const { return head_.probabilities(); }

  void pack(Context& context);  // once after the values changed

 private:
  struct Block {
    ConvLayer conv1, conv2;
    std::optional<ConvLayer> shortcut;  // without one the shortcut is x itself, or x padded
    int64_t pad_stride;                 // above 0: padded
    Tiles z, out, padded;
  };
  ResNet(const Network& network, const NetworkPlan& plan);

  template <class F>
  void for_each_layer(F&& f);
  // Lists for this image size and memory for that many groups, where they are not there yet.
  void prepare(Context& context, const Batch& batch, int64_t groups);
  const Tiles& input_of(size_t block) const { return block == 0 ? stem_out_ : blocks_[block - 1].out; }
  // Of the gradient g at a block's result; block 0's input, the stem's result, is number -1.
  GradientEpilogue epilogue_at(Context& context, int64_t block, Bf16* g);

  TensorInfo fc_weight_, fc_bias_;
  ConvLayer stem_;
  std::vector<Block> blocks_;
  Head head_;
  StemInput stem_input_;
  int64_t height_ = 0, width_ = 0, capacity_ = 0;  // groups that there is memory for
  Arena memory_;
  Tiles input_, stem_out_;
  Bf16* spare_[5] = {};  // gradients of activations, each as large as the largest layer
};

}  // namespace signstep::amx
