// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/resnet.h"

#include "signstep/engines/amx/pad_shortcut.h"

namespace signstep::amx {
namespace {

void normalize(Context& context, ConvLayer& layer, const Tiles& out, const Tiles& residual = {},
               const Norm* residual_norm = nullptr) {
  const int64_t width = layer.geometry().out_width();
  const NormalizeJob job{.y = layer.y,
                         .out = out,
                         .residual = residual,
                         .scale = layer.norm().scale.data(),
                         .shift = layer.norm().shift.data(),
                         .residual_scale = residual_norm ? residual_norm->scale.data() : nullptr,
                         .residual_shift = residual_norm ? residual_norm->shift.data() : nullptr,
                         .width = width,
                         .images = context.images};
  context.for_each_row(out, width, [&](int64_t group, int64_t row) { context.kernels.normalize(job, group, row); });
}

Tiles with_data(Tiles network, Bf16* data) {
  network.data = data;
  return network;
}

}  // namespace

ResNet::ResNet(const Network& network) : ResNet(network, plan_network(network).value()) {}

ResNet::ResNet(const Network& network, const NetworkPlan& plan)
    : fc_weight_(network.parameters.at(network.parameters.size() - 2)),
      fc_bias_(network.parameters.back()),
      stem_(network, {plan.stem.conv, plan.stem.norm, 1, 1}),  // its taps are channels
      head_({plan.features, network.classes}) {
  for (const BlockPlan& b : plan.blocks) {
    blocks_.push_back({.conv1 = ConvLayer(network, b.conv1),
                       .conv2 = ConvLayer(network, b.conv2),
                       .shortcut = {},
                       .pad_stride = b.pad_stride,
                       .z = {},
                       .out = {},
                       .padded = {}});
    if (b.projection) blocks_.back().shortcut.emplace(network, *b.projection);
  }
}

template <class F>
void ResNet::for_each_layer(F&& f) {
  f(stem_);
  for (Block& b : blocks_) {
    f(b.conv1);
    f(b.conv2);
    if (b.shortcut) f(*b.shortcut);
  }
}

void ResNet::pack(Context& context) {
  std::vector<std::pair<ConvLayer*, int64_t>> tasks;
  for_each_layer([&](ConvLayer& layer) {
    layer.load_norm(context);
    for (int64_t block = 0; block < layer.out_blocks(); ++block) tasks.emplace_back(&layer, block);
  });
  context.executor.run(tasks.size(), [&](size_t i) { tasks[i].first->pack(context, tasks[i].second); });
}

void ResNet::prepare(Context& context, const Batch& batch, int64_t groups) {
  if (height_ != batch.height || width_ != batch.width) {
    height_ = batch.height;
    width_ = batch.width;
    capacity_ = 0;
    int64_t height = height_, width = width_;
    stem_.set_input(height, width);
    for (Block& b : blocks_) {
      b.conv1.set_input(height, width);
      if (b.shortcut) b.shortcut->set_input(height, width);
      height = b.conv1.geometry().out_height();
      width = b.conv1.geometry().out_width();
      b.conv2.set_input(height, width);
    }
  }
  std::vector<std::pair<Tiles*, int64_t>> tensors{{&input_, 0}, {&stem_out_, 0}};
  input_ = stem_out_ = {groups, height_ * width_, 1};
  stem_out_.blocks = stem_.out_blocks();
  for_each_layer([&](ConvLayer& layer) {
    layer.y = {groups, layer.geometry().out_pixels(), layer.out_blocks()};
    tensors.emplace_back(&layer.y, 0);
  });
  for (Block& b : blocks_) {
    b.z = b.out = b.conv1.y;
    tensors.emplace_back(&b.z, 0);
    tensors.emplace_back(&b.out, 0);
    if (b.pad_stride == 0) continue;
    b.padded = b.out;
    tensors.emplace_back(&b.padded, 0);
  }
  // Places are those of the full capacity, so that a smaller batch moves nothing.
  const int64_t capacity = std::max(groups, capacity_);
  int64_t total = 0, largest = 0;
  for (auto& [t, place] : tensors) {
    place = total;
    total += t->size() / groups * capacity;
    largest = std::max(largest, t->size() / groups * capacity);
  }
  if (capacity > capacity_) {
    capacity_ = 0;  // until all of it is there
    memory_ = {};   // first, so that the two are never there together
    memory_ = Arena(static_cast<size_t>(total + 5 * largest) * sizeof(Bf16));
    size_t scratch = 0, partial = 0;
    for_each_layer([&](ConvLayer& layer) {
      scratch = std::max(scratch, layer.scratch_bytes());
      partial = std::max(partial, layer.partial_size(capacity));
    });
    context.scratch.resize(context.executor.threads(), scratch);
    context.partial.resize(partial);
    capacity_ = capacity;
  }
  for (auto& [t, place] : tensors) t->data = memory_.as<Bf16>() + place;
  for (Bf16*& spare : spare_) spare = memory_.as<Bf16>() + total + (&spare - spare_) * largest;
}

BatchResult ResNet::forward(Context& context, const Batch& batch, size_t first, size_t count, bool training) {
  context.images = static_cast<int64_t>(count);
  prepare(context, batch, blocks_of(context.images));
  stem_input_.fill(batch, first, count, input_, context.executor);
  stem_.forward(context, input_, training);
  normalize(context, stem_, stem_out_);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    Block& b = blocks_[i];
    const Tiles& x = input_of(i);
    b.conv1.forward(context, x, training);
    normalize(context, b.conv1, b.z);
    b.conv2.forward(context, b.z, training);
    if (b.shortcut) b.shortcut->forward(context, x, training);
    if (b.pad_stride > 0) {
      const Geometry& g = b.conv1.geometry();
      pad_shortcut(context, x, g.width, b.pad_stride, b.padded, g.out_width());
    }
    const Tiles& residual = b.shortcut ? b.shortcut->y : b.pad_stride > 0 ? b.padded : x;
    normalize(context, b.conv2, b.out, residual, b.shortcut ? &b.shortcut->norm() : nullptr);
  }
  return head_.forward(blocks_.back().out, context.values.subspan(fc_weight_.offset, fc_weight_.size),
                       context.values.subspan(fc_bias_.offset, fc_bias_.size),
                       std::span(batch.labels).subspan(first, count), context.executor);
}

