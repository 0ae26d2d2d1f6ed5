// SPDX-License-Identifier: Apache-2.0
#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <tuple>

#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_kernel.h"
#include "tests/c/c_fixtures.h"

namespace signstep {
namespace {

constexpr const char* kSwitched =
    R"({"optimizer": "signum", "dither": "relative", "switch_when": "at", "switch_step": 8, "switch_blend": 4,
        "seed": 5, "total_steps": 30})";
const std::vector<size_t> kSizes = {70, 5000};

void step(const OptimizerPointer& optimizer, Arrays& arrays, TraceNumbers& gradients, signstep_report* report = nullptr,
          signstep_passes passes = nullptr, void* context = nullptr) {
  for (auto& g : arrays.g) gradients.fill(g);
  std::vector<signstep_tensor> tensors = arrays.tensors(1e-3, 0.05);
  if (passes != nullptr) tensors[1].x = nullptr;
  ASSERT_EQ(signstep_optimizer_step(optimizer.get(), tensors.data(), tensors.size(), passes, context, report),
            SIGNSTEP_OK)
      << signstep_last_error();
}

TEST(COptimizer, RestoredInEveryPhaseGoesOnWithTheSameBits) {
  for (const int stop : {3, 10, 20}) {  // sign, blend, SGD
    OptimizerPointer optimizer = make_optimizer(kSwitched, kSizes.size());
    Arrays arrays(kSizes, 1);
    TraceNumbers gradients(2);
    for (int t = 0; t < stop; ++t) step(optimizer, arrays, gradients);
    OptimizerPointer other = make_optimizer(kSwitched, kSizes.size());
    ASSERT_EQ(signstep_optimizer_restore(other.get(), state_of(optimizer).c_str()), SIGNSTEP_OK)
        << signstep_last_error();
    EXPECT_EQ(signstep_optimizer_steps(other.get()), static_cast<uint64_t>(stop));
    Arrays copied = arrays;
    TraceNumbers same = gradients;
    for (int t = stop; t < 30; ++t) {
      step(optimizer, arrays, gradients);
      step(other, copied, same);
    }
    EXPECT_TRUE(same_bits(arrays.x, copied.x)) << stop;
    EXPECT_TRUE(same_bits(arrays.m, copied.m)) << stop;
    EXPECT_EQ(state_of(optimizer), state_of(other));
  }
}

// A host that flushes denormals, or rounds otherwise, changes no bit.
TEST(COptimizer, TheHostsFloatsDoNotMatter) {
  const unsigned before = _mm_getcsr();
  const auto walk = [&](unsigned host) {
    OptimizerPointer optimizer = make_optimizer(kSwitched, kSizes.size());
    Arrays arrays(kSizes, 1);
    TraceNumbers gradients(2);
    for (int t = 0; t < 20; ++t) {
      for (auto& g : arrays.g) gradients.fill(g);
      std::fill_n(arrays.g[1].begin(), 3000, 1e-40f);
      std::vector<signstep_tensor> tensors = arrays.tensors(1e-3, 0.05);
      _mm_setcsr(before | host);
      const int code = signstep_optimizer_step(optimizer.get(), tensors.data(), 2, nullptr, nullptr, nullptr);
      const unsigned after = _mm_getcsr();
      _mm_setcsr(before);
      EXPECT_EQ(code, SIGNSTEP_OK) << signstep_last_error();
      EXPECT_EQ(after & ~0x3fu, (before | host) & ~0x3fu);
    }
    return std::tuple(arrays.x, arrays.m, state_of(optimizer));
  };
  const auto [x, m, state] = walk(0);
  EXPECT_NE(m[1][7], 0) << "an average of denormals";
  for (const unsigned host : {0x8040u, 0x4000u}) {  // flushing both ways; rounding up
    const auto [its_x, its_m, its_state] = walk(host);
    EXPECT_TRUE(same_bits(its_x, x)) << host;
    EXPECT_TRUE(same_bits(its_m, m)) << host;
    EXPECT_EQ(its_state, state) << host;
  }
}

