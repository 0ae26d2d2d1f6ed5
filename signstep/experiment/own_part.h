// SPDX-License-Identifier: Apache-2.0
// Which of an experiment's runs one process of a job array does.
#pragma once

#include <vector>

#include "signstep/experiment/experiment_plan.h"

namespace signstep {

// Every shards-th run of the plan, from the shard-th on (from 1). A run's place among all of the plan's is known before
// a search has named its trial. The plan must outlive this.
class OwnPart {
 public:
  OwnPart(const ExperimentPlan& plan, size_t shard, size_t shards) : plan_(plan), shard_(shard), shards_(shards) {}

  // Of the trials that a row's search has asked for, in its order; the first `from` are left out.
  std::vector<PlannedRun> tuning(size_t row, const std::vector<size_t>& trials, size_t from) const;
  // As many as tuning will give once the search is at its end, each of trial 0.
  std::vector<PlannedRun> any_tuning(size_t row) const;
  std::vector<PlannedRun> reported(size_t row, size_t trial) const;

 private:
  bool has(size_t index) const { return index % shards_ == shard_ - 1; }

  const ExperimentPlan& plan_;
  const size_t shard_, shards_;
};

}  // namespace signstep