GradientEpilogue ResNet::epilogue_at(Context& context, int64_t block, Bf16* g) {
  Block* b = block < 0 ? nullptr : &blocks_[static_cast<size_t>(block)];
  ConvLayer& last = b ? b->conv2 : stem_;
  GradientEpilogue e{.out = with_data(last.y, g), .z = b ? b->out : stem_out_, .y0 = last.y, .add = {}, .y1 = {}};
  e.mean0 = last.norm().mean.data();
  if (b && b->shortcut) {
    e.y1 = b->shortcut->y;
    e.mean1 = b->shortcut->norm().mean.data();
  }
  e.width = last.geometry().out_width();
  e.images = context.images;
  e.sums = context.sums_for(e.out, e.width);
  return e;
}

void ResNet::backward(Context& context, const Batch& batch) {
  const auto run_data_gradient = [&](std::span<const Source> sources, int64_t weights,
                                     const GradientEpilogue& epilogue) {
    const DataGradientJob job{sources, epilogue};
    context.for_each_part(epilogue.out, epilogue.width, weights,
                          [&](const Part& part) { context.kernels.data_gradient(job, part); });
  };
  Bf16 *g = spare_[0], *next = spare_[1];
  {
    const auto part = [](std::span<float> flat, const TensorInfo& t) { return flat.subspan(t.offset, t.size); };
    const auto at_pixels =
        head_.backward(blocks_.back().out, part(context.values, fc_weight_), part(context.gradients, fc_weight_),
                       part(context.gradients, fc_bias_), batch.labels, context.executor);
    const PoolGradientJob job{at_pixels.data(), epilogue_at(context, std::ssize(blocks_) - 1, g)};
    context.for_each_row(job.epilogue.out, job.epilogue.width,
                         [&](int64_t group, int64_t row) { context.kernels.pool_gradient(job, group, row); });
  }
  for (int64_t i = std::ssize(blocks_) - 1; i >= 0; --i) {
    Block& b = blocks_[static_cast<size_t>(i)];
    const Tiles& x = input_of(static_cast<size_t>(i));
    const Tiles gradient = with_data(b.out, g), dy2 = with_data(b.out, spare_[2]), dy1 = with_data(b.z, spare_[3]),
                dys = with_data(b.out, spare_[4]);
    b.conv2.norm_backward(context, 1, gradient, dy2);
    if (b.shortcut) b.shortcut->norm_backward(context, 2, gradient, dys);
    b.conv2.weight_gradient(context, b.z, dy2);
    const Source inner = b.conv2.data_gradient_source(dy2);
    run_data_gradient({&inner, 1}, b.conv2.operand_size(),
                      {.out = dy1,
                       .z = b.z,
                       .y0 = b.conv1.y,
                       .add = {},
                       .y1 = {},
                       .mean0 = b.conv1.norm().mean.data(),
                       .mean1 = nullptr,
                       .width = b.conv1.geometry().out_width(),
                       .images = context.images,
                       .sums = context.sums_for(dy1, b.conv1.geometry().out_width())});
    b.conv1.norm_backward(context, 1, dy1, dy1);
    b.conv1.weight_gradient(context, x, dy1);
    std::vector<Source> sources{b.conv1.data_gradient_source(dy1)};
    GradientEpilogue outer = epilogue_at(context, i - 1, next);
    if (b.shortcut) {
      b.shortcut->weight_gradient(context, x, dys);
      sources.push_back(b.shortcut->data_gradient_source(dys));
    } else if (b.pad_stride > 0) {
      const Geometry& geometry = b.conv1.geometry();
      outer.add = with_data(x, spare_[4]);
      pad_shortcut_gradient(context, gradient, geometry.out_width(), b.pad_stride, outer.add, geometry.width);
    } else {
      outer.add = gradient;
    }
    run_data_gradient(sources, b.conv1.operand_size(), outer);
    std::swap(g, next);
  }
  const Tiles dy = with_data(stem_.y, g);
  stem_.norm_backward(context, 1, dy, dy);
  stem_.weight_gradient(context, input_, dy);
}

}  // namespace signstep::amx
