// SPDX-License-Identifier: Apache-2.0
// What each rank has, told to all. Collective; throw as Communicator does.
#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "signstep/wire/communicator.h"

namespace signstep {

// Everyone's, one rank after the other: out[r * own.size() + i] is rank r's own[i]. The same size at all ranks; plain
// data, so that its bytes are all of it.
template <class T>
std::vector<T> gathered(Communicator& world, std::span<const T> own) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<T> all(world.size() * own.size());
  world.all_gather(std::as_bytes(own), std::as_writable_bytes(std::span(all)));
  return all;
}

// Texts of any length, one of each rank.
std::vector<std::string> gathered_texts(Communicator& world, const std::string& own);
// Of the lowest rank that has one, or "": what is wrong with one is then known to all.
std::string first_text(Communicator& world, const std::string& own);

// For each of the numbers the sum, or the mean, over ranks, added in rank order: the same bits at every rank.
template <class T>
std::vector<T> sums_over_ranks(Communicator& world, std::span<const T> own) {
  const std::vector<T> all = gathered(world, own);
  std::vector<T> sums(own.size());
  for (size_t r = 0; r < world.size(); ++r)
    for (size_t i = 0; i < own.size(); ++i) sums[i] += all[r * own.size() + i];
  return sums;
}
std::vector<double> means_over_ranks(Communicator& world, std::span<const double> own);

}  // namespace signstep
