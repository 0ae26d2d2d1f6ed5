// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/aten_step.h"

#include <ATen/ATen.h>

#include "signstep/libtorch/aten_noise.h"

namespace signstep {
namespace {

using at::Tensor;

// A step's numbers as a tensor of this type takes them: rounded to float as the kernels do it, or whole.
class Numbers {
 public:
  explicit Numbers(const Tensor& x) : wide_(x.scalar_type() == at::kDouble) {}
  double of(double number) const { return wide_ ? number : static_cast<float>(number); }
  double complement(double b) const { return wide_ ? 1 - b : 1.0f - static_cast<float>(b); }

 private:
  bool wide_;
};

// u = b m + (1 - b) g, in the kernels' order of operations.
Tensor average(const Numbers& in, const Tensor& m, const Tensor& g, double b) {
  return at::add(at::mul(m, in.of(b)), at::mul(g, in.complement(b)));
}

Tensor zeros_where_not(const Tensor& finite, const Tensor& a) { return at::where(finite, a, at::zeros_like(a)); }

Tensor product_sum(const Tensor& a, const Tensor& b) { return at::sum(at::mul(a.to(at::kDouble), b.to(at::kDouble))); }

bool averages(const Numbers& in, const AtenTensor& t, const SignStep& step) {
  return t.m.defined() && (in.of(step.b1) != 0 || in.of(step.b2) != 0);
}

struct Moved {
  Tensor g, u, m, finite;  // m: the new one, or g
  bool has_m;
};

Moved move(const Numbers& in, const AtenTensor& t, const SignStep& step, const Tensor& noise) {
  Moved out;
  out.has_m = averages(in, t, step);
  out.g = t.g.to(compute_type(t.x.scalar_type()));
  out.u = out.m = out.g;
  if (out.has_m) {
    const Tensor noisy = noise.defined() ? at::add(out.g, noise) : out.g;
    out.u = average(in, t.m, noisy, step.b1);
    out.m = step.b1 == step.b2 ? out.u : average(in, t.m, noisy, step.b2);
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

// x' and m' where the coordinate is finite.
void store(const AtenTensor& t, const Tensor& finite, const Tensor& x, const Tensor& old_x, const Tensor& m) {
  t.x.copy_(at::where(finite, x, old_x));
  if (m.defined()) t.m.copy_(at::where(finite, m, t.m));
}

// For a scale that is one number or one for each element.
Tensor law_signs(AtenNoise& noise, const SignStep& step, const Tensor& u, const Tensor& sigma) {
  return step.dither_on == DitherOn::kMean ? noise.means(u, sigma, step.noise) : noise.signs(u, sigma, step.noise);
}

}  // namespace

at::ScalarType compute_type(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

Tensor aten_sign_step(const AtenTensor& t, const StepTensor& numbers, const SignStep& step) {
  const Numbers in(t.x);
  const double sigma = in.of(numbers.sigma), sgd_rate = in.of(numbers.sgd_rate);
  const std::unique_ptr<AtenNoise> noise = noise_for(t.x.device(), step, numbers.index);
  const bool on_gradient = sigma > 0 && step.dither_on == DitherOn::kGradient && averages(in, t, step);
  const bool post = sigma > 0 && step.dither_on == DitherOn::kPost;
  const Tensor old_x = t.x.to(compute_type(t.x.scalar_type()));
  const auto normal = [&] { return at::mul(noise->normal(old_x), sigma); };
  const Moved moved = move(in, t, step, on_gradient ? normal() : Tensor());

  if (t.maximum.defined())
    t.maximum.copy_(at::where(moved.finite, at::maximum(t.maximum, at::abs(moved.u)), t.maximum));
  const bool by_law = sigma > 0 && !on_gradient && !post;
  Tensor s;
  if (!by_law || t.maximum.defined()) {
    s = at::sign(moved.u);
    if (step.zero == ZeroPolicy::kPlus) s = at::where(at::eq(moved.u, 0), at::ones_like(s), s);
    if (step.zero == ZeroPolicy::kRandom) s = at::where(at::eq(moved.u, 0), noise->coins(s), s);
  }
  if (by_law && t.maximum.defined()) {
    const Tensor scale = at::mul(t.maximum, sigma), bare = at::eq(scale, 0);
    s = at::where(bare, s, law_signs(*noise, step, moved.u, at::where(bare, at::ones_like(scale), scale)));
  } else if (by_law) {
    s = law_signs(*noise, step, moved.u, at::scalar_tensor(sigma, moved.u.options().dtype(at::kDouble)));
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
  Tensor x = at::sub(at::mul(old_x, numbers.decay ? in.of(step.decay_factor) : 1), at::mul(s, in.of(step.lr)));
  const Tensor& along = step.sgd_along == SgdAlong::kGradient ? moved.g : moved.m;
  if (sgd_rate != 0) x = at::sub(x, at::mul(along, sgd_rate));
  store(t, moved.finite, x, old_x, moved.has_m ? moved.m : Tensor());
  return statistics_of(moved.finite, nonzero, s_dot_v, v_dot_v, u_dot_u);
}

Tensor aten_sign_measure(const AtenTensor& t, const SignStep& step) {
  const Moved moved = move(Numbers(t.x), t, step, {});
  return statistics_of(moved.finite, {}, {}, {}, square_sum(moved, step));
}

Tensor aten_sgd_phase_step(const AtenTensor& t, const StepTensor& numbers, const SgdPhaseStep& step) {
  const Tensor old_x = t.x.to(compute_type(t.x.scalar_type()));
  const Numbers in(t.x);
  const bool has_d = t.m.defined() && in.of(step.mu) != 0;
  const Tensor g = t.g.to(old_x.scalar_type());
  const double l2 = numbers.decay ? in.of(step.l2) : 0;
  const Tensor h = l2 != 0 ? at::add(g, at::mul(old_x, l2)) : g;
  const Tensor d = has_d ? average(in, t.m, h, step.mu) : h;
  const Tensor finite = at::isfinite(d);
  const Tensor x =
      at::sub(at::mul(old_x, numbers.decay ? in.of(step.decay_factor) : 1), at::mul(d, in.of(numbers.sgd_rate)));
  store(t, finite, x, old_x, has_d ? d : Tensor());
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
