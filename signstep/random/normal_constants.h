// SPDX-License-Identifier: Apache-2.0
// Coefficients shared by normal_element.h and normal-inl.h. Minimax by our own Remez exchange in 40 digits.
#pragma once

#include <cstdint>

#include "signstep/base/host_device.h"

namespace signstep {

inline constexpr int32_t kSqrtHalfBits = 0x3F3504F3;  // sqrt(1/2) as a float
inline constexpr float kLn2High = 0.693359375f;       // 9 bits: e * kLn2High is exact
inline constexpr float kLn2Low = -2.12194440e-4f;     // ln 2 - kLn2High

// (ln(1 + f) - f) / f^2 on [sqrt(1/2) - 1, sqrt(2) - 1], error 2.4e-8.
inline constexpr int kLogTerms = 9;
SIGNSTEP_TABLE float kLog[kLogTerms] = {-0.499999977336f, 0.333333129418f,  -0.250007511602f,
                                        0.200026954263f,  -0.166289214916f, 0.14173459743f,
                                        -0.130725506222f, 0.129178270847f,  -0.080645980139f};

inline constexpr float kRadiansPerUnit = 1.4629180792671596e-9f;  // 2 pi / 2^32
// sin a = a + a^3 (kSine), error 1.8e-9; cos a = 1 - a^2 / 2 + a^4 (kCosine), error 9.6e-11; |a| <= pi/4.
SIGNSTEP_TABLE float kSine[] = {-0.166666506693f, 0.00833197866438f, -0.000194956363544f};
SIGNSTEP_TABLE float kCosine[] = {0.0416666468665f, -0.00138873675162f, 2.44384516314e-5f};

}  // namespace signstep
