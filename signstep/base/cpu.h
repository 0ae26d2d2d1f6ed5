// SPDX-License-Identifier: Apache-2.0
// What the processor underneath can do, asked once at run time.
#pragma once

#include <string>

namespace signstep {

struct CpuFeatures {
  std::string model;  // "AMD EPYC ...", from the operating system
  bool intel = false;
  bool avx2 = false;
  bool avx512 = false;       // F, BW, DQ and VL
  bool avx512_bf16 = false;  // VDPBF16PS: bf16 dot products in vector registers
  bool amx_bf16 = false;     // bf16 matrix tiles
  unsigned threads = 1;      // that this process may keep busy: its cores, or fewer by a quota (cpu_quota.h)
};

const CpuFeatures& cpu_features();

}  // namespace signstep
