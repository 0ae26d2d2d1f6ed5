// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/sign_sgd_options.h"

#include <limits>

#include "signstep/core/error.h"

namespace signstep {
namespace {

constexpr const char* kRate = "learning_rate";  // kept as a number of its own: schedulers may set it to 0

// Whether the plan is the same for any length of run.
bool needs_total(const SignSGDOptions& o) {
  const bool anneals = o.dither.dither != DitherKind::kNone && o.dither.dither_shape != DitherShape::kConstant;
  const SwitchOptions& s = o.switching;
  const bool by_step = s.switch_when == SwitchWhen::kAt && s.switch_step > 0 && !s.switch_calibrate_from;
  return anneals || (s.switch_when != SwitchWhen::kNever && !by_step);
}

}  // namespace

double SignSGDOptions::get_lr() const {
  return rule.learning_rate ? *rule.learning_rate : *resolved(rule).learning_rate;
}
void SignSGDOptions::set_lr(double lr) { rule.learning_rate = lr; }

void SignSGDOptions::serialize(torch::serialize::OutputArchive& archive) const {
  SignSGDOptions copy = *this;
  OptionList list;
  describe(list, copy);
  for (const Option& option : list.options())
    if (option.name != kRate) archive.write(option.name, c10::IValue(option.text()));
  archive.write(kRate, c10::IValue(get_lr()));
}

void SignSGDOptions::serialize(torch::serialize::InputArchive& archive) {
  OptionList list;
  describe(list, *this);
  c10::IValue value;
  for (const Option& option : list.options()) {
    archive.read(option.name, value);
    if (option.name != kRate) option.parse(value.toStringRef());
  }
  archive.read(kRate, value);
  rule.learning_rate = value.toDouble();
}

void describe(OptionList& list, SignSGDOptions& o) {
  describe(list, o.rule);
  describe(list, o.dither);
  describe(list, o.switching);
  list.group("Run");
  list.seed("seed", o.seed, "of dither and zero coins");
  list.integer("total_steps", o.total_steps, Range::at_least(0), "steps",
               "of the whole run, for annealed dither and shares of the run; 0: not known");
}

UpdatePlan make_update_plan(const SignSGDOptions& o) {
  if (!is_sign_rule(o.rule.optimizer)) {
    throw OptionError(
        fmt::format("optimizer is {}; wanted a sign rule (signsgd, signum, lion); use torch::optim for it",
                    display_name(o.rule.optimizer)));
  }
  SignSGDOptions copy = o;
  OptionList list;
  list.integer("total_steps", copy.total_steps, Range::at_least(0), "steps", "");
  list.validate();
  if (o.total_steps == 0 && needs_total(o)) {
    throw OptionError(
        "total_steps is 0; wanted the number of steps of the run, which annealed dither and a switch by share of the "
        "run "
        "refer to; set it, or choose dither_shape constant, switch_when at with switch_step");
  }
  const uint64_t total =
      o.total_steps > 0 ? static_cast<uint64_t>(o.total_steps) : std::numeric_limits<uint64_t>::max();
  return make_update_plan(o.rule, o.dither, o.switching, o.seed, total);
}

SignSGDOptions resolved(SignSGDOptions o) {
  const UpdatePlan plan = make_update_plan(o);
  o.rule = plan.optimizer;
  o.dither = plan.dither;
  o.switching = plan.switching.options;
  return o;
}

}  // namespace signstep