// One of them gets the shared threads, the others find them busy.
TEST(COptimizer, StepAtOnceWithTheBitsOfOneAfterTheOther) {
  const uint32_t threads = signstep_threads();
  ASSERT_EQ(signstep_set_threads(3), SIGNSTEP_OK);
  const std::vector<size_t> sizes = {70, 40000};
  const auto walk = [&](uint64_t seed) {
    OptimizerPointer optimizer = make_optimizer(kSwitched, sizes.size());
    Arrays arrays(sizes, seed);
    TraceNumbers gradients(seed + 1);
    for (int t = 0; t < 15; ++t) step(optimizer, arrays, gradients);
    return std::move(arrays.x);
  };
  std::vector<std::vector<std::vector<float>>> together(4);
  std::vector<std::thread> callers;
  for (size_t i = 0; i < together.size(); ++i) callers.emplace_back([&, i] { together[i] = walk(10 * i); });
  for (std::thread& caller : callers) caller.join();
  for (size_t i = 0; i < together.size(); ++i) EXPECT_TRUE(same_bits(together[i], walk(10 * i))) << i;
  EXPECT_FALSE(same_bits(together[0], together[1]));
  EXPECT_EQ(signstep_set_threads(threads), SIGNSTEP_OK);
}

TEST(COptimizer, TellsWhatAStepDid) {
  OptimizerPointer optimizer = make_optimizer(kSwitched, kSizes.size());
  Arrays arrays(kSizes, 1);
  TraceNumbers gradients(2);
  signstep_report report;
  for (int t = 0; t < 8; ++t) step(optimizer, arrays, gradients, &report);
  EXPECT_EQ(report.phase, static_cast<uint32_t>(SIGNSTEP_PHASE_SIGN));
  EXPECT_GT(report.dither_level, 0);
  EXPECT_GT(report.lambda, 0);
  ASSERT_EQ(report.has_event, 1u);
  const std::string event = text_of([&](char* text, size_t size, size_t* needed) {
    return signstep_optimizer_event(optimizer.get(), text, size, needed);
  });
  EXPECT_NE(event.find("SGD"), std::string::npos) << event;
  step(optimizer, arrays, gradients, &report);
  EXPECT_EQ(report.phase, static_cast<uint32_t>(SIGNSTEP_PHASE_BLEND));
  EXPECT_EQ(report.has_event, 0u);

  const std::vector<float> before = arrays.x[1];
  std::vector<signstep_tensor> tensors = arrays.tensors(1e-3, 0);
  arrays.g[1][7] = NAN;
  ASSERT_EQ(signstep_optimizer_step(optimizer.get(), tensors.data(), 2, nullptr, nullptr, &report), SIGNSTEP_OK);
  EXPECT_EQ(report.nonfinite, 1u);
  EXPECT_EQ(report.first_nonfinite, 1u);
  EXPECT_EQ(arrays.x[1][7], before[7]);
  EXPECT_NE(arrays.x[1][8], before[8]);
}

TEST(COptimizer, BuffersAreThoseOfTheNextStepAndOfTheRun) {
  const auto buffers = [](const char* options) {
    const OptimizerPointer o = make_optimizer(options, 1);
    return std::pair(signstep_optimizer_buffers(o.get()), signstep_optimizer_run_buffers(o.get()));
  };
  EXPECT_EQ(buffers(R"({"optimizer": "signsgd"})"), std::pair(0u, 0u));
  EXPECT_EQ(buffers("{}"), std::pair(1u, 1u));
  EXPECT_EQ(
      buffers(R"({"optimizer": "signsgd", "switch_when": "at", "switch_step": 5, "switch_direction": "gradient"})"),
      std::pair(0u, 1u));
  EXPECT_EQ(buffers(R"({"dither": "maximum", "total_steps": 9})"), std::pair(3u, 3u));
}

// Tensor 1 by the caller's passes, which are the scalar references here: the bits of the kernels.
struct Passes {
  Arrays* arrays;
  int calls = 0;
};

