// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/epoch_figures.h"

#include <cmath>

#include "signstep/base/error.h"

namespace signstep {
namespace {

bool tests_after(const TrainOptions& options, uint64_t epoch) {
  return options.test_when == TestWhen::kEpoch ||
         (options.test_when == TestWhen::kEnd && epoch == static_cast<uint64_t>(options.epochs));
}

}  // namespace

std::optional<EpochFigures> measure_epoch(Engine& engine, RunImages& images, const TrainOptions& options,
                                          uint64_t epoch, TrainObserver& observer, const std::function<bool()>& stop,
                                          Communicator* world) {
  EpochFigures figures;
  if (images.validation) {
    observer.evaluating("validation");
    figures.validation = evaluate(engine, *images.validation, stop, world);
    if (!figures.validation) return std::nullopt;
  }
  if (tests_after(options, epoch)) {
    observer.evaluating("test");
    figures.test = evaluate(engine, *images.test, stop, world);
    if (!figures.test) return std::nullopt;
    if (!std::isfinite(figures.test->loss))
      observer.warning(fmt::format("the loss on the test images after epoch {} is {}, so its accuracy says little",
                                   epoch, figures.test->loss));
  }
  return figures;
}

}  // namespace signstep
