// SPDX-License-Identifier: Apache-2.0
// toml++ within libsignstep.so: Debian has it as a shared library and as headers, whose definitions these are.
#define TOML_HEADER_ONLY 0
#define TOML_IMPLEMENTATION
#include <toml++/toml.h>
