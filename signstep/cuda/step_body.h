// SPDX-License-Identifier: Apache-2.0
// What the blocks of a step's grid do, for a Grid that is CUDA's or, in tests, a loop on the CPU. grid.each(f) calls
// f(thread) for each thread of the block and then waits for all of them: nothing but shared memory outlives a phase.
#pragma once

#include "signstep/cuda/eight_draws.h"
#include "signstep/cuda/step_table.h"
#include "signstep/kernels/sgd_element.h"

namespace signstep {

inline constexpr uint32_t kStepThreads = 256;
inline constexpr uint32_t kTurnElements = kEight * kStepThreads;  // of one phase
inline constexpr uint32_t kTurns = kBlockElements / kTurnElements;
inline constexpr uint32_t kStepSums = 3;  // s.v, v.v, u.u
inline constexpr uint32_t kWarp = 32;     // a sum's lanes are threads of a warp of its own
static_assert(kTurns * kTurnElements == kBlockElements && kTurnElements % kSumLanes == 0);

// What the threads of a block share where sums are wanted. Elements that are in no sum hold zeros, whose products add
// nothing to a lane that starts at +0.
struct StepShared {
  uint32_t tensor;
  float s[kTurnElements], v[kTurnElements], u[kTurnElements];
  double lane[kStepSums][kSumLanes];
  uint16_t nonzero[kStepThreads], nonfinite[kStepThreads];
};

// Which elements a block, and in it a thread at one turn, takes.
struct BlockRange {
  uint32_t tensor;
  uint64_t begin, end;
};
template <class Entry>
SIGNSTEP_HD inline BlockRange range_of(const StepTable<Entry>& table, uint32_t tensor, uint32_t block) {
  const uint64_t begin = uint64_t{block - table.first_block[tensor]} * kBlockElements;
  const uint64_t n = table.entries[tensor].tensor.n;
  return {tensor, begin, n - begin < kBlockElements ? n : begin + kBlockElements};
}

// The tensor of the grid's block into shared memory: the threads look at the tensors side by side, as one after the
// other waits for memory each time. Empty tensors have no block.
struct FoundTensor {
  uint32_t tensor;
};
template <class Entry, class Grid>
SIGNSTEP_HD inline void find_tensor(Grid& grid, uint32_t& tensor, const StepTable<Entry>& table) {
  grid.each([&](uint32_t thread) {
    for (uint32_t t = thread; t < table.tensors; t += kStepThreads)
      if (table.first_block[t] <= grid.block() && grid.block() < table.first_block[t + 1]) tensor = t;
  });
}

SIGNSTEP_HD inline uint32_t count_of(uint64_t first, uint64_t end) {
  return first >= end ? 0 : end - first < kEight ? static_cast<uint32_t>(end - first) : kEight;
}

// x of eight elements into its array, rounded to its type.
SIGNSTEP_HD inline void store_x(const DeviceTensor& t, uint64_t first, uint32_t count, const float* x) {
  if (t.x_type == ElementType::kFloat32) return store_eight(static_cast<float*>(t.x), t.vectors, first, count, x);
  uint16_t rounded[kEight] = {};
  PhiloxCounter words{};
  if (t.stochastic) words = t.rounding.group(static_cast<uint32_t>(first / kEight));
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kEight; ++j)
    rounded[j] = t.stochastic ? stochastic_bits(t.x_type, x[j], static_cast<int16_t>(words[j / 2] >> (j % 2 * 16)))
                              : nearest_bits(t.x_type, x[j]);
  store_eight(static_cast<uint16_t*>(t.x), t.vectors, first, count, rounded);
}

// What eight elements say of themselves to the sums.
struct EightSums {
  float s[kEight] = {}, v[kEight] = {}, u[kEight] = {};
  uint32_t nonzero = 0, nonfinite = 0;
};

SIGNSTEP_HD inline void sign_eight(const SignEntry& entry, bool measure, uint64_t first, uint32_t count,
                                   EightSums& sums) {
  const DeviceTensor& t = entry.tensor;
  const SignBlock& b = entry.block;
  const bool has_m = b.m != nullptr, scaled = !measure && b.maximum != nullptr;
  float x[kEight] = {}, g[kEight] = {}, m[kEight] = {}, maximum[kEight] = {};
  load_eight(t.g, t.g_type, t.vectors, first, count, g);
  if (!measure) load_eight(t.x, t.x_type, t.vectors, first, count, x);
  if (has_m) load_eight(b.m, ElementType::kFloat32, t.vectors, first, count, m);
  if (scaled) load_eight(b.maximum, ElementType::kFloat32, t.vectors, first, count, maximum);
  const EightDraws draws(b, first);
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kEight; ++j) {
    if (j >= count) continue;
    SignElement e;
    e.x = x[j];
    e.g = g[j];
    e.m = m[j];
    e.maximum = maximum[j];
    if (!average_element(b, measure, draws[j], first + j, e)) {
      ++sums.nonfinite;
      continue;
    }
    if (b.sums != StepSums::kNone) sums.u[j] = b.square_of_gradient ? e.g : e.u;
    if (measure) continue;
    step_element(b, draws[j], first + j, e);
    if (b.sums == StepSums::kAll) {
      sums.s[j] = e.s;
      sums.v[j] = b.v_is_momentum ? e.m : e.g;
      sums.nonzero += e.s != 0;
    }
    x[j] = e.x;
    m[j] = e.m;
    maximum[j] = e.maximum;
  }
  if (measure) return;
  store_x(t, first, count, x);
  if (has_m) store_eight(b.m, t.vectors, first, count, m);
  if (scaled) store_eight(b.maximum, t.vectors, first, count, maximum);
}

