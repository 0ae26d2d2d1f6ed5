// SPDX-License-Identifier: Apache-2.0
// The rate bound beside what SignSGD does on problems with known answers: for every noise and batch size, over runs of
// K steps at the best constant rate for that K (docs/theory.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "signstep/base/option.h"
#include "signstep/parallel/executor.h"
#include "signstep/theory/moments.h"
#include "signstep/theory/sign_descent.h"

namespace signstep {

struct TheoryOptions {
  std::vector<int64_t> batches = {1, 2, 4, 8, 64, 512};
  int64_t seeds = 20;
  int64_t doublings = 5;  // of K, from its start
  int64_t threads = 0;
  std::string output = "runs/theory";
};

void describe(OptionList& list, TheoryOptions& options);

// An option "batches": sizes from 1 to highest.
void describe_batches(OptionList& list, std::vector<int64_t>& batches, int64_t highest, size_t least, std::string help);
// Ascending and distinct.
std::vector<uint32_t> distinct_batches(const std::vector<int64_t>& batches);

struct RatePoint {
  uint64_t steps = 0;
  double bound = 0;
  Moments weighted, l1, gap;  // over the seeds: means over the steps; f_K - f* over f_0 - f*
  double ratio() const { return weighted.mean / bound; }
  double ratio_error() const { return weighted.standard_error() / bound; }
};

struct RateCurve {
  std::string problem;
  NoiseKind noise = NoiseKind::kGaussian;
  uint32_t batch = 1;
  double dither = 0;     // in standard deviations of the noise of one sample
  bool settled = false;  // the mean gap was at most 7 % of the first one at the first K; else K starts at 1024
  std::vector<RatePoint> points;
  double weighted_slope = 0, l1_slope = 0;  // least squares in log-log

  bool assumptions() const { return is_symmetric_unimodal(noise); }
  double worst_ratio() const;
  bool holds() const;  // ratio at most 1 + 3 standard errors at every K
};

// Told how many of how many parts are done.
using StudyProgress = std::function<void(size_t done, size_t total, const std::string& part)>;

// Quadratic and logistic, every noise, every batch size; dither 2 besides for the noises that break an assumption, at
// batch size 1. The same bits for any executor.
std::vector<RateCurve> measure_rates(const TheoryOptions& options, Executor& executor, const StudyProgress& progress);

// Design's counterexample on a slope that flattens out (valley_problem): dither in the gradient's units.
struct ValleyCurve {
  double dither = 0;
  double expected_sign = 0;  // exact, where the gradient is 1/4: negative walks uphill
  double promise = 0;        // w(S) there, which falls with dither
  double fixed_point = 0;    // of the gradient, exact; infinity where the slope never suffices
  RatePoint end;             // after all steps
  std::vector<double> steps;
  std::vector<Moments> gap;  // at those steps, f - f* over the first gap, over the seeds
};
std::vector<ValleyCurve> measure_valley(const TheoryOptions& options, Executor& executor,
                                        const StudyProgress& progress);

}  // namespace signstep
