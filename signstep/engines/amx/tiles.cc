// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/tiles.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace signstep::amx {

Arena::Arena(size_t bytes) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const size_t whole = std::max(kHugePage, (bytes + kHugePage - 1) / kHugePage * kHugePage);
  void* p = std::aligned_alloc(kHugePage, whole);
  if (p == nullptr) throw std::bad_alloc();
  ::madvise(p, whole, MADV_HUGEPAGE);  // a wish: small pages work as well
  std::memset(p, 0, whole);
  memory_.reset(p);
}

void Arena::Free::operator()(void* p) const { std::free(p); }

}  // namespace signstep::amx
