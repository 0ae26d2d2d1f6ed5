// SPDX-License-Identifier: Apache-2.0
// Philox beside its authors' own code (Random123; Debian: librandom123-dev).
#include <gtest/gtest.h>

#include "signstep/random/philox.h"

#if SIGNSTEP_RANDOM123
#include <Random123/philox.h>
#undef philox4x32  // a macro, with the name of our function
#endif

namespace signstep {
namespace {

TEST(Philox, AgreesWithItsAuthorsCode) {
#if SIGNSTEP_RANDOM123
  // Counters and keys that walk through all of their bits, each the result before it.
  PhiloxCounter counter = {1, 2, 3, 4};
  PhiloxKey key = {5, 6};
  for (int i = 0; i < 100000; ++i) {
    const r123::Philox4x32::ctr_type theirs =
        r123::Philox4x32()({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
    const PhiloxCounter ours = philox4x32(counter, key);
    ASSERT_EQ(ours, (PhiloxCounter{theirs[0], theirs[1], theirs[2], theirs[3]})) << "draw " << i;
    key = {key[0] ^ ours[3], key[1] + ours[0]};
    counter = ours;
  }
#else
  GTEST_SKIP() << "Random123's headers are not installed (Debian: librandom123-dev)";
#endif
}

}  // namespace
}  // namespace signstep
