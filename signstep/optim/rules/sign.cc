// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rules/sign.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/optim/shared_options.h"
#include "signstep/optim/sign_optimizer.h"
#include "signstep/optim/vote_stepper.h"
#include "signstep/wire/sum_over_ranks.h"

namespace signstep {
namespace {

constexpr SignKind kKinds[] = {SignKind::kSignSgd, SignKind::kSignum, SignKind::kLion};

// nothing: the rule has no such hyperparameter.
struct Defaults {
  const char *name, *display;
  double learning_rate;
  std::optional<double> momentum;
  double decoupled_weight_decay;
  std::optional<double> beta1, beta2;
};

const Defaults& defaults_of(SignKind kind) {
  constexpr std::nullopt_t none = std::nullopt;
  static const Defaults table[] = {
      // name, for people, rate, momentum, decoupled decay, beta1, beta2
      {"signsgd", "SignSGD", 3e-4, none, 0.1, none, none},
      {"signum", "Signum", 1e-3, 0.9, 0.05, none, none},
      {"lion", "Lion", 3e-4, none, 0.1, 0.9, 0.99},  // Chen et al. 2023, arXiv 2302.06675, section 5
  };
  return table[static_cast<size_t>(kind)];
}

// All but optimizer, which is the choice among all rules where there are others.
void describe_values(OptionList& list, SignOptions& o) {
  describe_learning_rate(list, o.learning_rate, "signsgd 3e-4, signum 1e-3, lion 3e-4");
  describe_momentum(list, o.momentum);
  describe_decoupled_weight_decay(list, o.decoupled_weight_decay, "signsgd 0.1, signum 0.05, lion 0.1");
  describe_beta1(list, o.beta1);
  describe_beta2(list, o.beta2);
  list.choice("zero", o.zero, {"skip", "random", "plus"}, "what the sign of 0 is: no step, a fair coin, or +1");
}

class SignRule final : public UpdateRule, public PassRule {
 public:
  SignRule(const UpdatePlan& plan, const WorkerOptions& workers) : plan_(plan), workers_(workers) {}

  double learning_rate() const override { return *plan_.optimizer.learning_rate; }

  std::vector<std::string> buffers() const override {
    std::vector<std::string> names;
    if (needs_average(plan_)) names.emplace_back("m");
    if (keeps_maximum(plan_.dither)) names.emplace_back("maximum");
    return names;
  }

  StepReport step(const RuleStep& s, OptimizerState& state) const override {
    SignState& extra = own(state.extra);
    if (s.world == nullptr || s.world->size() == 1) {
      KernelStepper kernels(s.executor);
      return passes(s, s.gradients, state, kernels);
    }
    if (extra.switching.phase == SwitchPhase::kSign) {
      VoteStepper votes(s.executor, *s.world, workers_);
      const StepReport report = passes(s, s.gradients, state, votes);
      if (extra.switching.phase != SwitchPhase::kSign) share_state(*s.world, state, s.executor);
      return report;
    }
    std::vector<float> mean(s.gradients.begin(), s.gradients.end());
    mean_over_ranks(*s.world, mean, s.executor);
    RankStepper alike(s.executor, kSharedRank);
    return passes(s, mean, state, alike);
  }

  const PassRule* by_passes() const override { return this; }
  StepReport step(const PassStep& s, OptimizerState& state) const override {
    size_t next = 0;
    float* const m = needs_average(plan_) ? s.buffers[next++] : nullptr;
    float* const maximum = keeps_maximum(plan_.dither) ? s.buffers[next] : nullptr;
    return passes(s.tensors, {s.values, s.gradients, m, maximum}, s.rate, state, s.stepper);
  }

  bool joins_ranks() const override { return true; }

  void require_ranks(size_t ranks) const override {
    const auto refuse = [&](const char* what, const char* why, const char* advice) {
      throw OptionError(
          fmt::format("{} ranks vote with one bit a coordinate, and {} {}; {}", ranks, what, why, advice));
    };
    if (plan_.optimizer.zero != ZeroPolicy::kRandom)
      refuse("zero", "must be random, because a bit cannot say 'no step'", "use --zero random");
    if (plan_.dither.dither != DitherKind::kNone &&
        (plan_.dither.dither_on == DitherOn::kPost || plan_.dither.dither_on == DitherOn::kMean))
      refuse("dither_on post and mean", "step by more than a sign", "use --dither-on update or gradient");
  }

  std::any extra(size_t tensors) const override { return make_sign_state(plan_, tensors); }
  const char* extra_name() const override { return "sign"; }

  void visit_extra(std::any& extra, StateFields& fields) const override {
    SignState& state = own(extra);
    fields.field("dither_rms", state.dither.rms);
    const auto within = fields.object("switch");
    visit_fields(state.switching, [&](const char* name, auto& value) {
      if constexpr (std::is_same_v<decltype(value), uint64_t&>) {
        const bool phase = std::string_view(name) == "phase";
        within->field(name, value, phase ? static_cast<uint64_t>(SwitchPhase::kSgd) : UINT64_MAX);
      } else {
        within->field(name, value);
      }
    });
  }

  void require_fit(const std::any& extra, size_t tensors) const override {
    const auto& state = std::any_cast<const SignState&>(extra);
    signstep::require_fit(state.dither, plan_.dither, tensors);
    signstep::require_fit(state.switching, plan_.switching, tensors);
  }

 private:
  static SignState& own(std::any& extra) { return std::any_cast<SignState&>(extra); }

  // Flat arrays, wherever the stepper works; m and maximum may be null.
  struct Arrays {
    float* x;
    const float* g;
    float *m, *maximum;
  };

