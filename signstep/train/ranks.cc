// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/ranks.h"

#include <cstdint>
#include <string>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/io/checksum.h"

namespace signstep {

BatchResult over_ranks(Communicator& world, const BatchResult& own) {
  struct Figures {
    double loss;
    uint64_t correct;
  };
  const Figures mine{own.loss, own.correct};
  std::vector<Figures> all(world.size());
  world.all_gather(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  BatchResult result;
  for (const Figures& rank : all) {
    result.loss += rank.loss;
    result.correct += rank.correct;
  }
  result.loss /= static_cast<double>(world.size());
  return result;
}

void require_same(Communicator& world, std::span<const std::byte> bytes, const char* what) {
  const std::string own = sha256_hex(bytes);
  std::string all(own.size() * world.size(), '0');
  world.all_gather(std::as_bytes(std::span(own)), std::as_writable_bytes(std::span(all)));
  for (size_t r = 1; r < world.size(); ++r)
    if (all.compare(r * own.size(), own.size(), all, 0, own.size()) != 0)
      throw EnvironmentError(
          fmt::format("rank {} holds other {} than rank 0; all ranks must run the same build of the "
                      "program on processors of one type: start again from the last checkpoint",
                      r, what));
}

}  // namespace signstep
