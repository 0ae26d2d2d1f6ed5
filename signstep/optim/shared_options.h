// SPDX-License-Identifier: Apache-2.0
// Options that several families of rules have, each described once, and how their values are filled in and checked.
#pragma once

#include <optional>
#include <string>

#include "signstep/base/option.h"

namespace signstep {

using MaybeNumber = std::optional<double>;  // nothing: auto

// defaults: the rules' own, as the help says them: "adam and adamw 1e-3".
void describe_learning_rate(OptionList& list, MaybeNumber& value, const std::string& defaults);
void describe_momentum(OptionList& list, MaybeNumber& value);
void describe_decoupled_weight_decay(OptionList& list, MaybeNumber& value, const std::string& defaults);
void describe_l2_penalty(OptionList& list, MaybeNumber& value, const std::string& defaults);
void describe_beta1(OptionList& list, MaybeNumber& value);
void describe_beta2(OptionList& list, MaybeNumber& value);

// The rule's default in the place of auto. Where the rule has no such number (standard is nothing) and one was given,
// throws OptionError: "momentum is 0.9 and signsgd has none; leave it out" and the advice.
void fill(MaybeNumber& value, MaybeNumber standard, const char* option, const std::string& rule,
          const std::string& advice = "");
[[noreturn]] void refuse_option(const std::string& option, const std::string& value, const std::string& rule,
                                const std::string& advice);

// Throws OptionError for the first option whose value is not the default one, "switch_blend is 5 and WHY, or leave
// switch_blend out": it would have no effect.
void refuse_changed(const OptionList& options, const OptionList& defaults, const std::string& why);

// Steps compute in float: there a value above 0 must stay above 0 and finite, and a factor below 1 below 1. Throw
// OptionError.
void require_float(const char* option, MaybeNumber value);
void require_float_factor(const char* option, MaybeNumber value);

// 1 - rate * decay, by which a step multiplies the weights. Throws OptionError, calling the decay `what`, where rate is
// negative or not finite and where the factor is not in (0, 1]. resolve() asks for the peak rate, a step for its own.
double decay_factor(double rate, double decay, const char* what);

}  // namespace signstep
