// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_record.h"

#include "signstep/base/cpu.h"
#include "signstep/base/version.h"

namespace signstep {

ProgramRecord this_program() { return {.version = version(), .commit = commit()}; }

MachineRecord this_machine() {
  const CpuFeatures& cpu = cpu_features();
  return {.cpu = cpu.model,
          .threads = cpu.threads,
          .avx2 = cpu.avx2,
          .avx512 = cpu.avx512,
          .avx512_bf16 = cpu.avx512_bf16,
          .amx_bf16 = cpu.amx_bf16};
}

SessionRecord first_session(const RunRecord& record) {
  return {.started = record.started,
          .step = 0,
          .program = record.program,
          .machine = record.machine,
          .engine = record.engine};
}

std::vector<SessionRecord> sessions_of(const RunRecord& record) {
  return record.sessions.empty() ? std::vector<SessionRecord>{first_session(record)} : record.sessions;
}

}  // namespace signstep
