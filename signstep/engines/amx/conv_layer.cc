// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/conv_layer.h"

#include "signstep/base/error.h"

namespace signstep::amx {
namespace {

const TensorInfo& named(const std::vector<TensorInfo>& list, const std::string& name) {
  for (const TensorInfo& t : list)
    if (t.name == name) return t;
  throw OptionError(fmt::format("the network has no tensor {}", name));
}

}  // namespace

ConvLayer::ConvLayer(const Network& network, const ConvNorm& plan)
    : weight_(named(network.parameters, plan.conv + ".weight")),
      gamma_(named(network.parameters, plan.norm + ".weight")),
      beta_(named(network.parameters, plan.norm + ".bias")),
      mean_(named(network.buffers, plan.norm + ".running_mean")),
      variance_(named(network.buffers, plan.norm + ".running_var")),
      out_(weight_.shape[0]),
      in_(static_cast<int64_t>(weight_.size) / out_ / (plan.kernel * plan.kernel)),
      taps_(plan.kernel * plan.kernel) {
  geometry_.kernel = plan.kernel;
  geometry_.stride = plan.stride;
  const int64_t size = packed_size(out_, in_, taps_);
  packed_ = Arena(static_cast<size_t>(2 * size) * sizeof(Bf16));
  forward_weights_ = packed_.as<Bf16>();
  backward_weights_ = forward_weights_ + size;
  norm_.resize(out_blocks() * kSide);
}

void ConvLayer::set_input(int64_t height, int64_t width) {
  geometry_.height = height;
  geometry_.width = width;
  forward_terms_ = Terms::forward(geometry_);
  backward_terms_ = Terms::backward(geometry_);
  bands_.emplace(geometry_);
}

// Enough tasks to keep eight threads busy; more partial sums would cost more memory than they bring.
int64_t ConvLayer::chunks(int64_t groups) const {
  return std::clamp<int64_t>(8 / weight_gradient_columns(out_blocks()), 1, bands_->count(groups));
}

size_t ConvLayer::partial_size(int64_t groups) const {
  return static_cast<size_t>(chunks(groups) * out_blocks() * blocks_of(in_) * taps_ * kUnit);
}

TaskGrid ConvLayer::grid(const Context& context) const {
  return {y.groups, geometry_.out_height(), out_blocks(), geometry_.out_width(), context.images};
}

void ConvLayer::pack(Context& context, int64_t out_block) {
  context.kernels.pack({part(context.values, weight_).data(), out_, in_, taps_, forward_weights_, backward_weights_},
                       out_block);
}

void ConvLayer::load_norm(Context& context) {
  std::ranges::copy(part(context.values, gamma_), norm_.gamma.begin());
  std::ranges::copy(part(context.values, beta_), norm_.beta.begin());
}

void ConvLayer::forward(Context& context, const Tiles& x, bool training) {
  const Source source{x, forward_weights_, taps_, &*forward_terms_, in_, out_};
  const int64_t width = geometry_.out_width();
  const ConvJob job{.sources = {&source, 1},
                    .out = y,
                    .width = width,
                    .images = context.images,
                    .sums = training ? context.sums_for(y, width) : nullptr};
  context.for_each_part(y, width, operand_size(), [&](const Part& part) { context.kernels.conv(job, part); });
  if (training) {
    finish_forward(context.sums.data(), grid(context), norm_, part(context.buffers, mean_),
                   part(context.buffers, variance_));
  } else {
    use_running(part(context.buffers, mean_), part(context.buffers, variance_), norm_);
  }
}

void ConvLayer::norm_backward(Context& context, int64_t which, const Tiles& g, const Tiles& dy) {
  finish_backward(context.sums.data(), which, grid(context), norm_, part(context.gradients, gamma_),
                  part(context.gradients, beta_));
  const NormGradientJob job{.g = g,
                            .y = y,
                            .out = dy,
                            .a = norm_.a.data(),
                            .b = norm_.b.data(),
                            .c = norm_.c.data(),
                            .width = geometry_.out_width(),
                            .images = context.images};
  context.for_each_row(y, job.width,
                       [&](int64_t group, int64_t row) { context.kernels.norm_gradient(job, group, row); });
}

void ConvLayer::weight_gradient(Context& context, const Tiles& x, const Tiles& dy) {
  const int64_t parts = chunks(x.groups);
  const WeightGradientJob job{.in = x,
                              .dy = dy,
                              .bands = &*bands_,
                              .taps = taps_,
                              .chunks = parts,
                              .partial = context.partial.data(),
                              .gradient = part(context.gradients, weight_).data(),
                              .out = out_,
                              .columns = in_};
  context.executor.run(static_cast<size_t>(weight_gradient_columns(out_blocks()) * parts), [&](size_t task) {
    const Scratch::Loan loan(context.scratch);
    context.kernels.weight_gradient(job, static_cast<int64_t>(task) / parts, static_cast<int64_t>(task) % parts,
                                    loan.get());
  });
  context.executor.run(static_cast<size_t>(out_blocks()),
                       [&](size_t block) { context.kernels.sum_weight_gradient(job, static_cast<int64_t>(block)); });
}

}  // namespace signstep::amx
