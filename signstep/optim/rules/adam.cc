// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rules/adam.h"

#include <cmath>

#include "signstep/optim/shared_options.h"
#include "signstep/optim/step_pieces.h"

namespace signstep {
namespace {

class Adam final : public UpdateRule, public PassRule {
 public:
  explicit Adam(const AdamOptions& resolved) : o_(resolved) {}

  double learning_rate() const override { return *o_.learning_rate; }
  std::vector<std::string> buffers() const override { return {"m", "v"}; }

  StepReport step(const RuleStep& s, OptimizerState& state) const override {
    const AdamStep rule = numbers(s.rate, state.step);
    const std::span<float> m = state.buffer("m"), v = state.buffer("v");
    return step_pieces(s, [&](size_t begin, size_t end) {
      return adam_step(rule, piece_of(s.values, begin, end), s.gradients.subspan(begin, end - begin),
                       piece_of(m, begin, end), piece_of(v, begin, end));
    });
  }

  const PassRule* by_passes() const override { return this; }
  StepReport step(const PassStep& s, OptimizerState& state) const override {
    return baseline_pass(s, rounded(numbers(s.rate, state.step)));
  }

 private:
  AdamStep numbers(double rate, uint64_t steps_before) const {
    const double factor = decay_factor(rate, o_.decoupled_weight_decay.value_or(0), "decoupled_weight_decay");
    const auto t = static_cast<double>(steps_before + 1);
    return {static_cast<float>(rate),
            *o_.beta1,
            *o_.beta2,
            static_cast<float>(o_.epsilon),
            static_cast<float>(o_.l2_penalty.value_or(0)),
            static_cast<float>(factor),
            1 - std::pow(*o_.beta1, t),
            1 - std::pow(*o_.beta2, t)};
  }

  AdamOptions o_;
};

}  // namespace

void AdamOptions::describe(OptionList& list) {
  describe_learning_rate(list, learning_rate, "adam and adamw 1e-3");
  describe_decoupled_weight_decay(list, decoupled_weight_decay, "adamw 0.05");
  describe_l2_penalty(list, l2_penalty, "adam 0");
  describe_beta1(list, beta1);
  describe_beta2(list, beta2);
  list.number("epsilon", epsilon, Range::positive(), "", "of adam and adamw, added to the root");
}

void AdamOptions::resolve() {
  const std::string rule = adamw ? "adamw" : "adam";
  const auto only = [](bool own, double value) { return own ? std::optional(value) : std::nullopt; };
  fill(learning_rate, 1e-3, "learning_rate", rule);
  fill(decoupled_weight_decay, only(adamw, 0.05), "decoupled_weight_decay", rule,
       "adam has l2_penalty, adamw decoupled_weight_decay");
  fill(l2_penalty, only(!adamw, 0.0), "l2_penalty", rule, "it has decoupled_weight_decay");
  fill(beta1, 0.9, "beta1", rule);
  fill(beta2, 0.999, "beta2", rule);
  require_float("learning_rate", learning_rate);
  require_float("l2_penalty", l2_penalty);
  require_float("epsilon", epsilon);
  require_float_factor("beta1", beta1);
  require_float_factor("beta2", beta2);
  decay_factor(*learning_rate, decoupled_weight_decay.value_or(0), "decoupled_weight_decay");
}

std::unique_ptr<UpdateRule> AdamOptions::make(const RuleContext&) const { return std::make_unique<Adam>(*this); }

std::string AdamOptions::instead_of(std::string_view option) const {
  return option == "momentum" ? "it has beta1 and beta2" : "";
}

RuleFamily adam_family() {
  return {{{"adam", "Adam"}, {"adamw", "AdamW"}},
          [](const std::string& rule) { return std::make_unique<AdamOptions>(rule == "adamw"); }};
}

AdamNumbers rounded(const AdamStep& r) {
  // Rounded from double: 1 - 0.999f is off by 1e-5 of itself.
  return {static_cast<float>(r.lr / r.correction1),
          static_cast<float>(r.beta1),
          static_cast<float>(1 - r.beta1),
          static_cast<float>(r.beta2),
          static_cast<float>(1 - r.beta2),
          static_cast<float>(std::sqrt(r.correction2)),
          r.epsilon,
          r.l2,
          r.decay_factor};
}

uint64_t adam_step(const AdamStep& rule, std::span<float> x, std::span<const float> g, std::span<float> m,
                   std::span<float> v) {
  const AdamNumbers numbers = rounded(rule);
  uint64_t nonfinite = 0;
  for (size_t i = 0; i < x.size(); ++i) nonfinite += !adam_element(numbers, x[i], g[i], m[i], v[i]);
  return nonfinite;
}

}  // namespace signstep
