// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/base/error.h"
#include "signstep/c/signstep.h"
#include "signstep/cuda/low_precision.h"

namespace signstep {

// Throws OptionError for what is none of SIGNSTEP_FLOAT32, SIGNSTEP_FLOAT16 and SIGNSTEP_BFLOAT16.
inline ElementType element_type(uint32_t type, const char* name) {
  if (type == SIGNSTEP_FLOAT32) return ElementType::kFloat32;
  if (type == SIGNSTEP_FLOAT16) return ElementType::kFloat16;
  if (type == SIGNSTEP_BFLOAT16) return ElementType::kBFloat16;
  throw OptionError(
      fmt::format("{} is {}; wanted SIGNSTEP_FLOAT32, SIGNSTEP_FLOAT16 or SIGNSTEP_BFLOAT16", name, type));
}

}  // namespace signstep
