// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/gather.h"

#include <algorithm>
#include <cstdint>

namespace signstep {

std::vector<std::string> gathered_texts(Communicator& world, const std::string& own) {
  const uint64_t length = own.size();
  const std::vector<uint64_t> lengths = gathered(world, std::span(&length, 1));
  std::string padded = own;
  padded.resize(*std::max_element(lengths.begin(), lengths.end()));
  const std::vector<char> all = gathered(world, std::span<const char>(padded));
  std::vector<std::string> texts;
  for (size_t r = 0; r < world.size(); ++r) texts.emplace_back(all.data() + r * padded.size(), lengths[r]);
  return texts;
}

std::string first_text(Communicator& world, const std::string& own) {
  const std::vector<std::string> all = gathered_texts(world, own);
  const auto found = std::find_if(all.begin(), all.end(), [](const std::string& text) { return !text.empty(); });
  return found == all.end() ? "" : *found;
}

std::vector<double> means_over_ranks(Communicator& world, std::span<const double> own) {
  std::vector<double> means = sums_over_ranks(world, own);
  for (double& mean : means) mean /= static_cast<double>(world.size());
  return means;
}

}  // namespace signstep
