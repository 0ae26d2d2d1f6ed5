// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/run_images.h"

#include "signstep/train/evaluate.h"

namespace signstep {
namespace {

LoaderOptions training_batches(const TrainOptions& o, size_t rank) {
  return {.batch = static_cast<size_t>(o.batch),
          .seed = o.seed,
          .shuffle = true,
          .augment = o.augment,
          .threads = static_cast<size_t>(o.loader_threads),
          .rank = rank,
          .ranks = static_cast<size_t>(o.workers.workers)};
}

}  // namespace

RunImages::RunImages(const TrainOptions& o, size_t rank)
    : data(load_dataset(o.dataset, o.data, o.labels, o.image_size)),
      split(make_split(data.train.count(), static_cast<size_t>(o.validation), static_cast<size_t>(o.limit_train))),
      training(data.train, split.train, data.normalization, training_batches(o, rank)),
      test(evaluation_loader(data.test, {}, data.normalization, o)),
      validation(split.validation.empty() ? nullptr
                                          : evaluation_loader(data.train, split.validation, data.normalization, o)) {
  if (o.analyze_every > 0) probe.emplace(data.train, split.train, data.normalization, training_batches(o, rank));
}

void RunImages::leave_raw() {
  training.leave_raw(true);
  test->leave_raw(true);
  if (validation) validation->leave_raw(true);
}

}  // namespace signstep
