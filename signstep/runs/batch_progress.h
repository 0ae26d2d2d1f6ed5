// SPDX-License-Identifier: Apache-2.0
// How far a run is: a line of `signstep train --progress-json`.
#pragma once

#include "signstep/runs/epoch_record.h"

namespace signstep {

struct BatchProgress {
  uint64_t epoch = 1, epochs = 1;   // epoch counts from 1
  uint64_t batch = 0, batches = 1;  // finished ones of this epoch
  double loss = 0, accuracy = 0;    // of the epoch so far; percent
  double images_per_second = 0;     // of this session
  double seconds_left = -1;         // of the whole run, evaluation left out; -1: not known

  template <class Self, class Visit>
  static void fields(Self& p, Visit&& visit) {
    visit("epoch", p.epoch);
    visit("epochs", p.epochs);
    visit("batch", p.batch);
    visit("batches", p.batches);
    visit("loss", p.loss);
    visit("accuracy", p.accuracy);
    visit(key_of(&EpochRecord::images_per_second), p.images_per_second);
    visit("seconds_left", p.seconds_left);
  }
};

}  // namespace signstep
