// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/ranks.h"

#include <cstdint>
#include <string>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/io/checksum.h"
#include "signstep/wire/gather.h"

namespace signstep {

BatchResult over_ranks(Communicator& world, const BatchResult& own) {
  struct Figures {
    double loss;
    uint64_t correct;
  };
  const Figures mine{own.loss, own.correct};
  BatchResult result;
  for (const Figures& rank : gathered(world, std::span(&mine, 1))) {
    result.loss += rank.loss;
    result.correct += rank.correct;
  }
  result.loss /= static_cast<double>(world.size());
  return result;
}

void require_same(Communicator& world, std::span<const std::byte> bytes, const char* what) {
  const std::vector<std::string> all = gathered_texts(world, sha256_hex(bytes));
  for (size_t r = 1; r < all.size(); ++r)
    if (all[r] != all[0])
      throw EnvironmentError(
          fmt::format("rank {} holds other {} than rank 0; all ranks must run the same build of the "
                      "program on processors of one type: start again from the last checkpoint",
                      r, what));
}

}  // namespace signstep
