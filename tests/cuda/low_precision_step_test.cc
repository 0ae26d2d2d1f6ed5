// SPDX-License-Identifier: Apache-2.0
// Parameters in float16 and bfloat16: what the scalar specification gives in float32, rounded.
#include <gtest/gtest.h>

#include "signstep/cuda/device_steps.h"
#include "signstep/cuda/entries.h"
#include "signstep/kernels/dither_draw.h"
#include "tests/cuda/device_array.h"
#include "tests/kernels/each_target.h"
#include "tests/kernels/step_cases.h"

namespace signstep {
namespace {

class LowPrecisionStep : public DeviceTest {};

// One tensor: its arrays in float32 and, x and g, as they lie on the device.
struct Typed {
  Typed(ElementType x_type_in, ElementType g_type_in, size_t n, size_t shift_in)
      : x_type(x_type_in), g_type(g_type_in), shift(shift_in), list({n}, 40 + n, true) {
    for (float& x : list.x) x = float_of_bits(x_type, nearest_bits(x_type, x));
    if (g_type != ElementType::kFloat32)
      for (float& g : list.g) g = float_of_bits(g_type, nearest_bits(g_type, g));
  }
  // The numbers as 16 bits each, `shift` places into the array.
  std::vector<uint16_t> bits(const std::vector<float>& values, ElementType type) const {
    std::vector<uint16_t> out(shift);
    for (const float value : values) out.push_back(nearest_bits(type, value));
    return out;
  }
  std::vector<float> shifted(const std::vector<float>& values) const {
    std::vector<float> out(shift);
    out.insert(out.end(), values.begin(), values.end());
    return out;
  }

  ElementType x_type, g_type;
  size_t shift;
  TensorList list;
};

struct Rounding {
  bool stochastic;
  uint64_t seed, step;
};

// x as the device should leave it.
std::vector<uint16_t> rounded(const Typed& t, const Rounding& rounding, const std::vector<float>& stepped) {
  std::vector<uint16_t> out = t.bits(stepped, t.x_type);
  if (!rounding.stochastic) return out;
  const Stream draws(rounding.seed, Purpose::kRounding, rounding.step, 5);
  for (size_t i = 0; i + 1 < stepped.size(); ++i)  // the last is the list's own gap
    out[t.shift + i] = stochastic_bits(t.x_type, stepped[i], dither_halfword(draws, i));
  return out;
}

template <class MakeEntry, class Reference>
void expect_rounded(Typed t, const Rounding& rounding, const StepTensor& like, MakeEntry&& entry,
                    Reference&& reference) {
  const DeviceArray<uint16_t> x(t.bits(t.list.x, t.x_type)), narrow_g(t.bits(t.list.g, t.g_type));
  const DeviceArray<float> m(t.shifted(t.list.m)), g(t.shifted(t.list.g));
  DeviceArrays arrays;
  arrays.x = x.data() + t.shift;
  arrays.x_type = t.x_type;
  arrays.g_type = t.g_type;
  arrays.g =
      t.g_type == ElementType::kFloat32 ? static_cast<const void*>(g.data() + t.shift) : narrow_g.data() + t.shift;
  arrays.stochastic = rounding.stochastic;
  arrays.seed = rounding.seed;
  arrays.step = rounding.step;
  StepTensor tensor = t.list.tensors()[0];
  tensor.index = 5;
  tensor.sigma = like.sigma;
  tensor.sgd_rate = like.sgd_rate;
  StepTensor there = tensor;
  there.m = m.data() + t.shift;
  DeviceSteps steps(0);
  entry(steps, arrays, there);
  steps.launch(nullptr);
  StepStatistics want;
  reference(tensor, want);
  expect_same(steps.read()[0], want);
  ASSERT_EQ(x.values(), rounded(t, rounding, t.list.x));
  const std::vector<float> new_m = m.values();
  ASSERT_TRUE(same_bits(std::vector<float>(new_m.begin() + static_cast<ptrdiff_t>(t.shift), new_m.end()), t.list.m));
}

constexpr ElementType kLow[] = {ElementType::kFloat16, ElementType::kBFloat16};

TEST_F(LowPrecisionStep, SignsEqualTheReferenceRounded) {
  size_t seen = 0;
  for (const StepCase& c : every_step_case()) {
    if (++seen % 7 != 0 || c.scaled || !c.state) continue;  // a seventh of them, of every kind
    SCOPED_TRACE(c.name);
    for (const ElementType type : kLow)
      for (const ElementType g_type : {type, ElementType::kFloat32})
        for (const size_t n : {1, 9, 256, 4099})
          for (const size_t shift : {0, 1})
            for (const bool stochastic : {false, true}) {
              StepTensor like;
              like.sigma = c.sigma;
              like.sgd_rate = c.sgd_rate;
              expect_rounded(
                  Typed(type, g_type, n, shift), {stochastic, 0x1234567890, 0x100000003}, like,
                  [&](DeviceSteps& steps, const DeviceArrays& arrays, const StepTensor& t) {
                    steps.set(std::vector{sign_entry(arrays, t, c.step)}, false);
                  },
                  [&](const StepTensor& t, StepStatistics& want) {
                    sign_step_ref({&t, 1}, c.step, {&want, 1});
                  });
              if (HasFailure()) return;
            }
  }
}

TEST_F(LowPrecisionStep, TheSgdPhaseEqualsTheReferenceRounded) {
  const SgdPhaseStep step{.mu = 0.9, .decay_factor = 0.999, .l2 = 0.01};
  StepTensor like;
  like.sgd_rate = 0.03;
  for (const ElementType type : kLow)
    for (const bool stochastic : {false, true})
      expect_rounded(
          Typed(type, type, 5003, 0), {stochastic, 3, 9}, like,
          [&](DeviceSteps& steps, const DeviceArrays& arrays, const StepTensor& t) {
            const std::vector<SgdEntry> entries = {sgd_entry(arrays, t, step)};
            steps.set(entries);
          },
          [&](const StepTensor& t, StepStatistics& want) {
            sgd_phase_step_ref({&t, 1}, step, {&want, 1});
          });
}

}  // namespace
}  // namespace signstep
