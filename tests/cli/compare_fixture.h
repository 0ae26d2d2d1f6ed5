// SPDX-License-Identifier: Apache-2.0
// An experiment of eight tiny runs, four of them tuning.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"

namespace signstep {

inline constexpr const char* kExperiment = R"(
title = "Tiny"
seeds = [1, 2]
tuning_seeds = [101]
[train]
dataset = "cifar10"
width = 4
epochs = 2
batch = 50
validation = 50
precision = "fp32"
crop = false
[[method]]
name = "SGD"
optimizer = "sgd"
crop = true
[method.tune]
learning_rate = [0.02, 0.1]
[[method]]
name = "Signum"
optimizer = "signum"
[method.tune]
learning_rate = [1e-3, 3e-3]
)";

class CompareTest : public testing::Test {
 protected:
  CompareTest() {
    write_cifar10_fixture(folder_.path("data"), 40, 1);
    write_file_atomic(folder_.path("tiny.toml"), kExperiment);
  }
  std::vector<std::string> arguments(const std::string& output, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"compare",  folder_.path("tiny.toml"), "--data", folder_.path("data"),
                                    "--output", folder_.path(output),      "--jobs", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // Runs to the end and expects the exit code; gives what was printed.
  std::string run(int code, const std::string& output, const std::vector<std::string>& more = {}) const {
    Program program(arguments(output, more));
    EXPECT_EQ(program.wait(), code) << program.output();
    return program.output();
  }
  // The same with another data folder.
  std::string run_on(const std::string& data, int code, const std::string& output, const std::string& more = "") const {
    std::vector<std::string> all = {"compare",  folder_.path("tiny.toml"), "--data", folder_.path(data),
                                    "--output", folder_.path(output),      "--jobs", "2"};
    if (!more.empty()) all.push_back(more);
    Program program(all);
    EXPECT_EQ(program.wait(), code) << program.output();
    return program.output();
  }
  // Every file below a folder with its content.
  std::map<std::string, std::string> files_in(const std::string& folder) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path(folder)))
      if (entry.is_regular_file()) files[entry.path().string()] = read_text_file(entry.path().string());
    return files;
  }
  // table.csv without the last column, the time.
  std::string table(const std::string& output) const {
    const std::string csv = read_text_file(folder_.path(output + "/table.csv"));
    std::string out;
    for (size_t begin = 0; begin < csv.size();) {
      const size_t end = csv.find('\n', begin), comma = csv.rfind(',', end);
      out += csv.substr(begin, comma - begin) + "\n";
      begin = end + 1;
    }
    return out;
  }
  TemporaryFolder folder_;
};

}  // namespace signstep
