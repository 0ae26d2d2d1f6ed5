// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/sample_profile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "signstep/random/normal_cdf.h"
#include "signstep/random/random.h"
#include "signstep/theory/bounds.h"
#include "signstep/theory/dip_test.h"
#include "signstep/theory/symmetry_test.h"

namespace signstep {
namespace {

struct Verdict {
  bool tested = false, symmetric = false, unimodal = false;
};

Verdict judge(std::span<const float> draws, const DipTest& dip) {
  if (std::all_of(draws.begin(), draws.end(), [&](float v) { return v == draws.front(); })) return {};
  return {true, triples_test(draws).p_value > kShapeLevel, dip.p_value(dip_statistic(draws)) > kShapeLevel};
}

int sign_of(double v) { return (v > 0) - (v < 0); }

double expected_sign_of(double value, double dither) {
  return dither > 0 ? 2 * normal_cdf(value / dither) - 1 : sign_of(value);
}

// Failure share of each bin in each draw, bins x draws; weights of the sampled coordinates.
void failure_errors(const CoordinateSample& sample, std::span<const float> reference, double variance,
                    SampleProfile& out) {
  std::vector<std::vector<double>> failed(kSnrBins);
  std::array<double, kSnrBins> weight{};
  std::array<size_t, kSnrBins> sampled{};
  const size_t draws = sample.size() > 0 ? sample.draws(0).size() : 0;
  for (auto& f : failed) f.assign(draws, 0.0);
  for (size_t i = 0; i < sample.size(); ++i) {
    Moments m;
    for (const float v : sample.draws(i)) m.add(v);
    const double g = reference[sample.coordinate(i)], sigma = std::sqrt(m.variance());
    const double snr = signal_to_noise(std::sqrt(std::max(0.0, g * g - variance * m.variance())), sigma);
    if (snr == 0) continue;
    const size_t bin = snr_bin(snr);
    weight[bin] += sample.weight(i);
    ++sampled[bin];
    for (size_t j = 0; j < draws; ++j)
      if (sign_of(sample.draws(i)[j]) != sign_of(g)) failed[bin][j] += sample.weight(i);
  }
  for (size_t b = 0; b < kSnrBins; ++b) {
    Moments shares;
    for (const double f : failed[b]) shares.add(f / weight[b]);
    out.failure_error[b] = sampled[b] > 1 ? shares.standard_error() : std::numeric_limits<double>::quiet_NaN();
  }
}

// With v_j the weighted vector of (draw j - reference) / sigma over the sample, the mean of v_j v_k over pairs of draws
// estimates rho^2; leaving out one draw at a time tells how far that varies.
double reference_variance_error(const CoordinateSample& sample, std::span<const float> reference) {
  const size_t draws = sample.size() > 0 ? sample.draws(0).size() : 0;
  if (draws < 3) return 0;
  double weight = 0, total_square = 0, squares = 0;
  std::vector<double> square(draws, 0.0), with_total(draws, 0.0);
  for (size_t i = 0; i < sample.size(); ++i) {
    Moments m;
    for (const float v : sample.draws(i)) m.add(v);
    if (m.variance() == 0) continue;
    weight += sample.weight(i);
    const double g = reference[sample.coordinate(i)], factor = sample.weight(i) / m.variance();
    const double sum = static_cast<double>(draws) * (m.mean - g);
    total_square += factor * sum * sum;
    for (size_t j = 0; j < draws; ++j) {
      const double off = sample.draws(i)[j] - g;
      square[j] += factor * off * off;
      with_total[j] += factor * off * sum;
    }
  }
  if (weight == 0) return 0;
  for (const double q : square) squares += q;
  Moments left_out;
  const auto k = static_cast<double>(draws);
  for (size_t j = 0; j < draws; ++j) {
    const double others = total_square - 2 * with_total[j] + square[j];
    left_out.add((others - (squares - square[j])) / ((k - 1) * (k - 2) * weight));
  }
  return variance_ratio_factor(k) * std::sqrt((k - 1) / k * left_out.m2);
}

// The variance that a sum over all coordinates has because it is made from a sample of them, tensor by tensor without
// replacement (Cochran 1977, section 2.8): n^2 (1 - m/n) s^2 / m. means[i]: of the draws of sampled coordinate i.
double sampling_variance(const CoordinateSample& sample, std::span<const double> means, size_t tensors) {
  std::vector<Moments> spread(tensors);
  std::vector<double> weight(tensors, 1.0);  // n / m
  for (size_t i = 0; i < sample.size(); ++i) {
    spread[sample.tensor(i)].add(means[i]);
    weight[sample.tensor(i)] = sample.weight(i);
  }
  double total = 0;
  for (size_t t = 0; t < tensors; ++t) {
    const auto m = static_cast<double>(spread[t].n);
    if (m > 1) total += weight[t] * weight[t] * m * (1 - 1 / weight[t]) * spread[t].m2 / (m - 1);
  }
  return total;
}

void dithered_descent(const CoordinateSample& sample, std::span<const float> reference, std::span<const double> rms,
                      Executor& executor, SampleProfile& out) {
  const size_t draws = sample.size() > 0 ? sample.draws(0).size() : 0;
  std::vector<std::array<double, kLevels>> descent(draws);
  executor.run(draws, [&](size_t j) {
    descent[j] = {};
    for (size_t i = 0; i < sample.size(); ++i) {
      const double weighted = sample.weight(i) * reference[sample.coordinate(i)], value = sample.draws(i)[j];
      for (size_t l = 0; l < kLevels; ++l)
        descent[j][l] += weighted * expected_sign_of(value, kDitherLevels[l] * rms[sample.tensor(i)]);
    }
  });
  for (const auto& d : descent) {
    for (size_t l = 0; l < kLevels; ++l) {
      out.descent[l].add(d[l]);
      out.gain[l].add(d[l] - d[0]);
    }
  }
  // Of each sampled coordinate at each level, over its draws: g times the mean sign.
  std::vector<std::array<double, kLevels>> own(sample.size());
  executor.run(sample.size(), [&](size_t i) {
    own[i] = {};
    for (const float value : sample.draws(i))
      for (size_t l = 0; l < kLevels; ++l)
        own[i][l] += expected_sign_of(value, kDitherLevels[l] * rms[sample.tensor(i)]);
    for (double& sum : own[i]) sum *= reference[sample.coordinate(i)] / static_cast<double>(draws);
  });
  std::vector<double> means(sample.size());
  for (size_t l = 0; l < kLevels; ++l) {
    const auto error = [&](const Moments& over_draws, bool gain) {
      for (size_t i = 0; i < means.size(); ++i) means[i] = own[i][l] - (gain ? own[i][0] : 0);
      return std::hypot(over_draws.standard_error(), std::sqrt(sampling_variance(sample, means, out.tensors.size())));
    };
    out.descent_error[l] = error(out.descent[l], false);
    out.gain_error[l] = error(out.gain[l], true);
  }
}

}  // namespace

SampleProfile sample_profile(const CoordinateSample& sample, std::span<const float> reference, size_t tensors,
                             double variance, std::span<const double> rms, Executor& executor) {
  SampleProfile out;
  out.tensors.resize(tensors);
  const size_t draws = sample.size() > 0 ? sample.draws(0).size() : 0;
  if (draws >= kLeastDraws) {
    const DipTest dip(draws);
    std::vector<Verdict> verdicts(sample.size());
    executor.run(sample.size(), [&](size_t i) { verdicts[i] = judge(sample.draws(i), dip); });
    for (size_t i = 0; i < verdicts.size(); ++i) {
      ShapeCounts& counts = out.tensors[sample.tensor(i)];
      counts.tested += verdicts[i].tested ? sample.weight(i) : 0;
      counts.symmetric += verdicts[i].symmetric ? sample.weight(i) : 0;
      counts.unimodal += verdicts[i].unimodal ? sample.weight(i) : 0;
    }
  }
  failure_errors(sample, reference, variance, out);
  out.reference_variance_error = reference_variance_error(sample, reference);
  dithered_descent(sample, reference, rms, executor, out);
  return out;
}

ShapePower shape_power(size_t draws) {
  constexpr size_t kSamples = 200;
  if (draws < kLeastDraws) return {};
  const DipTest dip(draws);
  uint64_t law = 0;
  // Share of samples that the test rejects; value(random) draws from the law.
  const auto rejected = [&](bool symmetry, auto&& value) {
    size_t count = 0;
    std::vector<float> x(draws);
    for (uint64_t s = ++law << 32, end = s + kSamples; s < end; ++s) {
      SequentialRandom random(Stream(1, Purpose::kProblem, s));
      for (float& v : x) v = static_cast<float>(value(random));
      const double p = symmetry ? triples_test(x).p_value : dip.p_value(dip_statistic(x));
      count += p <= kShapeLevel;
    }
    return static_cast<double>(count) / kSamples;
  };
  const auto normal = [](SequentialRandom& r) { return r.normal(); };
  const auto gamma = [](int shape) {  // skewness 2 / sqrt(shape)
    return [shape](SequentialRandom& r) {
      double sum = 0;
      for (int i = 0; i < shape; ++i) sum -= std::log(1 - r.uniform());
      return sum;
    };
  };
  const auto bumps = [](double apart) {
    return [apart](SequentialRandom& r) { return r.normal() + (r.next() % 2 == 0 ? apart : 0); };
  };
  return {.gaussian_asymmetric = rejected(true, normal),
          .skewness_half = rejected(true, gamma(16)),
          .skewness_one = rejected(true, gamma(4)),
          .gaussian_multimodal = rejected(false, normal),
          .bumps3 = rejected(false, bumps(3)),
          .bumps4 = rejected(false, bumps(4))};
}

}  // namespace signstep
