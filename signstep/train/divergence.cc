// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/divergence.h"

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/runs/run_folder.h"

namespace signstep {

void require_finite_loss(double loss, uint64_t step, uint64_t epoch, double rate, const std::string& run_folder) {
  if (std::isfinite(loss)) return;
  throw DivergedError(fmt::format(
      "the loss is not finite at step {} (epoch {}, learning rate {:.3g}); lower --learning-rate or add --warmup and "
      "train into another --output; {}",
      step, epoch, rate,
      list_checkpoints(run_folder).empty() ? "there was no checkpoint yet"
                                           : "the last checkpoint of " + run_folder + " is intact"));
}

void require_bounded_loss(double loss, double first, uint64_t classes, double most, uint64_t epoch) {
  const double guessing = std::log(static_cast<double>(classes)), usual = std::min(first, guessing);
  if (most == 0 || loss <= most * usual || loss <= guessing) return;
  throw DivergedError(fmt::format(
      "the mean training loss of epoch {} is {:.4g}, more than {:g} times {} ({:.4g}); lower --learning-rate or add "
      "--warmup and train into another --output, or go on whatever it is with --diverged-above 0",
      epoch, loss, most, usual == guessing ? "that of guessing" : "the first epoch's", usual));
}

void require_finite_gradient(const StepReport& report, uint64_t step, const Network& network) {
  if (report.nonfinite == 0) return;
  throw DivergedError(fmt::format(
      "{} coordinates have a gradient or a momentum that is NaN or infinite at step {}, the first in {}; lower "
      "--learning-rate, or skip such coordinates with --on-nonfinite skip",
      report.nonfinite, step, network.parameters.at(report.first_nonfinite).name));
}

}  // namespace signstep
