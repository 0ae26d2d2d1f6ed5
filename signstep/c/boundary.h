// SPDX-License-Identifier: Apache-2.0
// What stands between C and C++: exceptions become codes, text is copied out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

namespace signstep {

// Calls f(with); what it throws becomes a SIGNSTEP_ code and this thread's message.
int guarded(void (*f)(void* with), void* with) noexcept;
// Of a lambda, without a copy: making one could throw out here.
template <class F>
int guarded(F&& f) noexcept {
  using Body = std::remove_reference_t<F>;
  return guarded([](void* with) { (*static_cast<Body*>(with))(); }, std::addressof(f));
}

const char* last_error() noexcept;
uint64_t failures() noexcept;  // of this thread so far

// The convention of signstep.h. Throws OptionError where needed, or text with a size, is null.
void copy_text(const std::string& from, char* text, size_t size, size_t* needed);

// Throws OptionError: "NAME is NULL; wanted WHAT".
void require_pointer(const void* pointer, const char* name, const char* what);

}  // namespace signstep
