// SPDX-License-Identifier: Apache-2.0
// Which engine and device auto stands for.
#include "signstep/nn/engine_table.h"

#include <gtest/gtest.h>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// "fast" computes on a CPU alone, as amx does; "able" on both, where it sees a device.
EngineTable engines(bool device) {
  const auto fp32 = [](const EngineOptions&, const Network&) { return Precision::kFp32; };
  return {{.name = "fast",
           .about = {},
           .obstacle = [](const EngineOptions& o,
                          const Network&) { return std::string(o.device == Device::kCuda ? "device is cuda" : ""); },
           .precision = fp32,
           .make = {}},
          {.name = "able",
           .about = {},
           .obstacle = [](const EngineOptions&, const Network&) { return std::string(); },
           .precision = fp32,
           .make = {},
           .sees_cuda = [device] { return device; }}};
}

EngineChoice chosen(bool device, const EngineOptions& options) {
  return choose_engine(engines(device), options, make_network({.width = 4}, 3, 10));
}

TEST(EngineTable, AutoTakesTheDeviceThatAnEngineSees) {
  const EngineChoice choice = chosen(true, {});
  EXPECT_EQ(choice.options.device, Device::kCuda);
  EXPECT_EQ(choice.options.name, "able");
  EXPECT_EQ(choice.reason, "there is a CUDA device");
}

TEST(EngineTable, AutoIsTheCpuWhereThereIsNone) {
  const EngineChoice choice = chosen(false, {});
  EXPECT_EQ(choice.options.device, Device::kCpu);
  EXPECT_EQ(choice.options.name, "fast");
  EXPECT_EQ(choice.reason, "");
}

TEST(EngineTable, WhatIsNamedDecides) {
  EXPECT_EQ(chosen(true, {.device = Device::kCpu}).options.name, "fast");
  EXPECT_EQ(chosen(true, {.name = "fast"}).options.device, Device::kCpu);
  EXPECT_EQ(chosen(true, {.name = "able"}).options.device, Device::kCuda);
  EXPECT_EQ(chosen(false, {.name = "able"}).options.device, Device::kCpu);
  EXPECT_EQ(chosen(false, {.device = Device::kCuda}).reason, "device is cuda");
  EXPECT_THROW(chosen(true, {.name = "fast", .device = Device::kCuda}), OptionError);
}

}  // namespace
}  // namespace signstep
