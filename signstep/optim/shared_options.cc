// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/shared_options.h"

#include <cmath>

#include "signstep/base/error.h"

namespace signstep {
namespace {

[[noreturn]] void refuse_float(const char* option, double value, const char* wanted) {
  throw OptionError(
      fmt::format("{} is {}, which is {} in float; wanted {}", option, value, static_cast<float>(value), wanted));
}

}  // namespace

void describe_learning_rate(OptionList& list, MaybeNumber& value, const std::string& defaults) {
  list.number_or_auto("learning_rate", value, Range::positive(), "per step", "peak learning rate; auto: " + defaults)
      .role(Role::kCommon);
}

void describe_momentum(OptionList& list, MaybeNumber& value) {
  list.number_or_auto("momentum", value, Range::fraction(), "", "of signum, sgd and ef-signsgd; auto: 0.9")
      .role(Role::kCommon);
}

void describe_decoupled_weight_decay(OptionList& list, MaybeNumber& value, const std::string& defaults) {
  list.number_or_auto("decoupled_weight_decay", value, Range::at_least(0), "",
                      "weights shrink by learning rate times this; auto: " + defaults)
      .role(Role::kCommon);
}

void describe_l2_penalty(OptionList& list, MaybeNumber& value, const std::string& defaults) {
  list.number_or_auto("l2_penalty", value, Range::at_least(0), "",
                      "added to the gradient times the weight; auto: " + defaults)
      .role(Role::kCommon);
}

void describe_beta1(OptionList& list, MaybeNumber& value) {
  list.number_or_auto("beta1", value, Range::fraction(), "", "of lion, adam and adamw; auto: 0.9");
}

void describe_beta2(OptionList& list, MaybeNumber& value) {
  list.number_or_auto("beta2", value, Range::fraction(), "",
                      "of lion, adam and adamw; auto: 0.99 for lion, else 0.999");
}

void refuse_option(const std::string& option, const std::string& value, const std::string& rule,
                   const std::string& advice) {
  throw OptionError(fmt::format("{} is {} and {} has none; leave it out{}{}", option, value, rule,
                                advice.empty() ? "" : "; ", advice));
}

void fill(MaybeNumber& value, MaybeNumber standard, const char* option, const std::string& rule,
          const std::string& advice) {
  if (!standard && value) refuse_option(option, fmt::format("{}", *value), rule, advice);
  if (!value) value = standard;
}

void refuse_changed(const OptionList& options, const OptionList& defaults, const std::string& why) {
  for (const Option& option : options.options()) {
    const std::string value = option.text();
    if (value != defaults.find(option.name)->text())
      throw OptionError(fmt::format("{} is {} and {}, or leave {} out", option.name, value, why, option.name));
  }
}

void require_float(const char* option, MaybeNumber value) {
  if (!value || *value == 0) return;
  const auto single = static_cast<float>(*value);
  if (!(single > 0 && std::isfinite(single)))
    refuse_float(option, *value, "one that stays finite and above 0, such as 1e-8");
}

void require_float_factor(const char* option, MaybeNumber value) {
  if (value && !(static_cast<float>(*value) < 1))
    refuse_float(option, *value, "one that stays below 1, such as 0.9999");
}

double decay_factor(double rate, double decay, const char* what) {
  if (!std::isfinite(static_cast<float>(rate)) || rate < 0)
    throw OptionError(fmt::format("the learning rate is {}; wanted a rate of at least 0 that float32 holds", rate));
  const double factor = 1.0 - rate * decay;
  if (static_cast<float>(factor) > 0 && factor <= 1) return factor;
  throw OptionError(
      fmt::format("{} is {} at a rate of {}, so each step would multiply the weights by {}; wanted rate times decay in "
                  "[0, 1); lower one of them",
                  what, decay, rate, factor));
}

}  // namespace signstep
