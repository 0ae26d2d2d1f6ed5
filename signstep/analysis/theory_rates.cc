// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/theory_rates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "signstep/base/error.h"
#include "signstep/theory/bounds.h"

namespace signstep {
namespace {

constexpr uint64_t kFirstSteps = 64, kLastFirstSteps = 1024;
constexpr double kSettledGap = 0.07;
constexpr uint64_t kValleySteps = 16000, kValleyPoints = 80;

// The seeds are the tasks; their results are added in order.
std::vector<DescentResult> over_seeds(const Problem& problem, const DescentOptions& base, int64_t seeds,
                                      Executor& executor) {
  std::vector<DescentResult> results(static_cast<size_t>(seeds));
  executor.run(results.size(), [&](size_t i) {
    DescentOptions o = base;
    o.seed = i + 1;
    results[i] = sign_descent(problem, o);
  });
  return results;
}

RatePoint point_of(const Problem& problem, uint64_t steps, const std::vector<DescentResult>& results) {
  RatePoint point{.steps = steps,
                  .bound = best_rate_bound(problem.first_gap(), problem.l1_smoothness(), static_cast<double>(steps)),
                  .weighted = {},
                  .l1 = {},
                  .gap = {}};
  for (const DescentResult& r : results) {
    point.weighted.add(r.weighted);
    point.l1.add(r.l1);
    point.gap.add(r.final_gap / problem.first_gap());
  }
  return point;
}

double best_rate(const Problem& problem, uint64_t steps) {
  return best_learning_rate(problem.first_gap(), problem.l1_smoothness(), static_cast<double>(steps));
}

double slope(const std::vector<RatePoint>& points, Moments RatePoint::*value) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const RatePoint& p : points) {
    const double u = std::log(static_cast<double>(p.steps)), v = std::log((p.*value).mean);
    n += 1, x += u, y += v, xx += u * u, xy += u * v;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

void measure(const Problem& problem, const TheoryOptions& o, RateCurve& curve, Executor& executor) {
  const auto at = [&](uint64_t steps) {
    DescentOptions descent;
    descent.noise = curve.noise;
    descent.batch = curve.batch;
    descent.dither = curve.dither * problem.sigma().front();
    descent.steps = steps;
    descent.learning_rate = best_rate(problem, steps);
    return point_of(problem, steps, over_seeds(problem, descent, o.seeds, executor));
  };
  uint64_t steps = kFirstSteps;
  RatePoint point = at(steps);
  while (point.gap.mean > kSettledGap && steps < kLastFirstSteps) point = at(steps *= 2);
  curve.settled = point.gap.mean <= kSettledGap;
  curve.points.push_back(point);
  for (int64_t i = 0; i < o.doublings; ++i) curve.points.push_back(at(steps *= 2));
  curve.weighted_slope = slope(curve.points, &RatePoint::weighted);
  curve.l1_slope = slope(curve.points, &RatePoint::l1);
}

// E[sign] of the counterexample at gradient g: noise +3.75 with probability 1/4, -1.25 with 3/4.
double valley_sign(double g, double dither) {
  const auto mean_sign = [&](double v) {
    return dither > 0 ? std::erf(v / (dither * std::sqrt(2.0))) : (v > 0) - (v < 0);
  };
  return 0.25 * mean_sign(g + 3.75) + 0.75 * mean_sign(g - 1.25);
}

// The gradient at which the mean sign is 0; the slope never exceeds 1/4.
double valley_fixed_point(double dither) {
  if (valley_sign(0.25, dither) <= 0) return std::numeric_limits<double>::infinity();
  double low = 0, high = 0.25;
  for (int step = 0; step < 60; ++step) {
    const double g = (low + high) / 2;
    (valley_sign(g, dither) < 0 ? low : high) = g;
  }
  return high;
}

}  // namespace

void describe(OptionList& list, TheoryOptions& o) {
  list.group("Study");
  describe_batches(list, o.batches, 4096, 1, "batch sizes, 1 to 4096, separated by commas");
  list.integer("seeds", o.seeds, Range::closed(2, 10000), "", "runs that each figure is a mean of");
  list.integer("doublings", o.doublings, Range::closed(1, 12), "",
               "of the number of steps K, from where a run settles");
  list.integer("threads", o.threads, Range::closed(0, 4096), "", "0: all cores that the process may use");
  list.text("output", o.output, "folder for theory.json and the figures");
}

void describe_batches(OptionList& list, std::vector<int64_t>& batches, int64_t highest, size_t least,
                      std::string help) {
  list.integers("batches", batches, {.each = Range::closed(1, static_cast<double>(highest)), .least = least},
                fmt::format("whole numbers in [1, {}] separated by commas, such as 1,8,64", highest), std::move(help));
}

std::vector<uint32_t> distinct_batches(const std::vector<int64_t>& batches) {
  std::vector<uint32_t> out(batches.begin(), batches.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

double RateCurve::worst_ratio() const {
  double worst = 0;
  for (const RatePoint& p : points) worst = std::max(worst, p.ratio());
  return worst;
}

bool RateCurve::holds() const {
  return std::all_of(points.begin(), points.end(),
                     [](const RatePoint& p) { return p.ratio() <= 1 + 3 * p.ratio_error(); });
}

std::vector<RateCurve> measure_rates(const TheoryOptions& options, Executor& executor, const StudyProgress& progress) {
  const std::vector<uint32_t> batches = distinct_batches(options.batches);
  std::vector<std::unique_ptr<Problem>> problems;
  problems.push_back(quadratic_problem());
  problems.push_back(logistic_problem());
  std::vector<RateCurve> curves;
  std::vector<const Problem*> of;
  for (const auto& problem : problems) {
    const auto add = [&](NoiseKind noise, uint32_t batch, double dither) {
      RateCurve curve;
      curve.problem = problem->name();
      curve.noise = noise;
      curve.batch = batch;
      curve.dither = dither;
      curves.push_back(curve);
      of.push_back(problem.get());
    };
    for (const NoiseKind noise : all_noises()) {
      for (const uint32_t batch : batches) add(noise, batch, 0);
      if (!is_symmetric_unimodal(noise)) add(noise, 1, 2);
    }
  }
  for (size_t i = 0; i < curves.size(); ++i) {
    progress(i, curves.size(),
             fmt::format("{}, {} noise, batch {}", curves[i].problem, noise_name(curves[i].noise), curves[i].batch));
    measure(*of[i], options, curves[i], executor);
  }
  return curves;
}

std::vector<ValleyCurve> measure_valley(const TheoryOptions& options, Executor& executor,
                                        const StudyProgress& progress) {
  const auto problem = valley_problem();
  std::vector<ValleyCurve> curves;
  for (const double dither : {0.0, 1.0, 2.7329, 4.0, 8.0}) {
    progress(curves.size(), 5, fmt::format("counterexample, dither {}", dither));
    DescentOptions descent;
    descent.noise = NoiseKind::kSkewed;
    descent.dither = dither;
    descent.steps = kValleySteps;
    descent.learning_rate = best_rate(*problem, kValleySteps);
    descent.curve_every = kValleySteps / kValleyPoints;
    const auto results = over_seeds(*problem, descent, options.seeds, executor);
    ValleyCurve curve;
    curve.dither = dither;
    curve.expected_sign = valley_sign(0.25, dither);
    curve.promise = snr_weight(signal_to_noise(0.25, problem->sigma().front(), dither));
    curve.fixed_point = valley_fixed_point(dither);
    curve.end = point_of(*problem, kValleySteps, results);
    for (size_t k = 0; k <= kValleyPoints; ++k) {
      curve.steps.push_back(static_cast<double>(k * descent.curve_every));
      curve.gap.emplace_back();
      for (const DescentResult& r : results) curve.gap.back().add(r.curve[k] / problem->first_gap());
    }
    curves.push_back(curve);
  }
  return curves;
}

}  // namespace signstep
