// SPDX-License-Identifier: Apache-2.0
// SignSGD (Bernstein et al. 2018, arXiv 1802.04434), Signum and Lion (Chen et al. 2023, arXiv 2302.06675), one rule
// with three sets of defaults, and what may go with it: dither and the calibrated switch (docs/algorithms.md):
//
//   u = b1 m + (1 - b1) g;  m = b2 m + (1 - b2) g;  x = k x - lr sign(u),  k = 1 - lr decay
//
// SignSGD: b1 = b2 = 0. Signum: b1 = b2 = momentum. Lion: b1 = beta1, b2 = beta2. State: m where some step needs one,
// maximum for dither maximum, and SignState. The step itself is sign_optimizer.h, which signstep::SignSGD takes too.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "signstep/kernels/step.h"
#include "signstep/optim/rule_table.h"

namespace signstep {

enum class SignKind { kSignSgd, kSignum, kLion };

struct SignOptions {
  SignKind optimizer = SignKind::kSignum;
  std::optional<double> learning_rate = {};           // > 0, per step; auto: the rule's own, from resolved()
  std::optional<double> momentum = {};                // [0, 1): Signum's b
  std::optional<double> decoupled_weight_decay = {};  // >= 0: x *= 1 - lr * decay
  std::optional<double> beta1 = {}, beta2 = {};       // [0, 1): Lion
  ZeroPolicy zero = ZeroPolicy::kSkip;                // what sign(0) is (kernels/step.h)

  friend bool operator==(const SignOptions&, const SignOptions&) = default;
};

void describe(OptionList& list, SignOptions& options);

// Fills what is auto with the rule's documented default and refuses what it does not have (a momentum for SignSGD),
// what float turns into 0, 1 or infinity, and a decay that takes all of a weight at the peak rate. Throws OptionError.
SignOptions resolved(SignOptions options);

std::string rule_name(SignKind kind);     // "signum"
std::string display_name(SignKind kind);  // "Signum": of the literature, for people

// What the switch must know: the rule's own moving average m = b m + (1 - b) g, which it has from the first step on or
// not at all, and b (Signum's momentum, Lion's beta2). options must be resolved.
SwitchedRule switched_rule(const SignOptions& options);
bool keeps_average(const SignOptions& options);

// What a sign rule does in a run, from options that fit together, built once.
struct UpdatePlan {
  SignOptions optimizer;  // resolved
  DitherOptions dither;   // resolved
  SwitchPlan switching;
  uint64_t seed = 0;
  uint64_t total_steps = 1;  // of the run: what shares of the run mean
};

// Resolves all three. Throws OptionError for options that do not go together. total_steps >= 1.
UpdatePlan make_update_plan(const SignOptions& optimizer, const DitherOptions& dither = {},
                            const SwitchOptions& switching = {}, uint64_t seed = 0, uint64_t total_steps = 1);

RuleFamily sign_family();

// The rule of a plan, for who has options of C++ types.
std::unique_ptr<UpdateRule> make_sign_rule(const UpdatePlan& plan, const WorkerOptions& workers = {});

}  // namespace signstep
