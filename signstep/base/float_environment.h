// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace signstep {

// While it lives this thread computes as docs/numerics.md says: rounded to nearest, denormals kept, nothing trapped. A
// host may have it otherwise (torch.set_flush_denormal, a library linked with -ffast-math), and in some of its threads.
// Then what the host had comes back. A few nanoseconds.
class SpecifiedFloats {
 public:
  SpecifiedFloats(const SpecifiedFloats&) = delete;
  SpecifiedFloats& operator=(const SpecifiedFloats&) = delete;

#if defined(__SSE2__)
  SpecifiedFloats() : before_(_mm_getcsr()) {
    if ((before_ & ~kRaised) != kDefault) _mm_setcsr(kDefault | (before_ & kRaised));
  }
  ~SpecifiedFloats() {
    if ((before_ & ~kRaised) != kDefault) _mm_setcsr((before_ & ~kRaised) | (_mm_getcsr() & kRaised));
  }

 private:
  static constexpr unsigned kRaised = 0x3f;     // exceptions since somebody cleared them
  static constexpr unsigned kDefault = 0x1f80;  // all masked, to nearest, neither FTZ nor DAZ
  const unsigned before_;
#else
  SpecifiedFloats() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~SpecifiedFloats() { std::fesetenv(&before_); }

 private:
  std::fenv_t before_;
#endif
};

}  // namespace signstep
