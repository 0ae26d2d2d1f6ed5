// SPDX-License-Identifier: Apache-2.0
// Steps of float32 tensors, as most launches are: with or without m, with or without Gaussian noise of one sigma on the
// update, no sums but u.u. What step_body.h looks up for each element is known at compile time here, and a thread takes
// four elements in a row, so that a warp's loads and stores are whole lines. The bits are those of step_body.h.
#pragma once

#include <limits>

#include "signstep/cuda/quad.h"
#include "signstep/cuda/step_body.h"

namespace signstep {

inline constexpr uint32_t kQuadTurn = kQuad * kStepThreads;  // elements of a turn
static_assert(kBlockElements % kQuadTurn == 0);

// What the threads of a block share where u.u is wanted. Elements that are in no sum hold zeros.
struct QuadShared {
  uint32_t tensor;
  alignas(16) float u[kBlockElements];
  double lane[kSumLanes];
  uint64_t nonfinite;
};

template <bool kMomentum, bool kDrawn>
class QuadRule {
 public:
  SIGNSTEP_HD explicit QuadRule(const SignEntry& entry)
      : arrays_{static_cast<float*>(entry.tensor.x), static_cast<const float*>(entry.tensor.g), entry.block.m,
                entry.tensor.vectors},
        b_(entry.block) {
    if (!kDrawn) return;
    const bool filter = b_.sigma >= 0x1p-126f;
    inverse_ = filter ? 1.0f / b_.sigma : 0.0f;
    margin_ = filter ? kFilterMargin : std::numeric_limits<float>::infinity();
  }

  // Steps elements first .. first + count - 1; u of them into square, unless it is null. Returns how many are not
  // finite.
  SIGNSTEP_HD uint32_t step(uint64_t first, uint32_t count, float* square) {
    float x[kQuad] = {}, g[kQuad] = {}, m[kQuad] = {};
    arrays_.load<kMomentum>(first, count, x, g, m);
    uint32_t words[kQuad / 2] = {};
    if (kDrawn) {
      const PhiloxCounter group = b_.rare.draws.group(static_cast<uint32_t>(first / 8));
      const bool high = first % 8 != 0;
      words[0] = high ? group[2] : group[0];
      words[1] = high ? group[3] : group[1];
    }
    uint32_t nonfinite = 0;
    SIGNSTEP_UNROLL
    for (uint32_t j = 0; j < kQuad; ++j) {  // those beyond count are zeros and are not stored
      SignElement e;
      e.x = x[j];
      e.g = g[j];
      e.m = m[j];
      const QuadDraw draw{b_.rare.refinement, inverse_, margin_, static_cast<int16_t>(words[j / 2] >> (j % 2 * 16))};
      const bool finite = average_element(b_, false, draw, first + j, e);
      step_element(b_, draw, first + j, e);
      nonfinite += !finite;
      x[j] = finite ? e.x : x[j];
      m[j] = finite ? e.m : m[j];
      if (square != nullptr) square[j] = !finite ? 0.0f : b_.rare.square_of_gradient ? e.g : e.u;
    }
    arrays_.store<kMomentum>(first, count, x, m);
    return nonfinite;
  }

