// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <hwy/targets.h>

#include <string>

#include "bench/collector.h"
#include "signstep/kernels/sign_kernel.h"

namespace signstep {

// Takes --simd=AVX2 (or SSE4, ...) out of the arguments: a lesser target than the processor's best. Says so, and
// returns false, where it has no such target.
inline bool choose_simd(int& argc, char** argv) {
  const std::string simd = take_flag(argc, argv, "--simd");
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (simd != hwy::TargetName(target)) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  if (simd.empty() || simd == simd_target()) return true;
  fmt::print(stderr, "--simd={}: this processor's best target is {}\n", simd, simd_target());
  return false;
}

}  // namespace signstep
