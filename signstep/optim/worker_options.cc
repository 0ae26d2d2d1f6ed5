// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/worker_options.h"

#include "signstep/base/error.h"

namespace signstep {

void describe(OptionList& list, WorkerOptions& o) {
  list.group("Workers");
  list.integer("workers", o.workers, Range::closed(1, static_cast<double>(kMostWorkers)), "",
               "processes that share each batch; sign rules vote with one bit a coordinate, others take the mean "
               "gradient; under torchrun its world's size")
      .role(Role::kCommon);
  list.choice("vote_ties", o.vote_ties, {"random", "plus"}, "what as many +1 as -1 give: a fair coin, or +1");
  list.integer("adversaries", o.adversaries, Range::at_least(0), "workers", "how many attack the vote, for study");
  list.choice("attack", o.attack, {"sign-flip", "random"}, "what those vote: the opposite, or coins");
}

void require_possible(const WorkerOptions& o) {
  if (o.adversaries > 0 && o.adversaries >= o.workers)
    throw OptionError(
        fmt::format("{} of {} workers are adversaries; wanted fewer, or more workers", o.adversaries, o.workers));
}

}  // namespace signstep
