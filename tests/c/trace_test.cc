// SPDX-License-Identifier: Apache-2.0
// One trace for every language: traces.json has the options of runs and the SHA-256 of the values that they end with.
// The C++ optimizer and the C interface are held against it here, the Python package in python/tests.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "signstep/io/checksum.h"
#include "signstep/io/config.h"
#include "signstep/optim/sign_optimizer.h"
#include "signstep/optim/sign_run_options.h"
#include "tests/c/c_fixtures.h"

namespace signstep {
namespace {

using nlohmann::json;

json read_traces() {
  std::ifstream file(SIGNSTEP_TRACES);
  EXPECT_TRUE(file.good());
  return json::parse(file);
}

std::string digest(const std::vector<std::vector<float>>& values) {
  std::string bytes;
  for (const auto& v : values) bytes.append(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float));
  return sha256_hex(std::as_bytes(std::span(bytes)));
}

struct Trace {
  json file = read_traces();
  std::vector<size_t> sizes = file["sizes"];
  uint64_t steps = file["steps"], seed = file["seed"];

  // f(gradients of step t, rate) for each step; the rate falls linearly.
  template <class F>
  std::string run(Arrays& arrays, double lr, F&& step) {
    TraceNumbers gradients(seed + 1);
    for (uint64_t t = 0; t < steps; ++t) {
      for (auto& g : arrays.g) gradients.fill(g);
      step(lr * (1.0 - static_cast<double>(t) / static_cast<double>(steps)));
    }
    return digest(arrays.x);
  }
};

TEST(Trace, CppOptimizerEndsWithTheRecordedBits) {
  Trace trace;
  for (const json& run : trace.file["runs"]) {
    SignRunOptions options;
    OptionList list;
    describe(list, options);
    from_json(run["options"], list);
    const UpdatePlan plan = make_update_plan(options);
    SignState state = make_sign_state(plan, trace.sizes.size());
    Arrays arrays(trace.sizes, trace.seed);
    SerialExecutor executor;
    KernelStepper stepper(executor);
    uint64_t t = 0;
    const std::string seen = trace.run(arrays, run["lr"], [&](double lr) {
      std::vector<StepTensor> tensors(trace.sizes.size());
      for (size_t i = 0; i < tensors.size(); ++i) {
        tensors[i].x = arrays.x[i].data();
        tensors[i].g = arrays.g[i].data();
        tensors[i].m = arrays.m[i].data();
        tensors[i].maximum = keeps_maximum(plan.dither) ? arrays.maximum[i].data() : nullptr;
        tensors[i].n = trace.sizes[i];
      }
      const std::vector<TensorRate> rates(tensors.size(), {lr, run["decay"]});
      sign_optimizer_step(plan, state, t++, tensors, rates, stepper);
    });
    EXPECT_EQ(seen, run["sha256"].get<std::string>()) << run["name"];
  }
}

TEST(Trace, CInterfaceEndsWithTheRecordedBits) {
  Trace trace;
  for (const uint32_t threads : {1u, 3u}) {
    ASSERT_EQ(signstep_set_threads(threads), SIGNSTEP_OK);
    for (const json& run : trace.file["runs"]) {
      const OptimizerPointer optimizer = make_optimizer(run["options"].dump(), trace.sizes.size());
      ASSERT_NE(optimizer, nullptr);
      Arrays arrays(trace.sizes, trace.seed);
      const std::string seen = trace.run(arrays, run["lr"], [&](double lr) {
        const auto tensors = arrays.tensors(lr, run["decay"]);
        ASSERT_EQ(signstep_optimizer_step(optimizer.get(), tensors.data(), tensors.size(), nullptr, nullptr, nullptr),
                  SIGNSTEP_OK)
            << signstep_last_error();
      });
      EXPECT_EQ(seen, run["sha256"].get<std::string>()) << run["name"];
    }
  }
}

}  // namespace
}  // namespace signstep
