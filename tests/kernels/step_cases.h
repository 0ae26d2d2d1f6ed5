// SPDX-License-Identifier: Apache-2.0
// Every combination of rule, dither, sums and zeros that has code of its own.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "signstep/kernels/sign_kernel.h"
#include "tests/kernels/tensor_list.h"

namespace signstep {

struct StepCase {
  std::string name;
  SignStep step;
  double sigma = 0, sgd_rate = 0;
  bool state = true, scaled = false;
};

// Where a dither enters, what it is, and whether each coordinate has a scale of its own.
struct Place {
  DitherOn on;
  DitherNoise noise = DitherNoise::kGaussian;
  bool scaled = false;
};
inline constexpr Place kPlaces[] = {{DitherOn::kUpdate},
                                    {DitherOn::kGradient},
                                    {DitherOn::kPost},
                                    {DitherOn::kMean},
                                    {DitherOn::kMean, DitherNoise::kUniform},
                                    {DitherOn::kUpdate, DitherNoise::kUniform},
                                    {DitherOn::kUpdate, DitherNoise::kGaussian, true},
                                    {DitherOn::kUpdate, DitherNoise::kUniform, true},
                                    {DitherOn::kMean, DitherNoise::kGaussian, true},
                                    {DitherOn::kMean, DitherNoise::kUniform, true}};

inline std::vector<StepCase> every_step_case() {
  struct Rule {
    const char* name;
    double b1, b2, sgd_rate;
    bool state;
  };
  std::vector<StepCase> list;
  for (const Rule& rule :
       {Rule{"SignSGD", 0, 0, 0, false}, Rule{"Signum", 0.9, 0.9, 0, true}, Rule{"Lion", 0.9, 0.99, 0, true},
        Rule{"blend", 0.9, 0.8, 0.05, true}, Rule{"blend without state", 0, 0, 0.05, false}})
    for (const Place& place : kPlaces)
      for (const double sigma : {0.0, 0.07})
        for (const StepSums sums : {StepSums::kNone, StepSums::kSquare, StepSums::kAll})
          for (const ZeroPolicy zero : {ZeroPolicy::kSkip, ZeroPolicy::kRandom, ZeroPolicy::kPlus}) {
            StepCase c;
            c.name = fmt::format("{}, placement {}, noise {}, scaled {}, sigma {}, sums {}, zero {}", rule.name,
                                 int(place.on), int(place.noise), place.scaled, sigma, int(sums), int(zero));
            c.step.b1 = rule.b1;
            c.step.b2 = rule.b2;
            c.step.lr = 0.01;
            c.step.decay_factor = 0.999;
            c.step.zero = zero;
            c.step.dither_on = place.on;
            c.step.noise = place.noise;
            c.step.sums = sums;
            c.step.products_with = zero == ZeroPolicy::kPlus ? ProductsWith::kMomentum : ProductsWith::kGradient;
            c.step.sgd_along = zero == ZeroPolicy::kRandom ? SgdAlong::kGradient : SgdAlong::kAverage;
            c.step.seed = 0x123456789ABCDEF0;
            c.step.step = 0x300000007;
            c.step.rank = 3;
            c.sigma = sigma;
            c.sgd_rate = rule.sgd_rate;
            c.state = rule.state;
            c.scaled = place.scaled;
            list.push_back(c);
          }
  return list;
}

inline std::vector<StepTensor> prepare(TensorList& data, const StepCase& c) {
  std::vector<StepTensor> tensors = data.tensors(c.scaled);
  for (StepTensor& t : tensors) {
    t.sigma = c.sigma;
    t.sgd_rate = c.sgd_rate;
    if (!c.state) t.m = nullptr;
  }
  return tensors;
}

}  // namespace signstep
