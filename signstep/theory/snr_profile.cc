// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/snr_profile.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signstep/parallel/pieces.h"
#include "signstep/theory/bounds.h"
#include "signstep/theory/dither_law.h"

namespace signstep {
namespace {

constexpr double kBinsPerDecade = 4, kFirstEdge = 1e-4;

// independent: g has no part in the moments.
void add_coordinate(SnrProfile& p, double g, const Moments& m, bool independent, double failures, double variance,
                    double rms) {
  const auto draws = static_cast<double>(m.n);
  const double sigma2 = m.variance(), sigma = std::sqrt(sigma2);
  p.coordinates += 1;
  if (sigma == 0 && g == 0) {
    p.silent += 1;
    return;
  }
  const double debiased = g * g - variance * sigma2, magnitude = std::sqrt(std::max(debiased, 0.0));
  const double snr = signal_to_noise(magnitude, sigma), square = independent ? g * m.mean : debiased;
  // |g| w(S) under noise of that deviation.
  const auto seen = [&](double s, double deviation) {
    return independent && s <= kGaussKnee && deviation > 0 ? square / (deviation * std::numbers::sqrt3)
                                                           : magnitude * snr_weight(s);
  };
  p.l1_raw += std::fabs(g);
  p.l1 += magnitude;
  p.squares_raw += g * g;
  p.squares += square;
  p.noise += sigma2;
  p.weight += snr_weight(snr);
  p.weighted += seen(snr, sigma);
  p.high += snr > kGaussKnee;
  if (snr == 0) {
    p.below_floor += 1;
  } else {
    SnrBin& bin = p.bins[snr_bin(snr)];
    bin.count += 1;
    bin.failures += failures / draws;
    bin.bound += sign_failure_bound(snr);
    bin.magnitude += magnitude;
  }
  CoordinateNoise noise{.gradient = m.mean, .sigma = sigma};
  if (sigma > 0) {
    noise.skewness = m.skewness();
    noise.excess_kurtosis = m.excess_kurtosis();
    p.with_noise += 1;
    p.skewness_square += noise.skewness * noise.skewness - 6 * (draws - 2) / ((draws + 1) * (draws + 3));
    p.kurtosis += noise.excess_kurtosis;
  }
  for (size_t level = 0; level < kLevels; ++level) {
    const double dither = kDitherLevels[level] * rms;
    p.promised[level] += seen(signal_to_noise(magnitude, sigma, dither), std::hypot(sigma, dither));
    p.predicted[level] += g * expected_sign(noise, dither);
    if (sigma > 0) p.fixed_point[level] += std::fabs(fixed_point(noise, dither)) / sigma;
  }
}

// One double a tensor: the sum over its coordinates of term(i).
template <class Term>
std::vector<double> tensor_sums(std::span<const TensorRange> tensors, Executor& executor, Term&& term) {
  std::vector<double> totals(tensors.size());
  sum_pieces(
      std::span(totals), executor, [&](size_t t) { return tensors[t].size; },
      [&](size_t t, size_t begin, size_t end) {
        double sum = 0;
        for (size_t i = begin; i < end; ++i) sum += term(tensors[t].offset + i);
        return sum;
      });
  return totals;
}

}  // namespace

size_t snr_bin(double snr) {
  const double bin = std::floor(kBinsPerDecade * std::log10(snr / kFirstEdge));
  return static_cast<size_t>(std::clamp(bin, 0.0, static_cast<double>(kSnrBins - 1)));
}

double snr_bin_edge(size_t bin) { return kFirstEdge * std::pow(10.0, static_cast<double>(bin) / kBinsPerDecade); }

void SignCounts::add(std::span<const float> draw, Executor& executor) {
  for_each_piece(draw.size(), executor, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      positive_[i] = static_cast<uint16_t>(positive_[i] + (draw[i] > 0));
      negative_[i] = static_cast<uint16_t>(negative_[i] + (draw[i] < 0));
    }
  });
}

SnrProfile& SnrProfile::operator+=(const SnrProfile& o) {
  const auto add = [&](auto... field) { ((this->*field += o.*field), ...); };
  using P = SnrProfile;
  add(&P::coordinates, &P::silent, &P::below_floor, &P::high, &P::weight, &P::l1_raw, &P::l1, &P::squares_raw,
      &P::squares, &P::noise, &P::weighted, &P::skewness_square, &P::kurtosis, &P::with_noise);
  for (size_t b = 0; b < kSnrBins; ++b) {
    bins[b].count += o.bins[b].count;
    bins[b].failures += o.bins[b].failures;
    bins[b].bound += o.bins[b].bound;
    bins[b].magnitude += o.bins[b].magnitude;
  }
  for (size_t l = 0; l < kLevels; ++l) {
    promised[l] += o.promised[l];
    predicted[l] += o.predicted[l];
    fixed_point[l] += o.fixed_point[l];
  }
  return *this;
}

double reference_variance(const Draws& d, std::span<const TensorRange> tensors, Executor& executor) {
  const double own = 1 / static_cast<double>(d.moments.draws());
  if (!d.independent) return own;
  double excess = 0, count = 0;
  for (const double sum : tensor_sums(tensors, executor, [&](size_t i) {
         const Moments m = d.moments.at(i);
         const double off = m.mean - d.reference[i];
         return m.variance() > 0 ? off * off / m.variance() : 0;
       }))
    excess += sum;
  for (const double sum : tensor_sums(tensors, executor, [&](size_t i) { return d.moments.at(i).m2 > 0 ? 1.0 : 0.0; }))
    count += sum;
  return count > 0 ? std::max(0.0, variance_ratio_factor(1 / own) * excess / count - own) : 0;
}

std::vector<double> gradient_rms(const Draws& d, std::span<const TensorRange> tensors, Executor& executor) {
  std::vector<double> rms = tensor_sums(tensors, executor, [&](size_t i) {
    const double g = d.reference[i];
    return g * g + d.moments.at(i).variance();
  });
  for (size_t t = 0; t < rms.size(); ++t) rms[t] = std::sqrt(rms[t] / static_cast<double>(tensors[t].size));
  return rms;
}

std::vector<SnrProfile> snr_profiles(const Draws& d, std::span<const TensorRange> tensors, double variance,
                                     std::span<const double> rms, Executor& executor) {
  std::vector<SnrProfile> totals(tensors.size());
  sum_pieces(
      std::span(totals), executor, [&](size_t t) { return tensors[t].size; },
      [&](size_t t, size_t begin, size_t end) {
        SnrProfile partial;
        for (size_t i = tensors[t].offset + begin; i < tensors[t].offset + end; ++i)
          add_coordinate(partial, d.reference[i], d.moments.at(i), d.independent,
                         d.signs.failures(i, d.reference[i], d.moments.draws()), variance, rms[t]);
        return partial;
      });
  return totals;
}

}  // namespace signstep
