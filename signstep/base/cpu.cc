// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

#include "signstep/base/cpu_quota.h"

namespace signstep {
namespace {

CpuFeatures detect() {
  CpuFeatures cpu;
  std::ifstream info("/proc/cpuinfo");
  std::string flags;
  for (std::string line; std::getline(info, line) && (cpu.model.empty() || flags.empty());) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || colon + 2 > line.size()) continue;
    if (line.starts_with("model name")) cpu.model = line.substr(colon + 2);
    if (line.starts_with("vendor_id")) cpu.intel = line.ends_with("GenuineIntel");
    if (line.starts_with("flags")) flags = line.substr(colon + 1) + " ";
  }
  // The kernel lists a feature only where it also saves that feature's registers, which CPUID alone does not say.
  const auto has = [&](const char* name) { return flags.find(std::string(" ") + name + " ") != std::string::npos; };
  cpu.avx2 = has("avx2");
  cpu.avx512 = has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl");
  cpu.avx512_bf16 = has("avx512_bf16");
  cpu.amx_bf16 = has("amx_bf16") && has("amx_tile");
  cpu_set_t set;
  cpu.threads = sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set))
                                                            : std::thread::hardware_concurrency();
  if (cpu.threads == 0) cpu.threads = 1;
  if (const auto quota = cpu_quota()) cpu.threads = std::min(cpu.threads, static_cast<unsigned>(std::ceil(*quota)));
  if (cpu.model.empty()) cpu.model = "unknown";
  return cpu;
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace signstep
