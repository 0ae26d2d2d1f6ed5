// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/aten_step.h"

#include <ATen/ATen.h>

#include <mutex>

#include "signstep/core/random.h"

namespace signstep {
namespace {

using at::Tensor;

// A generator of x's device with a seed of its own; the device's default generator is copied, not advanced.
at::Generator generator_of(const Tensor& x, const SignStep& step, uint32_t index) {
  at::Generator shared = at::globalContext().defaultGenerator(x.device());
  at::Generator own = [&] {
    const std::lock_guard<std::mutex> lock(shared.mutex());
    return shared.clone();
  }();
  const Stream stream(step.seed, Purpose::kFrameworkSeed, step.step, index, step.rank);
  own.set_current_seed(stream.word(0) | static_cast<uint64_t>(stream.word(1)) << 32);
  return own;
}

// u = b m + (1 - b) g, in the kernels' order of operations.
Tensor average(const Tensor& m, const Tensor& g, float b) { return at::add(at::mul(m, b), at::mul(g, 1.0f - b)); }

Tensor zeros_where_not(const Tensor& finite, const Tensor& a) { return at::where(finite, a, at::zeros_like(a)); }

Tensor product_sum(const Tensor& a, const Tensor& b) { return at::sum(at::mul(a.to(at::kDouble), b.to(at::kDouble))); }

struct Moved {
  Tensor g, u, m, finite;  // m: the new one, or g
  bool has_m;
};

Moved move(const AtenTensor& t, const SignStep& step, const Tensor& noise) {
  Moved out;
  out.has_m = t.m.defined() && (step.b1 != 0 || step.b2 != 0);
  out.g = t.g.to(compute_type(t.x.scalar_type()));
  out.u = out.m = out.g;
  if (out.has_m) {
    const Tensor noisy = noise.defined() ? at::add(out.g, noise) : out.g;
    out.u = average(t.m, noisy, step.b1);
    out.m = step.b1 == step.b2 ? out.u : average(t.m, noisy, step.b2);
  }
  out.finite = at::logical_and(at::isfinite(out.u), at::isfinite(out.m));
  return out;
}

Tensor statistics_of(const Tensor& finite, const Tensor& nonzero, const Tensor& s_dot_v, const Tensor& v_dot_v,
                     const Tensor& u_dot_u) {
  const Tensor count = at::sum(finite).to(at::kDouble);
  const Tensor none = at::zeros_like(count);
  const auto or_none = [&](const Tensor& a) { return a.defined() ? a.to(at::kDouble) : none; };
  return at::stack({count, at::rsub(count, static_cast<double>(finite.numel())), or_none(nonzero), or_none(s_dot_v),
                    or_none(v_dot_v), or_none(u_dot_u)});
}

Tensor square_sum(const Moved& moved, const SignStep& step) {
  const Tensor of = zeros_where_not(moved.finite, step.dither_on == DitherOn::kGradient ? moved.g : moved.u);
  return product_sum(of, of);
}

// +-1 with probability p of +1.
Tensor coin(const Tensor& p, at::Generator& generator) {
  const Tensor uniform = at::rand(p.sizes(), generator, p.options());
  return at::where(at::lt(uniform, p), at::ones_like(p), at::full_like(p, -1));
}

// x' and m' where the coordinate is finite.
void store(const AtenTensor& t, const Tensor& finite, const Tensor& x, const Tensor& old_x, const Tensor& m) {
  t.x.copy_(at::where(finite, x, old_x));
  if (m.defined()) t.m.copy_(at::where(finite, m, t.m));
}

}  // namespace

at::ScalarType compute_type(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

Tensor aten_sign_step(const AtenTensor& t, const StepTensor& numbers, const SignStep& step) {
  at::Generator generator = generator_of(t.x, step, numbers.index);
  const double sigma = numbers.sigma;
  const bool averages = t.m.defined() && (step.b1 != 0 || step.b2 != 0);
  const bool on_gradient = sigma > 0 && step.dither_on == DitherOn::kGradient && averages;
  const bool post = sigma > 0 && step.dither_on == DitherOn::kPost;
  const Tensor old_x = t.x.to(compute_type(t.x.scalar_type()));
  const auto normal = [&] { return at::mul(at::randn(old_x.sizes(), generator, old_x.options()), sigma); };
  const Moved moved = move(t, step, on_gradient ? normal() : Tensor());

  Tensor s;
  if (sigma > 0 && !on_gradient && !post) {
    s = coin(at::special_ndtr(at::div(moved.u, sigma)), generator);
  } else {
    s = at::sign(moved.u);
    if (step.zero == ZeroPolicy::kPlus) s = at::where(at::eq(moved.u, 0), at::ones_like(s), s);
    if (step.zero == ZeroPolicy::kRandom) {
      s = at::where(at::eq(moved.u, 0), coin(at::full_like(s, 0.5), generator), s);
    }
  }
  Tensor nonzero, s_dot_v, v_dot_v, u_dot_u;
  if (step.sums == StepSums::kAll) {
    const Tensor v = zeros_where_not(moved.finite, step.products_with == ProductsWith::kMomentum ? moved.m : moved.g);
    const Tensor counted = zeros_where_not(moved.finite, s);
    nonzero = at::sum(at::ne(counted, 0));
    s_dot_v = product_sum(counted, v);
    v_dot_v = product_sum(v, v);
  }
  if (step.sums != StepSums::kNone) u_dot_u = square_sum(moved, step);

  if (post) s = at::add(s, normal());
  Tensor x = at::sub(at::mul(old_x, numbers.decay ? step.keep : 1.0f), at::mul(s, step.lr));
  if (numbers.sgd_rate != 0) x = at::sub(x, at::mul(moved.m, numbers.sgd_rate));
  store(t, moved.finite, x, old_x, moved.has_m ? moved.m : Tensor());
  return statistics_of(moved.finite, nonzero, s_dot_v, v_dot_v, u_dot_u);
}

Tensor aten_sign_measure(const AtenTensor& t, const SignStep& step) {
  const Moved moved = move(t, step, {});
  return statistics_of(moved.finite, {}, {}, {}, square_sum(moved, step));
}

Tensor aten_sgd_step(const AtenTensor& t, const StepTensor& numbers, const SgdStep& step) {
  const Tensor old_x = t.x.to(compute_type(t.x.scalar_type()));
  const bool averages = t.m.defined() && step.mu != 0;
  const Tensor g = t.g.to(old_x.scalar_type());
  const Tensor d = averages ? average(t.m, g, step.mu) : g;
  const Tensor finite = at::isfinite(d);
  const Tensor x = at::sub(at::mul(old_x, numbers.decay ? step.keep : 1.0f), at::mul(d, numbers.sgd_rate));
  store(t, finite, x, old_x, averages ? d : Tensor());
  Tensor v_dot_v;
  if (step.products) {
    const Tensor v = zeros_where_not(finite, step.products_with == ProductsWith::kMomentum ? d : g);
    v_dot_v = product_sum(v, v);
  }
  return statistics_of(finite, {}, {}, v_dot_v, {});
}

StepStatistics statistics_of(const Tensor& six_doubles) {
  const Tensor host = six_doubles.cpu().contiguous();
  const double* d = host.data_ptr<double>();
  return {static_cast<uint64_t>(d[0]), static_cast<uint64_t>(d[1]), static_cast<uint64_t>(d[2]), d[3], d[4], d[5]};
}

}  // namespace signstep
