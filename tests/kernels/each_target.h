// SPDX-License-Identifier: Apache-2.0
// Runs a test body once for every SIMD target that was compiled and that this processor supports.
#pragma once

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cstring>
#include <string>
#include <vector>

#include "signstep/kernels/sign_kernel.h"

namespace signstep {

template <class Body>
void for_each_target(Body&& body) {
  hwy::SetSupportedTargetsForTest(0);
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(hwy::TargetName(target));
    ASSERT_STREQ(simd_target(), hwy::TargetName(target));
    body();
    if (testing::Test::HasFatalFailure()) break;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// The first index at which the bits of two float arrays differ, or n.
inline size_t first_difference(const float* a, const float* b, size_t n) {
  if (n == 0 || std::memcmp(a, b, n * sizeof(float)) == 0) return n;
  for (size_t i = 0; i < n; ++i)
    if (std::memcmp(a + i, b + i, sizeof(float)) != 0) return i;
  return n;
}

inline ::testing::AssertionResult same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return ::testing::AssertionFailure() << a.size() << " and " << b.size() << " elements";
  const size_t i = first_difference(a.data(), b.data(), a.size());
  if (i == a.size()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "element " << i << ": " << a[i] << " and " << b[i];
}

inline ::testing::AssertionResult same_bits(double a, double b) {
  if (std::memcmp(&a, &b, sizeof a) == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << std::to_string(a) << " and " << std::to_string(b);
}

inline void expect_same(const StepStatistics& a, const StepStatistics& b) {
  EXPECT_EQ(a.finite, b.finite);
  EXPECT_EQ(a.nonfinite, b.nonfinite);
  EXPECT_EQ(a.nonzero, b.nonzero);
  EXPECT_TRUE(same_bits(a.s_dot_v, b.s_dot_v));
  EXPECT_TRUE(same_bits(a.v_dot_v, b.v_dot_v));
  EXPECT_TRUE(same_bits(a.u_dot_u, b.u_dot_u));
}

}  // namespace signstep
