// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/cpu_quota.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

class CpuQuota : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = folder_.path(file);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::optional<double> quota() { return cpu_quota(folder_.path("self"), folder_.path("mount")); }

  TemporaryFolder folder_;
};

TEST_F(CpuQuota, TheSmallestOfTheGroupAndItsParentsCounts) {
  write("self", "0::/batch/job7/step\n");
  EXPECT_FALSE(quota());
  write("mount/batch/job7/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota(), 4);
  write("mount/batch/job7/step/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 4);
  write("mount/batch/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CpuQuota, AContainerSeesItsOwnGroupAsTheRoot) {
  write("self", "0::/docker/not-visible-from-inside\n");
  write("mount/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(CpuQuota, Version1NamesItsControllers) {
  write("self", "9:cpuset:/other\n4:cpu,cpuacct:/job\n");
  write("mount/cpu/other/cpu.cfs_quota_us", "100000");
  write("mount/cpu/other/cpu.cfs_period_us", "100000");
  EXPECT_FALSE(quota());
  write("mount/cpu/job/cpu.cfs_quota_us", "300000");
  write("mount/cpu/job/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(), 3);
  write("mount/cpu/job/cpu.cfs_quota_us", "-1");
  EXPECT_FALSE(quota());
}

TEST_F(CpuQuota, WhatCannotBeReadLimitsNothing) {
  EXPECT_FALSE(quota());
  write("self", "no colons\n0::relative\n::\n0::\n");
  write("mount/relative/cpu.max", "1 1");
  EXPECT_FALSE(quota());
}

}  // namespace
}  // namespace signstep