// Without sums: each block on its own, in one launch.
template <class Grid>
SIGNSTEP_HD inline void sign_body(Grid& grid, FoundTensor& shared, const StepTable<SignEntry>& table) {
  find_tensor(grid, shared.tensor, table);
  const BlockRange range = range_of(table, shared.tensor, grid.block());
  grid.each([&](uint32_t thread) {
    for (uint64_t first = range.begin + thread * kEight; first < range.end; first += kTurnElements) {
      EightSums sums;
      sign_eight(table.entries[range.tensor], false, first, count_of(first, range.end), sums);
      if (sums.nonfinite != 0) grid.add(&table.statistics[range.tensor].nonfinite, sums.nonfinite);
    }
  });
}

// The lanes of lane_sums.h of one turn's elements, in index order.
SIGNSTEP_HD inline void add_lanes(StepShared& shared, uint32_t thread, uint32_t elements) {
  const uint32_t sum = thread / kWarp, lane = thread % kWarp;
  if (sum >= kStepSums || lane >= kSumLanes) return;
  const float* const a = sum == 0 ? shared.s : sum == 1 ? shared.v : shared.u;
  const float* const b = sum == 2 ? shared.u : shared.v;
  double total = shared.lane[sum][lane];
  for (uint32_t i = lane; i < elements; i += kSumLanes)
    total += static_cast<double>(a[i]) * static_cast<double>(b[i]);  // exact before the addition
  shared.lane[sum][lane] = total;
}

template <class Grid>
SIGNSTEP_HD inline void sign_sums_body(Grid& grid, StepShared& shared, const StepTable<SignEntry>& table) {
  find_tensor(grid, shared.tensor, table);
  const BlockRange range = range_of(table, shared.tensor, grid.block());
  grid.each([&](uint32_t thread) {
    shared.nonzero[thread] = shared.nonfinite[thread] = 0;
    if (thread < kStepSums * kSumLanes) shared.lane[thread / kSumLanes][thread % kSumLanes] = 0;
  });
  for (uint64_t begin = range.begin; begin < range.end; begin += kTurnElements) {
    grid.each([&](uint32_t thread) {
      const uint64_t first = begin + thread * kEight;
      const uint32_t count = count_of(first, range.end);
      EightSums sums;
      if (count > 0) sign_eight(table.entries[range.tensor], table.measure, first, count, sums);
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kEight; ++j) {
        shared.s[thread * kEight + j] = sums.s[j];
        shared.v[thread * kEight + j] = sums.v[j];
        shared.u[thread * kEight + j] = sums.u[j];
      }
      shared.nonzero[thread] = static_cast<uint16_t>(shared.nonzero[thread] + sums.nonzero);
      shared.nonfinite[thread] = static_cast<uint16_t>(shared.nonfinite[thread] + sums.nonfinite);
    });
    const uint64_t rest = range.end - begin;
    grid.each([&](uint32_t thread) {
      add_lanes(shared, thread, rest < kTurnElements ? static_cast<uint32_t>(rest) : kTurnElements);
    });
  }
  grid.each([&](uint32_t thread) {
    BlockSums& out = table.sums[grid.block()];
    if (thread == 0) out.s_dot_v = lanes_total(shared.lane[0]);
    if (thread == kWarp) out.v_dot_v = lanes_total(shared.lane[1]);
    if (thread == 2 * kWarp) out.u_dot_u = lanes_total(shared.lane[2]);
    if (thread != 3 * kWarp) return;
    out.nonzero = out.nonfinite = 0;
    for (uint32_t k = 0; k < kStepThreads; ++k) {
      out.nonzero += shared.nonzero[k];
      out.nonfinite += shared.nonfinite[k];
    }
  });
}

template <class Grid>
SIGNSTEP_HD inline void sgd_body(Grid& grid, FoundTensor& shared, const StepTable<SgdEntry>& table) {
  find_tensor(grid, shared.tensor, table);
  const BlockRange range = range_of(table, shared.tensor, grid.block());
  grid.each([&](uint32_t thread) {
    const DeviceTensor& t = table.entries[range.tensor].tensor;
    const SgdBlock& b = table.entries[range.tensor].block;
    for (uint64_t first = range.begin + thread * kEight; first < range.end; first += kTurnElements) {
      const uint32_t count = count_of(first, range.end);
      float x[kEight] = {}, g[kEight] = {}, d[kEight] = {};
      load_eight(t.x, t.x_type, t.vectors, first, count, x);
      load_eight(t.g, t.g_type, t.vectors, first, count, g);
      if (b.d != nullptr) load_eight(b.d, ElementType::kFloat32, t.vectors, first, count, d);
      uint32_t nonfinite = 0;
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kEight; ++j) {
        if (j >= count) continue;
        SgdElement e{x[j], g[j], d[j]};
        nonfinite += !sgd_element(b, e);
        x[j] = e.x;
        d[j] = e.d;
      }
      store_x(t, first, count, x);
      if (b.d != nullptr) store_eight(b.d, t.vectors, first, count, d);
      if (nonfinite != 0) grid.add(&table.statistics[range.tensor].nonfinite, nonfinite);
    }
  });
}

}  // namespace signstep
