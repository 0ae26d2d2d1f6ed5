// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace signstep {

const char* version();  // "0.1.0"
const char* commit();   // abbreviated git commit of the build, "-dirty" with local changes, or "unknown"

}  // namespace signstep
