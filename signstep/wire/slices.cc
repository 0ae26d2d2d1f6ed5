// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/slices.h"

#include <algorithm>
#include <bit>

namespace signstep {

static_assert(std::endian::native == std::endian::little, "words travel as they lie, and the wire is little-endian");

std::vector<uint64_t> slices_of_all(Communicator& world, std::span<const uint64_t> words) {
  std::vector<uint64_t> padded(world.size() * slice_words(words.size(), world.size())), out(padded.size());
  std::copy(words.begin(), words.end(), padded.begin());
  world.all_to_all(std::as_bytes(std::span(padded)), std::as_writable_bytes(std::span(out)));
  return out;
}

void join_slices(Communicator& world, std::span<const uint64_t> own, std::span<uint64_t> words) {
  std::vector<uint64_t> all(world.size() * own.size());
  world.all_gather(std::as_bytes(own), std::as_writable_bytes(std::span(all)));
  std::copy_n(all.begin(), words.size(), words.begin());
}

}  // namespace signstep