int reference_passes(void* context, const signstep_pass* passes, uint64_t count, signstep_statistics* statistics) {
  auto& own = *static_cast<Passes*>(context);
  ++own.calls;
  for (uint64_t k = 0; k < count; ++k) {
    const signstep_pass& p = passes[k];
    Arrays& a = *own.arrays;
    StepTensor t;
    t.x = a.x[p.tensor].data();
    t.g = a.g[p.tensor].data();
    t.m = (p.arrays & SIGNSTEP_M) ? a.m[p.tensor].data() : nullptr;
    t.n = a.x[p.tensor].size();
    t.index = p.tensor;
    t.sigma = p.sigma;
    t.sgd_rate = p.sgd_rate;
    StepStatistics out;
    if (p.kind == SIGNSTEP_PASS_SGD) {
      sgd_phase_step_ref({&t, 1}, {.mu = p.b2, .decay_factor = p.decay_factor, .l2 = p.l2}, {&out, 1});
    } else {
      SignStep s;
      s.b1 = p.b1;
      s.b2 = p.b2;
      s.lr = p.lr;
      s.decay_factor = p.decay_factor;
      s.zero = static_cast<ZeroPolicy>(p.zero);
      s.dither_on = static_cast<DitherOn>(p.dither_on);
      s.noise = static_cast<DitherNoise>(p.noise);
      s.sums = static_cast<StepSums>(p.sums);
      s.products_with = p.v_is_m ? ProductsWith::kMomentum : ProductsWith::kGradient;
      s.sgd_along = p.sgd_along_g ? SgdAlong::kGradient : SgdAlong::kAverage;
      s.seed = p.seed;
      s.step = p.step;
      s.rank = p.rank;
      if (p.kind == SIGNSTEP_PASS_MEASURE)
        sign_measure_ref({&t, 1}, s, {&out, 1});
      else
        sign_step_ref({&t, 1}, s, {&out, 1});
    }
    statistics[k] = {out.finite, out.nonfinite, out.nonzero, out.s_dot_v, out.v_dot_v, out.u_dot_u};
  }
  return 0;
}

TEST(COptimizer, TheCallersPassesStepWhatHasNoArray) {
  OptimizerPointer whole = make_optimizer(kSwitched, kSizes.size()), mixed = make_optimizer(kSwitched, kSizes.size());
  Arrays a(kSizes, 1), b(kSizes, 1);
  TraceNumbers first(2), second(2);
  Passes passes{&b};
  for (int t = 0; t < 30; ++t) {
    step(whole, a, first);
    step(mixed, b, second, nullptr, reference_passes, &passes);
  }
  EXPECT_GE(passes.calls, 31);  // one more: the measure before the first step
  EXPECT_TRUE(same_bits(a.x, b.x));
  EXPECT_TRUE(same_bits(a.m, b.m));
  EXPECT_EQ(state_of(whole), state_of(mixed));

  std::vector<signstep_tensor> tensors = b.tensors(1e-3, 0);
  tensors[0].x = nullptr;
  const auto fails = [](void*, const signstep_pass*, uint64_t, signstep_statistics*) { return 1; };
  EXPECT_EQ(signstep_optimizer_step(mixed.get(), tensors.data(), 2, fails, nullptr, nullptr), SIGNSTEP_CALLBACK);
  EXPECT_NE(std::string(signstep_last_error()).find("restore a saved state"), std::string::npos);
}

TEST(COptimizer, EachRankDrawsItsOwn) {
  const auto walk = [](uint32_t rank) {
    OptimizerPointer optimizer = make_optimizer(kSwitched, kSizes.size());
    EXPECT_EQ(signstep_optimizer_set_rank(optimizer.get(), rank), SIGNSTEP_OK);
    Arrays arrays(kSizes, 1);
    TraceNumbers gradients(2);
    step(optimizer, arrays, gradients);
    return arrays.x;
  };
  EXPECT_TRUE(same_bits(walk(3), walk(3)));
  EXPECT_FALSE(same_bits(walk(3), walk(0)));
  EXPECT_EQ(signstep_optimizer_set_rank(make_optimizer("{}", 1).get(), 0xFFFF), SIGNSTEP_OPTION);
}

TEST(COptimizer, GrowsAtTheEnd) {
  OptimizerPointer optimizer = make_optimizer(kSwitched, 1);
  Arrays one({70}, 1);
  TraceNumbers gradients(2);
  step(optimizer, one, gradients);
  ASSERT_EQ(signstep_optimizer_grow(optimizer.get(), 2), SIGNSTEP_OK) << signstep_last_error();
  Arrays two(kSizes, 1);
  step(optimizer, two, gradients);
  EXPECT_EQ(signstep_optimizer_grow(optimizer.get(), 1), SIGNSTEP_OPTION);
  const std::vector<signstep_tensor> tensors = one.tensors(1e-3, 0);
  EXPECT_EQ(signstep_optimizer_step(optimizer.get(), tensors.data(), 1, nullptr, nullptr, nullptr), SIGNSTEP_OPTION);
  EXPECT_NE(std::string(signstep_last_error()).find("the step has 1 tensors; wanted the 2"), std::string::npos);
}

}  // namespace
}  // namespace signstep
