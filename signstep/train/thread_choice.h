// SPDX-License-Identifier: Apache-2.0
// How many threads a run gets where the user leaves it open. All cores are right on a machine of one's own; beside
// another busy process they can be 40 times slower than one thread, because every parallel region waits for the thread
// that has no core. So the run times itself when it starts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "signstep/nn/engine_table.h"
#include "signstep/train/speed_probe.h"

namespace signstep {

struct ThreadTrial {
  int64_t threads;
  double seconds;  // of one forward pass
};

struct ThreadChoice {
  int64_t threads = 1;
  std::vector<ThreadTrial> trials;  // in the order in which they were timed; empty where there was no choice
  // Why fewer than most, with the times; "" where most were taken.
  std::string reason(int64_t most) const;
};

// seconds(n, give_up): of a forward pass with n threads; it may stop early once that is above give_up.
using ForwardTime = std::function<double(int64_t threads, double give_up)>;

// Times 1 thread, which waits for nobody, then most, most - 1, half, a quarter, ..., and stops where fewer become
// slower than the best by half. The largest number within a tenth of the best is taken: on a quiet machine always most.
ThreadChoice choose_threads(int64_t most, const ForwardTime& seconds);

// For a run of that network on a CPU; the engine as choose_engine left it, most threads in them. Costs about a quarter
// of a second a trial, or two forward passes where those take longer.
ThreadChoice choose_threads(const EngineChoice& engine, const Network& network, const ImageShape& images, size_t batch);

// The same, written into the engine's options; no choice for another device. Returns why fewer than most, or "".
std::string fit_threads(EngineChoice& engine, const Network& network, const ImageShape& images, size_t batch);

}  // namespace signstep
