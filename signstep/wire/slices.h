// SPDX-License-Identifier: Apache-2.0
// The words of a message cut into one slice a rank: each rank works on its slice of everyone's words, so that 2 (M - 1)
// / M words travel for each. Collective; throw as Communicator does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/wire/communicator.h"

namespace signstep {

// Words of a slice; rank r's begins at word r * slice_words(). The last slices may reach past the end, where words are
// 0.
constexpr size_t slice_words(size_t words, size_t ranks) { return (words + ranks - 1) / ranks; }

// This rank's slice of every rank's words: out[r * slice + w] is word w of rank r's.
std::vector<uint64_t> slices_of_all(Communicator& world, std::span<const uint64_t> words);

// words become the slices of all ranks in their order. own: this rank's, slice_words(words.size(), world.size()) long.
void join_slices(Communicator& world, std::span<const uint64_t> own, std::span<uint64_t> words);

}  // namespace signstep
