// SPDX-License-Identifier: Apache-2.0
// How long planned runs will take, from speeds that were seen or measured.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "signstep/data/dataset.h"
#include "signstep/experiment/experiment_plan.h"

namespace signstep {

// Of a whole run at that many images per second of training steps, evaluation counted as a third of a step per image.
// Images: to train on (those held out among them) and to test.
double run_seconds(const TrainOptions& run, size_t train, size_t test, double images_per_second);

// Of runs that take so long alone, so many at a time: never less than the longest.
double seconds_together(const std::vector<double>& runs, size_t at_a_time);

class TimeEstimate {
 public:
  // Looks for the data set of every run and counts its images, unread. Throws DataError when one is missing, unless
  // assume_missing: then its published sizes are taken and missing() has the message.
  TimeEstimate(const ExperimentPlan& plan, const std::string& data, bool assume_missing = false);

  void saw(const PlannedRun& run, double images_per_second);
  // Of a whole run (run_seconds). The speed is that last seen at the same network, batch and engine, else any; none
  // before the first.
  std::optional<double> seconds(const PlannedRun& run) const;
  bool knows(const PlannedRun& run) const { return speed_.contains(key(run)); }
  const std::string& missing() const { return missing_; }

  using Images = DatasetCounts;  // folder: where they are; "" for published sizes
  const Images& images(const PlannedRun& run) const;

 private:
  static std::string key(const PlannedRun& run);

  std::map<std::string, Images> images_;  // by data_set_of
  std::map<std::string, double> speed_;
  std::string missing_;
};

}  // namespace signstep
