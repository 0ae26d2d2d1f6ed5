// SPDX-License-Identifier: Apache-2.0
// Which engine computes gradients. Each is a record; a program makes the table of those that it was built with and
// hands it down, so training links no engine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "signstep/nn/engine.h"
#include "signstep/nn/engine_options.h"

namespace signstep {

struct EngineRecord {
  std::string name;                    // --engine NAME
  std::function<std::string()> about;  // a line for --version, such as "LibTorch 1.13.1, CPU only"; may be ""
  // Why it cannot compute that network here with these options, as the end of "... because"; "" where it can.
  std::function<std::string(const EngineOptions&, const Network&)> obstacle;
  // The precision that auto stands for. Throws OptionError for what cannot be had here.
  std::function<Precision(const EngineOptions&, const Network&)> precision;
  // Options without any auto. Parameters start at 0; see initialize().
  std::function<std::unique_ptr<Engine>(const EngineOptions&, const Network&)> make;
  // Whether it can compute on a CUDA device that is here.
  std::function<bool()> sees_cuda = [] { return false; };
};

using EngineTable = std::vector<EngineRecord>;  // auto takes the first without an obstacle

struct EngineChoice {
  EngineRecord engine;
  EngineOptions options;  // no auto left
  std::string reason;     // why auto took this engine or device and not the first of the table or the CPU, else ""

  std::unique_ptr<Engine> make(const Network& network) const { return engine.make(options, network); }
};

// Throws OptionError, with the nearest known name, where options name no engine of the table.
void require_engine(const EngineTable& engines, const EngineOptions& options);

// Device auto is cuda where an engine that may be taken sees one. Throws OptionError where what is asked for cannot be
// had here. recorded: the name is a saved run's, so another engine is no advice to give.
EngineChoice choose_engine(const EngineTable& engines, EngineOptions options, const Network& network,
                           bool recorded = false);

// "torch; not amx, because this processor has no bf16 matrix units": of a network that each of them could compute.
std::string available_engines(const EngineTable& engines, const Network& network);

}  // namespace signstep
