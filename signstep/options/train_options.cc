// SPDX-License-Identifier: Apache-2.0
#include "signstep/options/train_options.h"

#include <filesystem>
#include <limits>

#include "signstep/base/error.h"
#include "signstep/data/epoch_size.h"
#include "signstep/optim/optimizer.h"

namespace signstep {

void describe(OptionList& list, TrainOptions& o) {
  list.group("Data");
  list.choice("dataset", o.dataset, dataset_names(), "which images").role(Role::kCommon);
  list.text("data", o.data, "folder of the data set; empty: $SIGNSTEP_DATA, ./data, then the system path")
      .role(Role::kResumable)
      .role(Role::kProtocol)
      .role(Role::kCommon);
  list.choice("labels", o.labels, label_names(), "of CIFAR-100: 100 classes or 20");
  list.integer("image_size", o.image_size, Range::closed(0, 256), "pixels",
               "side to which pictures of --dataset folder are cut and scaled; 0: they are squares of one size");
  list.integer("validation", o.validation, Range::at_least(0), "images",
               "how many are held out of the training set; 0 trains on everything")
      .role(Role::kCommon);
  list.integer("limit_train", o.limit_train, Range::at_least(0), "images",
               "train on this many of the others; 0: on all of them")
      .role(Role::kCommon);
  list.flag("crop", o.augment.crop, "random crops of the image padded by 4");
  list.flag("flip", o.augment.flip, "random horizontal flips");
  list.integer("cutout", o.augment.cutout, Range::closed(0, kLargestCutout), "pixels",
               "side of a square of zeros at a random place; 0: none");
  describe(list, o.network);
  describe(list, o.optimizer);
  describe(list, o.dither);
  describe(list, o.switching);
  describe(list, o.schedule);
  list.group("Training");
  list.integer("epochs", o.epochs, Range::closed(1, 100000), "", "passes over the training images")
      .role(Role::kExtendable)
      .role(Role::kCommon);
  list.integer("batch", o.batch, Range::closed(1, 65536), "images", "per step").role(Role::kCommon);
  list.seed("seed", o.seed, "of weights, order, augmentation and every other draw")
      .role(Role::kProtocol)
      .role(Role::kRepetition)
      .role(Role::kCommon);
  list.choice("on_nonfinite", o.on_nonfinite, {"stop", "skip"},
              "what a NaN or infinite gradient does: stop the run, or skip those coordinates");
  list.number(
          "diverged_above", o.diverged_above, Range::at_least(0), "",
          "a run is stopped as diverged when an epoch's mean loss is above that of guessing, and this many times it "
          "or the first epoch's, whichever is less; 0: never")
      .role(Role::kResumable)
      .older = [] { return std::string("0"); };
  list.choice("test_when", o.test_when, {"epoch", "end", "never"},
              "accuracy on the test images is measured after each epoch, after the last, or not")
      .role(Role::kResumable)
      .role(Role::kProtocol);
  list.text("init", o.init, "start from the weights of this safetensors file")
      .role(Role::kResumable)
      .role(Role::kProtocol);
  list.text("init_sha256", o.init_sha256, "checksum that this file must have; empty: any");
  describe(list, o.workers);
  list.group("Machine");
  describe(list, o.engine);
  list.integer("loader_threads", o.loader_threads, Range::closed(1, 64), "", "threads that prepare images")
      .role(Role::kResumable)
      .role(Role::kProtocol);
  list.group("Run folder");
  list.text("output", o.output, "folder that the run is written to")
      .role(Role::kResumable)
      .role(Role::kProtocol)
      .role(Role::kCommon);
  list.integer("checkpoint_every", o.checkpoint_every, Range::at_least(0), "steps", "0: at the end of each epoch only")
      .role(Role::kResumable);
  list.integer("analyze_every", o.analyze_every, Range::at_least(0), "steps",
               "log signal and noise of the gradient, at the cost of another pass; 0: never")
      .role(Role::kResumable);
}

OptionList option_list(TrainOptions& options) {
  OptionList list;
  describe(list, options);
  return list;
}

TrainOptions with_absolute_paths(TrainOptions o) {
  for (std::string* path : {&o.data, &o.init}) {
    std::error_code error;
    const auto whole = std::filesystem::absolute(*path, error);
    if (!path->empty() && !error) *path = whole.string();
  }
  return o;
}

bool can_be_longer(const TrainOptions& o) {
  const bool constant_dither = o.dither.dither == DitherKind::kNone || o.dither.dither_shape == DitherShape::kConstant;
  return o.schedule.schedule == ScheduleKind::kConstant && o.schedule.warmup == 0 && constant_dither &&
         o.switching.switch_when == SwitchWhen::kNever;
}

TrainOptions resolved(TrainOptions o) {
  option_list(o).validate();
  require_possible(o.workers);
  const auto workers = static_cast<size_t>(o.workers.workers);
  if (workers > 1 && o.optimizer.takes_sign() && o.optimizer.get("zero") == "skip") o.optimizer.set("zero", "random");
  require_equal_shares(static_cast<size_t>(o.batch), workers);
  if (workers > 1 && o.analyze_every > 0)
    throw OptionError("analyze_every measures the gradient of one worker; leave it out, or use one");
  resolve(o.optimizer, o.dither, o.switching);
  o.network = resolved(o.network);
  // Refuses what cannot be in a run of any length.
  const auto rule =
      make_rule(o.optimizer, o.dither, o.switching, o.seed, std::numeric_limits<uint32_t>::max(), o.workers);
  if (workers > 1) rule->require_ranks(workers);
  if (o.workers.adversaries > 0 && !rule->joins_ranks())
    throw OptionError(
        fmt::format("adversaries attack a vote, and {} takes the mean gradient; leave them out, or choose "
                    "a sign rule",
                    o.optimizer.rule().name));
  return o;
}

}  // namespace signstep
