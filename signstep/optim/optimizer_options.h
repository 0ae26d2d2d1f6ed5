// SPDX-License-Identifier: Apache-2.0
// Which optimizer, and its hyperparameters. docs/algorithms.md has every equation.
#pragma once

#include <cstdint>
#include <optional>

#include "signstep/base/option.h"
#include "signstep/kernels/step.h"

namespace signstep {

enum class OptimizerKind { kSignSgd, kSignum, kLion, kSgd, kAdam, kAdamW };

struct OptimizerOptions {
  OptimizerKind optimizer = OptimizerKind::kSignum;
  std::optional<double> learning_rate = {};           // > 0, per step; auto: the optimizer's own, from resolved()
  std::optional<double> momentum = {};                // [0, 1): Signum's b, SGD's mu
  std::optional<double> decoupled_weight_decay = {};  // >= 0: x *= 1 - lr * decay (sign rules, SGD, AdamW)
  std::optional<double> l2_penalty = {};              // >= 0: g += penalty * x    (SGD, Adam)
  bool nesterov = false;                              // SGD only
  std::optional<double> beta1 = {}, beta2 = {};       // [0, 1): Lion, Adam, AdamW
  double epsilon = 1e-8;                              // > 0: Adam, AdamW
  ZeroPolicy zero = ZeroPolicy::kSkip;                // what sign(0) is (core/step.h)

  friend bool operator==(const OptimizerOptions&, const OptimizerOptions&) = default;
};

void describe(OptionList& list, OptimizerOptions& options);

// Fills what is auto with the optimizer's documented default and refuses what the optimizer does not have
// (a momentum for SignSGD, an L2 penalty for AdamW, ...), what float turns into 0, 1 or infinity, and a decay that
// takes all of a weight at the peak rate. Throws OptionError.
OptimizerOptions resolved(OptimizerOptions options);

// 1 - rate * decay, by which a step multiplies the weights. Throws OptionError, calling the decay `what`, where rate is
// negative or not finite and where the factor is not in (0, 1]. resolved() asks for the peak rate, a step for its own.
double decay_factor(double rate, double decay, const char* what);

// "Signum", "SGD", ...: the names of the literature, for people.
const char* display_name(OptimizerKind kind);

bool is_sign_rule(OptimizerKind kind);

// A sign rule's own moving average m = b m + (1 - b) g: b (Signum's momentum, Lion's beta2), and whether it keeps one,
// from the first step on. options must be resolved.
double own_momentum(const OptimizerOptions& options);
bool keeps_average(const OptimizerOptions& options);

}  // namespace signstep
