// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/optimizer_options.h"

#include <cmath>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// nullopt: the optimizer has no such hyperparameter.
struct Defaults {
  const char* name;
  const char* display;
  double learning_rate;
  std::optional<double> momentum, decoupled_weight_decay, l2_penalty, beta1, beta2;
};

const Defaults& defaults_of(OptimizerKind kind) {
  constexpr std::nullopt_t none = std::nullopt;
  static const Defaults table[] = {
      // name, for people, rate, momentum, decoupled decay, L2 penalty, beta1, beta2
      {"signsgd", "SignSGD", 3e-4, none, 0.1, none, none, none},
      {"signum", "Signum", 1e-3, 0.9, 0.05, none, none, none},
      {"lion", "Lion", 3e-4, none, 0.1, none, 0.9, 0.99},      // Chen et al. 2023, arXiv 2302.06675, section 5
      {"sgd", "SGD", 0.1, 0.9, 0.0, 5e-4, none, none},         // He et al. 2016, arXiv 1512.03385, section 4.2
      {"adam", "Adam", 1e-3, none, none, 0.0, 0.9, 0.999},     // Kingma, Ba 2015, arXiv 1412.6980
      {"adamw", "AdamW", 1e-3, none, 0.05, none, 0.9, 0.999},  // Loshchilov, Hutter 2019, arXiv 1711.05101
  };
  return table[static_cast<size_t>(kind)];
}

void resolve(std::optional<double>& value, const std::optional<double>& standard, const char* what,
             const char* optimizer, const char* advice) {
  if (!standard && value) {
    throw OptionError(fmt::format("{} is {} and {} has none; leave it out{}", what, *value, optimizer, advice));
  }
  if (!value) value = standard;
}

// Kernels compute in float: there a value above 0 must stay above 0 and finite, and a factor below 1 below 1.
void require_float(const char* name, const std::optional<double>& value, bool factor) {
  if (!value || *value == 0) return;
  const auto single = static_cast<float>(*value);
  if (factor ? single < 1 : single > 0 && std::isfinite(single)) return;
  throw OptionError(fmt::format("{} is {}, which is {} in float; {}", name, *value, single,
                                factor ? "wanted one that stays below 1, such as 0.9999"
                                       : "wanted one that stays finite and above 0, such as 1e-8"));
}

void require_floats(const OptimizerOptions& o) {
  require_float("learning_rate", o.learning_rate, false);
  require_float("l2_penalty", o.l2_penalty, false);
  require_float("epsilon", o.epsilon, false);
  require_float("momentum", o.momentum, true);
  require_float("beta1", o.beta1, true);
  require_float("beta2", o.beta2, true);
}

}  // namespace

double decay_factor(double rate, double decay, const char* what) {
  const double factor = 1.0 - rate * decay;
  if (std::isfinite(rate) && rate >= 0 && static_cast<float>(factor) > 0 && factor <= 1) return factor;
  throw OptionError(fmt::format(
      "{} is {} at a rate of {}, so each step would multiply the weights by {}; wanted a finite rate of at least 0 and "
      "rate times decay in [0, 1); lower one of them",
      what, decay, rate, factor));
}

const char* display_name(OptimizerKind kind) { return defaults_of(kind).display; }

bool is_sign_rule(OptimizerKind kind) {
  return kind == OptimizerKind::kSignSgd || kind == OptimizerKind::kSignum || kind == OptimizerKind::kLion;
}

double own_momentum(const OptimizerOptions& o) {
  return o.optimizer == OptimizerKind::kLion ? o.beta2.value_or(0) : o.momentum.value_or(0);
}

bool keeps_average(const OptimizerOptions& o) { return o.optimizer == OptimizerKind::kLion || own_momentum(o) > 0; }

void describe(OptionList& list, OptimizerOptions& o) {
  list.group("Optimizer");
  std::vector<std::string> names;
  for (int k = 0; k <= static_cast<int>(OptimizerKind::kAdamW); ++k)
    names.push_back(defaults_of(static_cast<OptimizerKind>(k)).name);
  list.choice("optimizer", o.optimizer, names, "update rule");
  list.number_or_auto("learning_rate", o.learning_rate, Range::positive(), "per step",
                      "peak learning rate; auto: signsgd 3e-4, signum 1e-3, lion 3e-4, sgd 0.1, adam and adamw 1e-3");
  list.number_or_auto("momentum", o.momentum, Range::fraction(), "", "of signum and sgd; auto: 0.9");
  list.number_or_auto(
      "decoupled_weight_decay", o.decoupled_weight_decay, Range::at_least(0), "",
      "weights shrink by learning rate times this; auto: signsgd 0.1, signum 0.05, lion 0.1, sgd 0, adamw 0.05");
  list.number_or_auto("l2_penalty", o.l2_penalty, Range::at_least(0), "",
                      "added to the gradient times the weight; auto: sgd 5e-4, adam 0");
  list.flag("nesterov", o.nesterov, "Nesterov momentum for sgd");
  list.number_or_auto("beta1", o.beta1, Range::fraction(), "", "of lion, adam and adamw; auto: 0.9");
  list.number_or_auto("beta2", o.beta2, Range::fraction(), "",
                      "of lion, adam and adamw; auto: 0.99 for lion, else 0.999");
  list.number("epsilon", o.epsilon, Range::positive(), "", "of adam and adamw, added to the root");
  list.choice("zero", o.zero, {"skip", "random", "plus"}, "what the sign of 0 is: no step, a fair coin, or +1");
}

OptimizerOptions resolved(OptimizerOptions o) {
  OptionList list;
  describe(list, o);
  list.validate();
  const Defaults& d = defaults_of(o.optimizer);
  if (!o.learning_rate) o.learning_rate = d.learning_rate;
  resolve(o.momentum, d.momentum, "momentum", d.name,
          d.beta1 ? "; it has beta1 and beta2" : "; signum is SignSGD with momentum");
  resolve(o.decoupled_weight_decay, d.decoupled_weight_decay, "decoupled_weight_decay", d.name,
          "; adam has l2_penalty, adamw decoupled_weight_decay");
  resolve(o.l2_penalty, d.l2_penalty, "l2_penalty", d.name, "; it has decoupled_weight_decay");
  resolve(o.beta1, d.beta1, "beta1", d.name, "");
  resolve(o.beta2, d.beta2, "beta2", d.name, "");
  require_floats(o);
  decay_factor(*o.learning_rate, o.decoupled_weight_decay.value_or(0), "decoupled_weight_decay");
  if (o.nesterov && (o.optimizer != OptimizerKind::kSgd || *o.momentum == 0)) {
    throw OptionError("nesterov is true; wanted with sgd and a momentum above 0; leave it out or choose optimizer sgd");
  }
  return o;
}

}  // namespace signstep