 private:
  QuadArrays arrays_;
  QuadBlock<kMomentum, kDrawn> b_;
  float inverse_ = 0, margin_ = 0;
};

template <bool kMomentum, bool kDrawn, class Grid>
SIGNSTEP_HD inline void sign_quads_body(Grid& grid, FoundTensor& shared, const StepTable<SignEntry>& table) {
  find_tensor(grid, shared.tensor, table);
  grid.each([&](uint32_t thread) {
    const BlockRange range = range_of(table, shared.tensor, grid.block());
    QuadRule<kMomentum, kDrawn> rule(table.entries[range.tensor]);
    uint32_t nonfinite = 0;
    for (uint64_t first = range.begin + thread * kQuad; first < range.end; first += kQuadTurn)
      nonfinite += rule.step(first, quad_of(first, range.end), nullptr);
    if (nonfinite != 0) grid.add(&table.statistics[range.tensor].nonfinite, nonfinite);
  });
}

// With u.u of each block, in the order of lane_sums.h.
template <bool kMomentum, bool kDrawn, class Grid>
SIGNSTEP_HD inline void sign_quads_square_body(Grid& grid, QuadShared& shared, const StepTable<SignEntry>& table) {
  find_tensor(grid, shared.tensor, table);
  grid.each([&](uint32_t thread) {
    if (thread == 0) shared.nonfinite = 0;
  });
  grid.each([&](uint32_t thread) {
    const BlockRange range = range_of(table, shared.tensor, grid.block());
    QuadRule<kMomentum, kDrawn> rule(table.entries[range.tensor]);
    uint32_t nonfinite = 0;
    for (uint64_t first = range.begin + thread * kQuad; first < range.end; first += kQuadTurn) {
      float u[kQuad] = {};
      nonfinite += rule.step(first, quad_of(first, range.end), u);
      store_quad(shared.u + (first - range.begin), u);
    }
    if (nonfinite != 0) grid.add(&shared.nonfinite, nonfinite);
  });
  grid.each([&](uint32_t thread) {
    if (thread >= kSumLanes) return;
    const BlockRange range = range_of(table, shared.tensor, grid.block());
    const uint32_t elements = static_cast<uint32_t>(range.end - range.begin);
    double total = 0;
    for (uint32_t i = thread; i < elements; i += kSumLanes)
      total += static_cast<double>(shared.u[i]) * static_cast<double>(shared.u[i]);  // exact before the addition
    shared.lane[thread] = total;
  });
  grid.each([&](uint32_t thread) {
    if (thread != 0) return;
    BlockSums& out = table.sums[grid.block()];
    out = {0, 0, lanes_total(shared.lane), 0, static_cast<uint32_t>(shared.nonfinite)};
  });
}

template <bool kMomentum, class Grid>
SIGNSTEP_HD inline void sgd_quads_body(Grid& grid, FoundTensor& shared, const StepTable<SgdEntry>& table) {
  find_tensor(grid, shared.tensor, table);
  grid.each([&](uint32_t thread) {
    const BlockRange range = range_of(table, shared.tensor, grid.block());
    const DeviceTensor& t = table.entries[range.tensor].tensor;
    SgdBlock b = table.entries[range.tensor].block;
    const QuadArrays arrays{static_cast<float*>(t.x), static_cast<const float*>(t.g), b.d, t.vectors};
    uint32_t nonfinite = 0;
    for (uint64_t first = range.begin + thread * kQuad; first < range.end; first += kQuadTurn) {
      const uint32_t count = quad_of(first, range.end);
      float x[kQuad] = {}, g[kQuad] = {}, d[kQuad] = {};
      arrays.load<kMomentum>(first, count, x, g, d);
      b.d = kMomentum ? d : nullptr;  // asked no more than whether it is null
      SIGNSTEP_UNROLL
      for (uint32_t j = 0; j < kQuad; ++j) {
        SgdElement e{x[j], g[j], d[j]};
        nonfinite += !sgd_element(b, e);
        x[j] = e.x;
        d[j] = e.d;
      }
      arrays.store<kMomentum>(first, count, x, d);
    }
    if (nonfinite != 0) grid.add(&table.statistics[range.tensor].nonfinite, nonfinite);
  });
}

// use(QuadKind<...>{}) for what a table says of itself, known at compile time.
template <bool kMomentumValue, bool kDrawnValue>
struct QuadKind {
  static constexpr bool kMomentum = kMomentumValue, kDrawn = kDrawnValue;
};
template <class Use>
void with_quad_kind(bool momentum, bool drawn, Use&& use) {
  if (momentum)
    drawn ? use(QuadKind<true, true>{}) : use(QuadKind<true, false>{});
  else
    drawn ? use(QuadKind<false, true>{}) : use(QuadKind<false, false>{});
}

}  // namespace signstep
