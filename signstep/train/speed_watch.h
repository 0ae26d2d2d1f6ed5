// SPDX-License-Identifier: Apache-2.0
// Notices when a run becomes far slower than it began: another process took its cores, or the machine throttles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace signstep {

class SpeedWatch {
 public:
  struct Fall {
    double began, now;                        // images per second
    std::string text(int64_t threads) const;  // with what would help a run of that many
  };
  // A finished step. Returns the two speeds when a window of half a minute, or of five steps where those take longer,
  // ran at less than a third of the first ten seconds' speed; again only after the speed had recovered to two thirds.
  std::optional<Fall> saw(uint64_t images, double seconds);

 private:
  double began_ = 0;  // 0: still measuring
  bool fallen_ = false;
  uint64_t images_ = 0, steps_ = 0;  // of the window under way
  double seconds_ = 0;
};

}  // namespace signstep
