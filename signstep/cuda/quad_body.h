// SPDX-License-Identifier: Apache-2.0
// Steps of float32 tensors, as most launches are: with or without m, with or without Gaussian noise of one sigma on the
// update, no sums but u.u. What step_body.h looks up for each element is known at compile time here, and a thread takes
// four elements in a row, so that a warp's loads and stores are whole lines. The bits are those of step_body.h.
#pragma once

#include <limits>

#include "signstep/cuda/step_body.h"

namespace signstep {

inline constexpr uint32_t kQuad = 4;
inline constexpr uint32_t kQuadTurn = kQuad * kStepThreads;  // elements of a turn
static_assert(kBlockElements % kQuadTurn == 0);

// What the threads of a block share where u.u is wanted. Elements that are in no sum hold zeros.
struct QuadShared {
  uint32_t tensor;
  alignas(16) float u[kBlockElements];
  double lane[kSumLanes];
  uint64_t nonfinite;
};

SIGNSTEP_HD inline uint32_t quad_of(uint64_t first, uint64_t end) {
  return first >= end ? 0 : end - first < kQuad ? static_cast<uint32_t>(end - first) : kQuad;
}

SIGNSTEP_HD inline void load_quad(const float* from, float* out) {
  const SixteenBytes all = *reinterpret_cast<const SixteenBytes*>(from);
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kQuad; ++j) out[j] = std::bit_cast<float>(all.word[j]);
}

SIGNSTEP_HD inline void store_quad(float* to, const float* in) {
  SixteenBytes all;
  SIGNSTEP_UNROLL
  for (uint32_t j = 0; j < kQuad; ++j) all.word[j] = std::bit_cast<uint32_t>(in[j]);
  *reinterpret_cast<SixteenBytes*>(to) = all;
}

// The arrays of a tensor: x, g, and m or d.
struct QuadArrays {
  float* x;
  const float* g;
  float* m;
  bool vectors;

  // Elements first .. first + count - 1, count <= 4; the rest of the four stays.
  template <bool kMomentum>
  SIGNSTEP_HD void load(uint64_t first, uint32_t count, float* x4, float* g4, float* m4) const {
    if (vectors && count == kQuad) {  // all under way before the first is waited for
      load_quad(g + first, g4);
      load_quad(x + first, x4);
      if (kMomentum) load_quad(m + first, m4);
      return;
    }
    for (uint32_t j = 0; j < count; ++j) {
      g4[j] = g[first + j];
      x4[j] = x[first + j];
      if (kMomentum) m4[j] = m[first + j];
    }
  }

  template <bool kMomentum>
  SIGNSTEP_HD void store(uint64_t first, uint32_t count, const float* x4, const float* m4) const {
    if (vectors && count == kQuad) {
      store_quad(x + first, x4);
      if (kMomentum) store_quad(m + first, m4);
      return;
    }
    for (uint32_t j = 0; j < count; ++j) {
      x[first + j] = x4[j];
      if (kMomentum) m[first + j] = m4[j];
    }
  }
};

// A SignBlock for sign_element.h. What is looked at once in thousands of elements stays in memory.
template <bool kMomentum, bool kDrawn>
struct QuadBlock {
  SIGNSTEP_HD explicit QuadBlock(const SignBlock& b)
      : b1(b.b1),
        a1(b.a1),
        b2(b.b2),
        a2(b.a2),
        lr(b.lr),
        decay_factor(b.decay_factor),
        sigma(b.sigma),
        zero(b.zero),
        coins(b.coins),
        rare(b) {}

  float b1, a1, b2, a2, lr, decay_factor, sigma;
  ZeroPolicy zero;
  const Stream& coins;
  const SignBlock& rare;

  struct Present {};  // asked no more than whether it is null
  static constexpr Present here{};
  static constexpr const Present* m = kMomentum ? &here : nullptr;
  static constexpr const float* maximum = nullptr;
  static constexpr Noise noise = kDrawn ? Noise::kBernoulli : Noise::kNone;
  static constexpr bool uniform = false, mean = false, sgd_along_gradient = false;
  static constexpr float sgd_rate = 0;
};

// One element's draw of a Gaussian dither. The filter takes u times 1 / sigma where that is a normal number, as
// kernels/dither-inl.h.
struct QuadDraw {
  const Stream& refinement;
  float inverse, margin;
  int16_t h;

  SIGNSTEP_HD float xi(size_t) const { return 0; }  // of other noise

  SIGNSTEP_HD bool is_plus(float u, float sigma, size_t i) const {
    const float decided = dither_filter(u * inverse, true) - static_cast<float>(h);
    bool plus = decided >= margin;
    if (!plus && !(decided <= -margin)) plus = dither_is_plus(u, sigma, h, refinement.word(i));
    return plus;
  }
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
    const Range range = range_of(table, shared.tensor, grid.block());
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
    const Range range = range_of(table, shared.tensor, grid.block());
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
    const Range range = range_of(table, shared.tensor, grid.block());
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
    const Range range = range_of(table, shared.tensor, grid.block());
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
