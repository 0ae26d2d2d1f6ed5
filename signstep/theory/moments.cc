// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signstep/theory/moments.cc"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

#include "signstep/theory/moments.h"
#include "signstep/theory/moments_step.h"

HWY_BEFORE_NAMESPACE();
namespace signstep {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The operations of moments_add in the same order, several coordinates at a time.
void AddRange(const float* x, const MomentFactors& f, double* mean, double* m2, double* m3, double* m4, size_t begin,
              size_t end) {
  size_t i = begin;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const auto inverse = hn::Set(d, f.inverse), n1 = hn::Set(d, f.n1), n2 = hn::Set(d, f.n2), n4 = hn::Set(d, f.n4);
  const auto three = hn::Set(d, 3), four = hn::Set(d, 4), six = hn::Set(d, 6);
  for (const size_t lanes = hn::Lanes(d); i + lanes <= end; i += lanes) {
    const auto mu = hn::LoadU(d, mean + i), s2 = hn::LoadU(d, m2 + i), s3 = hn::LoadU(d, m3 + i);
    const auto delta = hn::Sub(hn::PromoteTo(d, hn::LoadU(df, x + i)), mu);
    const auto step = hn::Mul(delta, inverse), step2 = hn::Mul(step, step);
    const auto t = hn::Mul(hn::Mul(delta, step), n1);
    const auto up4 = hn::Sub(hn::Mul(hn::Mul(six, step2), s2), hn::Mul(hn::Mul(four, step), s3));
    const auto up3 = hn::Sub(hn::Mul(hn::Mul(t, step), n2), hn::Mul(hn::Mul(three, step), s2));
    hn::StoreU(hn::Add(hn::LoadU(d, m4 + i), hn::Add(hn::Mul(hn::Mul(t, step2), n4), up4)), d, m4 + i);
    hn::StoreU(hn::Add(s3, up3), d, m3 + i);
    hn::StoreU(hn::Add(s2, t), d, m2 + i);
    hn::StoreU(hn::Add(mu, step), d, mean + i);
  }
#endif
  for (; i < end; ++i) moments_add(x[i], f, mean[i], m2[i], m3[i], m4[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace signstep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cassert>
#include <cmath>

#include "signstep/parallel/pieces.h"

namespace signstep {
HWY_EXPORT(AddRange);

void Moments::add(double x) { moments_add(x, MomentFactors(++n), mean, m2, m3, m4); }

void Moments::merge(const Moments& b) {
  if (b.n == 0) return;
  if (n == 0) {
    *this = b;
    return;
  }
  const auto na = static_cast<double>(n), nb = static_cast<double>(b.n), total = na + nb;
  const double delta = b.mean - mean, d = delta / total, d2 = d * d, t = delta * d * na * nb;
  m4 = m4 + b.m4 +
       (t * d2 * (na * na - na * nb + nb * nb) +
        (6 * d2 * (na * na * b.m2 + nb * nb * m2) + 4 * d * (na * b.m3 - nb * m3)));
  m3 = m3 + b.m3 + (t * d * (na - nb) + 3 * d * (na * b.m2 - nb * m2));
  m2 = m2 + b.m2 + t;
  mean = mean + d * nb;
  n += b.n;
}

double Moments::standard_error() const { return n < 2 ? 0 : std::sqrt(variance() / static_cast<double>(n)); }

double Moments::skewness() const { return m2 > 0 ? m3 * std::sqrt(static_cast<double>(n)) / (m2 * std::sqrt(m2)) : 0; }

double Moments::excess_kurtosis() const { return m2 > 0 ? m4 * static_cast<double>(n) / (m2 * m2) - 3 : 0; }

CoordinateMoments::CoordinateMoments(size_t coordinates)
    : mean_(coordinates), m2_(coordinates), m3_(coordinates), m4_(coordinates) {}

void CoordinateMoments::add(std::span<const float> x, Executor& executor) {
  assert(x.size() == coordinates());
  const MomentFactors factors(++n_);
  const auto range = HWY_DYNAMIC_DISPATCH(AddRange);
  for_each_piece(x.size(), executor, [&](size_t begin, size_t end) {
    range(x.data(), factors, mean_.data(), m2_.data(), m3_.data(), m4_.data(), begin, end);
  });
}

void CoordinateMoments::merge(const CoordinateMoments& other, Executor& executor) {
  assert(other.coordinates() == coordinates());
  for_each_piece(coordinates(), executor, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      Moments a = at(i);
      a.merge(other.at(i));
      mean_[i] = a.mean, m2_[i] = a.m2, m3_[i] = a.m3, m4_[i] = a.m4;
    }
  });
  n_ += other.n_;
}

std::vector<Moments> moments_ref(std::span<const std::vector<float>> draws) {
  std::vector<Moments> all(draws.empty() ? 0 : draws.front().size());
  for (const std::vector<float>& draw : draws)
    for (size_t i = 0; i < all.size(); ++i) all[i].add(draw[i]);
  return all;
}

}  // namespace signstep
#endif
