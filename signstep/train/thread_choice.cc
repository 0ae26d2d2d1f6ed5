// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/thread_choice.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "signstep/base/error.h"

namespace signstep {
namespace {

constexpr double kAlike = 1.1;     // as good as the best
constexpr double kSlower = 1.5;    // times the best: fewer still would be slower yet
constexpr double kHopeless = 3.0;  // times the best, and a second: no second look is needed
constexpr double kTrialSeconds = 0.25;
constexpr size_t kTrialImages = 128;  // more only take longer

std::vector<int64_t> candidates(int64_t most) {
  std::vector<int64_t> counts = {1, most};
  if (most > 2) counts.push_back(most - 1);
  for (int64_t n = most / 2; n > 1; n /= 2)
    if (n != counts.back()) counts.push_back(n);
  return counts;
}

}  // namespace

ThreadChoice choose_threads(int64_t most, const ForwardTime& seconds) {
  if (most <= 1) return {.threads = most, .trials = {}};
  ThreadChoice choice;
  ThreadTrial best{1, std::numeric_limits<double>::infinity()};
  for (const int64_t n : candidates(most)) {
    const ThreadTrial trial{n, seconds(n, std::max(kHopeless * best.seconds, 1.0))};
    choice.trials.push_back(trial);
    if (best.threads > 1 && trial.seconds > kSlower * best.seconds) break;
    if (trial.seconds < best.seconds) best = trial;
  }
  for (const ThreadTrial& t : choice.trials)
    if (t.seconds <= kAlike * best.seconds) choice.threads = std::max(choice.threads, t.threads);
  return choice;
}

ThreadChoice choose_threads(const EngineChoice& engine, const Network& network, const ImageShape& images,
                            size_t batch) {
  const Batch sample = random_batch(std::min(batch, kTrialImages), images);
  return choose_threads(engine.options.threads, [&](int64_t threads, double give_up) {
    EngineChoice trial = engine;
    trial.options.threads = threads;
    return forward_seconds(*trial.make(network), sample, kTrialSeconds, give_up);
  });
}

std::string fit_threads(EngineChoice& engine, const Network& network, const ImageShape& images, size_t batch) {
  if (engine.options.device != Device::kCpu) return "";
  const ThreadChoice choice = choose_threads(engine, network, images, batch);
  return choice.reason(std::exchange(engine.options.threads, choice.threads));
}

std::string ThreadChoice::reason(int64_t most) const {
  if (threads >= most) return "";
  std::vector<std::string> times;
  for (const ThreadTrial& t : trials) times.push_back(fmt::format("{:.3g} s with {}", t.seconds, t.threads));
  return fmt::format("{} thread{} of {}, because a forward pass took {}; is another process using the cores?", threads,
                     threads == 1 ? "" : "s", most, fmt::join(times, ", "));
}

}  // namespace signstep
