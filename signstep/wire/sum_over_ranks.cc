// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/sum_over_ranks.h"

#include <algorithm>

#include "signstep/parallel/pieces.h"

namespace signstep {
namespace {

void reduce(Communicator& communicator, std::span<float> values, bool mean, Executor& executor) {
  const size_t ranks = communicator.size();
  if (ranks == 1) return;
  const size_t slice = (values.size() + ranks - 1) / ranks;
  std::vector<float> all(ranks * slice), parts(ranks * slice);
  std::copy(values.begin(), values.end(), all.begin());
  communicator.all_to_all(std::as_bytes(std::span(all)), std::as_writable_bytes(std::span(parts)));
  for_each_piece(slice, executor, [&](size_t begin, size_t end) {
    float* const sum = parts.data();
    for (size_t r = 1; r < ranks; ++r) {
      const float* const part = parts.data() + r * slice;
      for (size_t i = begin; i < end; ++i) sum[i] += part[i];
    }
    if (!mean) return;
    for (size_t i = begin; i < end; ++i) sum[i] /= static_cast<float>(ranks);
  });
  communicator.all_gather(std::as_bytes(std::span(parts.data(), slice)), std::as_writable_bytes(std::span(all)));
  std::copy_n(all.begin(), values.size(), values.begin());
}

}  // namespace

void sum_over_ranks(Communicator& communicator, std::span<float> values, Executor& executor) {
  reduce(communicator, values, false, executor);
}

void mean_over_ranks(Communicator& communicator, std::span<float> values, Executor& executor) {
  reduce(communicator, values, true, executor);
}

std::vector<float> sum_over_ranks_ref(std::span<const std::vector<float>> values) {
  std::vector<float> sum = values[0];
  for (size_t i = 0; i < sum.size(); ++i)
    for (size_t r = 1; r < values.size(); ++r) sum[i] = sum[i] + values[r][i];
  return sum;
}

std::vector<float> mean_over_ranks_ref(std::span<const std::vector<float>> values) {
  std::vector<float> mean = sum_over_ranks_ref(values);
  for (float& value : mean) value = value / static_cast<float>(values.size());
  return mean;
}

}  // namespace signstep
