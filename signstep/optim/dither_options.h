// SPDX-License-Identifier: Apache-2.0
// Annealed dither: which noise, how much, where, and how it fades. docs/algorithms.md has the law and the reasons
// for the defaults.
#pragma once

#include <cstdint>
#include <optional>

#include "signstep/base/option.h"
#include "signstep/kernels/step.h"

namespace signstep {

enum class DitherKind { kNone, kRelative, kAbsolute, kMaximum };
enum class DitherShape { kConstant, kLinear, kCosine, kExponential, kInverseSqrt };

struct DitherOptions {
  DitherKind dither = DitherKind::kNone;
  // c_0 >= 0. relative: times the tensor's rms, maximum: times each coordinate's running maximum of |u|, both auto 1;
  // absolute: in gradient units, which no default fits, so it must be given. dither_on = post: times the step's unit
  // length for both.
  std::optional<double> dither_level = {};
  std::optional<double> dither_final = {};  // c_T >= 0; auto: 0 for linear and cosine, c_0 for constant,
                                            // c_0 / 100 for exponential, c_0 / 10 for inverse-sqrt
  DitherShape dither_shape = DitherShape::kCosine;
  double dither_until = 1.0;                          // (0, 1], share of the run: T; from there on the level stays c_T
  DitherOn dither_on = DitherOn::kUpdate;             // kernels/step.h
  DitherNoise dither_noise = DitherNoise::kGaussian;  // kernels/step.h: what the scale is the scale of

  friend bool operator==(const DitherOptions&, const DitherOptions&) = default;
};

void describe(OptionList& list, DitherOptions& options);

// Fills what is auto and refuses what cannot be: any of these options without a dither, an absolute dither without a
// level, an exponential or inverse-sqrt shape with a level of 0, a constant shape that ends elsewhere, uniform noise or
// a maximum anywhere but on the update and in its mean. Resolving twice changes nothing. Throws OptionError.
DitherOptions resolved(DitherOptions options);

// Whether the state holds each coordinate's running maximum of |u|: 4 bytes a parameter.
bool keeps_maximum(const DitherOptions& options);

}  // namespace signstep
