// SPDX-License-Identifier: Apache-2.0
// EF-SignSGD (Karimireddy et al. 2019, arXiv 1901.09847, algorithm 1), tensor by tensor: what a sign step leaves out is
// kept in e and added to the next. With u = b m + (1 - b) g, m = u:
//
//   p = lr u + e;  D = (|p|_1 / n) sign(p);  x = k x - D;  e = p - D,  k = 1 - lr decay
//
// Over ranks each has an m and an e of its own, and the mean of their D becomes scaled signs once more, of which e_mean
// is what that leaves out (scaled_vote.h): then x - (mean of e) - e_mean moves by -lr (mean of u), as if no bit had
// been lost. sign(0) is a coin. State: e, m for b > 0, e_mean of more than one worker.
#pragma once

#include <optional>

#include "signstep/optim/rule_table.h"

namespace signstep {

struct ErrorFeedbackOptions final : RuleOptions {
  std::optional<double> learning_rate;           // > 0, of SGD's size; auto: 0.1
  std::optional<double> momentum;                // [0, 1): b; auto: 0.9, the algorithm's own is 0
  std::optional<double> decoupled_weight_decay;  // >= 0; auto: 0

  void describe(OptionList& list) override;
  void resolve() override;
  std::unique_ptr<UpdateRule> make(const RuleContext& context) const override;
};

RuleFamily error_feedback_family();

}  // namespace signstep
