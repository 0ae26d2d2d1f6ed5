// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/speed_watch.h"

#include <fmt/format.h>

namespace signstep {
namespace {

constexpr double kFirstSeconds = 10, kWindowSeconds = 30;
constexpr uint64_t kSteps = 5;
constexpr double kFar = 1.0 / 3, kRecovered = 2.0 / 3;

}  // namespace

std::string SpeedWatch::Fall::text(int64_t threads) const {
  std::string out = fmt::format(
      "training has slowed down from {:.0f} to {:.0f} images/s; another process may be using the cores", began, now);
  if (threads == 1) return out;
  return out + fmt::format(
                   ", and {} threads then wait for each other at every operation: end it, or train with "
                   "--threads 1 into another --output (a resumed run keeps its {} threads)",
                   threads, threads);
}

std::optional<SpeedWatch::Fall> SpeedWatch::saw(uint64_t images, double seconds) {
  images_ += images;
  seconds_ += seconds;
  ++steps_;
  if (steps_ < kSteps || seconds_ < (began_ == 0 ? kFirstSeconds : kWindowSeconds)) return std::nullopt;
  const double now = static_cast<double>(images_) / seconds_;
  images_ = steps_ = 0;
  seconds_ = 0;
  if (began_ == 0) began_ = now;
  const bool fell = !fallen_ && now < kFar * began_;
  if (fell) fallen_ = true;
  if (now > kRecovered * began_) fallen_ = false;
  return fell ? std::optional(Fall{began_, now}) : std::nullopt;
}

}  // namespace signstep
