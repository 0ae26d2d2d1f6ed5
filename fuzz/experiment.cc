// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/experiment.h"

#include "fuzz/target.h"

namespace signstep::fuzz {

void read(std::span<const uint8_t> bytes) { parse_experiment(text_of(bytes), "fuzz.toml"); }

std::vector<std::string> seeds() {
  return {R"(title = "t"
baseline = "A"
seeds = [1, 2]
tuning_seeds = [101]
[train]
dataset = "cifar10"
epochs = 1
[grid]
batch = [32, 128]
[tune]
learning_rate = [0.1, 0.01]
[[method]]
name = "A"
optimizer = "signum"
paper = 93.4
[[method]]
name = "B"
optimizer = "sgd"
[method.tune]
learning_rate = [0.1, 0.2]
[paper]
source = "s"
differences = ["d"]
)"};
}

}  // namespace signstep::fuzz
