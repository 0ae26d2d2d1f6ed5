// SPDX-License-Identifier: Apache-2.0
// What may be asked of an engine, whichever it is.
#pragma once

#include <cstdint>
#include <string>

#include "signstep/base/option.h"

namespace signstep {

enum class Precision { kFp32, kBf16, kAuto };
enum class Device { kCpu, kCuda, kAuto };

struct EngineOptions {
  std::string name = "auto";               // of an engine in the table (engine_table.h); auto: the first that can
  Device device = Device::kAuto;           // auto: a CUDA device where an engine sees one, else the CPU
  Precision precision = Precision::kAuto;  // of convolutions; auto: bf16 where the hardware multiplies it, else fp32
  int64_t threads = 0;                     // 0: all that the process may use
};

void describe(OptionList& list, EngineOptions& options);

}  // namespace signstep
