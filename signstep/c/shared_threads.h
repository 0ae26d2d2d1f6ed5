// SPDX-License-Identifier: Apache-2.0
// The threads that all callers of the C interface share.
#pragma once

#include <cstdint>
#include <functional>

#include "signstep/parallel/executor.h"

namespace signstep {

// At least 1, or OptionError. Not while another thread uses them.
void set_shared_threads(uint32_t threads);
uint32_t shared_threads();

// The shared threads for one call, or the caller's own where another call has them: nobody waits, and the bits are the
// same.
void with_executor(const std::function<void(Executor&)>& f);

}  // namespace signstep
