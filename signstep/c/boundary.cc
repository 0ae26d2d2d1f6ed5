// SPDX-License-Identifier: Apache-2.0
#include "signstep/c/boundary.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "signstep/base/error.h"
#include "signstep/base/float_environment.h"
#include "signstep/c/callback_error.h"
#include "signstep/c/signstep.h"

namespace signstep {
namespace {

constexpr size_t kMostMessage = 2048;
// An array and no string: keeping it must not throw, also when memory has run out.
thread_local char message[kMostMessage] = "";
thread_local uint64_t failed = 0;

int fail(int code, const char* what) noexcept {
  std::strncpy(message, what, kMostMessage - 1);
  message[kMostMessage - 1] = '\0';
  ++failed;
  return code;
}

int code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kOption: return SIGNSTEP_OPTION;
    case ErrorKind::kData: return SIGNSTEP_DATA;
    case ErrorKind::kCheckpoint: return SIGNSTEP_CHECKPOINT;
    case ErrorKind::kEnvironment: return SIGNSTEP_ENVIRONMENT;
    case ErrorKind::kDiverged: break;  // only training throws it
  }
  return SIGNSTEP_INTERNAL;
}

}  // namespace

int guarded(void (*f)(void* with), void* with) noexcept {
  const SpecifiedFloats floats;
  try {
    f(with);
    return SIGNSTEP_OK;
  } catch (const CallbackError& e) {
    return fail(SIGNSTEP_CALLBACK, e.what());
  } catch (const Error& e) {
    return fail(code_of(e.kind()), e.what());
  } catch (const std::bad_alloc&) {
    return fail(SIGNSTEP_ENVIRONMENT, "memory ran out; close other programs, or step fewer tensors at once");
  } catch (const std::exception& e) {
    return fail(SIGNSTEP_INTERNAL, e.what());
  } catch (...) {
    return fail(SIGNSTEP_INTERNAL, "an unknown exception");
  }
}

const char* last_error() noexcept { return message; }
uint64_t failures() noexcept { return failed; }

void copy_text(const std::string& from, char* text, size_t size, size_t* needed) {
  require_pointer(needed, "needed", "where to put the size of the text");
  *needed = from.size() + 1;
  if (size == 0) return;
  require_pointer(text, "text", "as many bytes as size says");
  const size_t length = std::min(size - 1, from.size());
  std::memcpy(text, from.data(), length);
  text[length] = '\0';
}

void require_pointer(const void* pointer, const char* name, const char* what) {
  if (pointer == nullptr) throw OptionError(fmt::format("{} is NULL; wanted {}", name, what));
}

}  // namespace signstep
