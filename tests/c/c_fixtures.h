// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "signstep/c/signstep.h"

namespace signstep {

struct FreeOptimizer {
  void operator()(signstep_optimizer* optimizer) const { signstep_optimizer_free(optimizer); }
};
using OptimizerPointer = std::unique_ptr<signstep_optimizer, FreeOptimizer>;

inline OptimizerPointer make_optimizer(const std::string& options, size_t tensors) {
  signstep_optimizer* out = nullptr;
  EXPECT_EQ(signstep_optimizer_new(options.c_str(), tensors, &out), SIGNSTEP_OK) << signstep_last_error();
  return OptimizerPointer(out);
}

// f(text, size, needed) by the convention of signstep.h.
template <class F>
std::string text_of(F&& f) {
  size_t needed = 0;
  EXPECT_EQ(f(nullptr, 0, &needed), SIGNSTEP_OK) << signstep_last_error();
  std::string text(needed, ' ');
  EXPECT_EQ(f(text.data(), text.size(), &needed), SIGNSTEP_OK) << signstep_last_error();
  EXPECT_EQ(text.size(), needed);
  EXPECT_EQ(text.back(), '\0');
  text.pop_back();
  return text;
}

inline std::string state_of(const OptimizerPointer& optimizer) {
  return text_of([&](char* text, size_t size, size_t* needed) {
    return signstep_optimizer_state(optimizer.get(), text, size, needed);
  });
}

// The gradients and first values of tests/c/traces.json, which python/tests draws in the same way: a linear
// congruential generator (Knuth's MMIX) whose upper 24 bits, less 2^23, are the number times 2^-20.
class TraceNumbers {
 public:
  explicit TraceNumbers(uint64_t seed) : state_(seed) {}
  float next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<int32_t>(state_ >> 40) - (1 << 23)) * 0x1p-20f;
  }
  void fill(std::vector<float>& out) {
    for (float& v : out) v = next();
  }

 private:
  uint64_t state_;
};

// Tensors whose arrays C steps.
struct Arrays {
  explicit Arrays(const std::vector<size_t>& sizes, uint64_t seed) {
    TraceNumbers numbers(seed);
    for (const size_t n : sizes) {
      x.emplace_back(n);
      numbers.fill(x.back());
      g.emplace_back(n);
      m.emplace_back(n);
      maximum.emplace_back(n);
    }
  }
  std::vector<signstep_tensor> tensors(double lr, double decay) {
    std::vector<signstep_tensor> out;
    for (size_t i = 0; i < x.size(); ++i)
      out.push_back({x[i].data(), g[i].data(), m[i].data(), maximum[i].data(), x[i].size(), lr, decay});
    return out;
  }
  std::vector<std::vector<float>> x, g, m, maximum;
};

inline bool same_bits(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i].size() != b[i].size() ||
        (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)) != 0))
      return false;
  return true;
}

}  // namespace signstep