  // The step along gradients, which are s's own or their mean.
  StepReport passes(const RuleStep& s, std::span<const float> gradients, OptimizerState& state,
                    Stepper& stepper) const {
    const auto array = [&](const char* name) {
      return state.buffer(name).empty() ? nullptr : state.buffer(name).data();
    };
    return passes(s.tensors, {s.values.data(), gradients.data(), array("m"), array("maximum")}, s.rate, state, stepper);
  }

  StepReport passes(std::span<const TensorSlot> slots, const Arrays& arrays, double rate, OptimizerState& state,
                    Stepper& stepper) const {
    std::vector<StepTensor> tensors;
    for (const TensorSlot& slot : slots) {
      StepTensor t;
      t.x = arrays.x + slot.offset;
      t.g = arrays.g + slot.offset;
      t.m = arrays.m == nullptr ? nullptr : arrays.m + slot.offset;
      t.maximum = arrays.maximum == nullptr ? nullptr : arrays.maximum + slot.offset;
      t.n = slot.size;
      tensors.push_back(t);
    }
    const std::vector<TensorRate> rates(tensors.size(), {rate, *plan_.optimizer.decoupled_weight_decay});
    return sign_optimizer_step(plan_, own(state.extra), state.step, tensors, rates, stepper);
  }

  // From the switch on every rank takes the same steps, so it must hold the same: the rank mean. What dither goes by is
  // measured anew, of the mean gradient's u.
  static void share_state(Communicator& world, OptimizerState& state, Executor& executor) {
    for (StateBuffer& buffer : state.buffers) mean_over_ranks(world, buffer.values, executor);
    std::vector<double>& rms = own(state.extra).dither.rms;
    std::fill(rms.begin(), rms.end(), 0.0);
  }

  UpdatePlan plan_;
  WorkerOptions workers_;
};

class SignRuleOptions final : public RuleOptions {
 public:
  explicit SignRuleOptions(SignKind kind) : o_{.optimizer = kind} {}

  void describe(OptionList& list) override { describe_values(list, o_); }
  void resolve() override { o_ = resolved(o_); }
  std::unique_ptr<UpdateRule> make(const RuleContext& c) const override {
    return make_sign_rule({o_, c.dither, plan_switch(c.switching, c.total_steps), c.seed, c.total_steps}, c.workers);
  }
  std::optional<SwitchedRule> switched() const override { return switched_rule(o_); }
  std::string instead_of(std::string_view option) const override {
    return option == "l2_penalty" ? "it has decoupled_weight_decay" : "";
  }

 private:
  SignOptions o_;
};

}  // namespace

void describe(OptionList& list, SignOptions& o) {
  list.group("Optimizer");
  std::vector<std::string> names;
  for (const SignKind kind : kKinds) names.push_back(rule_name(kind));
  list.choice("optimizer", o.optimizer, names, "update rule");
  describe_values(list, o);
}

SignOptions resolved(SignOptions o) {
  OptionList list;
  describe(list, o);
  list.validate();
  const Defaults& d = defaults_of(o.optimizer);
  fill(o.learning_rate, d.learning_rate, "learning_rate", d.name);
  fill(o.momentum, d.momentum, "momentum", d.name,
       d.beta1 ? "it has beta1 and beta2" : "signum is SignSGD with momentum");
  fill(o.decoupled_weight_decay, d.decoupled_weight_decay, "decoupled_weight_decay", d.name);
  fill(o.beta1, d.beta1, "beta1", d.name);
  fill(o.beta2, d.beta2, "beta2", d.name);
  require_float("learning_rate", o.learning_rate);
  require_float_factor("momentum", o.momentum);
  require_float_factor("beta1", o.beta1);
  require_float_factor("beta2", o.beta2);
  decay_factor(*o.learning_rate, *o.decoupled_weight_decay, "decoupled_weight_decay");
  return o;
}

std::string rule_name(SignKind kind) { return defaults_of(kind).name; }
std::string display_name(SignKind kind) { return defaults_of(kind).display; }

SwitchedRule switched_rule(const SignOptions& o) {
  const bool lion = o.optimizer == SignKind::kLion;
  const double momentum = lion ? o.beta2.value_or(0) : o.momentum.value_or(0);
  return {display_name(o.optimizer), lion || momentum > 0, momentum};
}

bool keeps_average(const SignOptions& o) { return switched_rule(o).keeps_average; }

UpdatePlan make_update_plan(const SignOptions& optimizer, const DitherOptions& dither, const SwitchOptions& switching,
                            uint64_t seed, uint64_t total_steps) {
  UpdatePlan plan{resolved(optimizer), resolved(dither), {}, seed, total_steps};
  plan.switching = plan_switch(resolved(switching, switched_rule(plan.optimizer), plan.dither), total_steps);
  return plan;
}

RuleFamily sign_family() {
  RuleFamily family;
  for (const SignKind kind : kKinds) family.rules.push_back({rule_name(kind), display_name(kind)});
  family.options = [](const std::string& rule) {
    const auto* kind =
        std::find_if(std::begin(kKinds), std::end(kKinds), [&](SignKind k) { return rule_name(k) == rule; });
    assert(kind != std::end(kKinds));
    return std::make_unique<SignRuleOptions>(*kind);
  };
  return family;
}

std::unique_ptr<UpdateRule> make_sign_rule(const UpdatePlan& plan, const WorkerOptions& workers) {
  return std::make_unique<SignRule>(plan, workers);
}

}  // namespace signstep
