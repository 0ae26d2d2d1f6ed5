// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/sign_run_options.h"

#include <limits>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// Whether the plan is another for another length of run.
bool needs_total(const SignRunOptions& o) {
  const bool anneals = o.dither.dither != DitherKind::kNone && o.dither.dither_shape != DitherShape::kConstant;
  const SwitchOptions& s = o.switching;
  const bool by_step = s.switch_when == SwitchWhen::kAt && s.switch_step > 0 && !s.switch_calibrate_from;
  return anneals || (s.switch_when != SwitchWhen::kNever && !by_step);
}

bool draws(const SignRunOptions& o) {
  return o.dither.dither != DitherKind::kNone || o.rule.zero == ZeroPolicy::kRandom;
}

// What is no part's own.
void describe_run(OptionList& list, SignRunOptions& o) {
  list.group("Run");
  list.seed("seed", o.seed, "of dither and zero coins");
  list.integer("total_steps", o.total_steps, Range::at_least(0), "steps",
               "of the whole run, for annealed dither and shares of the run; 0: not known");
}

}  // namespace

void describe(OptionList& list, SignRunOptions& o) {
  describe(list, o.rule);
  describe(list, o.dither);
  describe(list, o.switching);
  describe_run(list, o);
}

UpdatePlan make_update_plan(const SignRunOptions& o) {
  SignRunOptions copy = o;
  OptionList list;
  describe_run(list, copy);
  list.validate();
  if (o.total_steps == 0 && needs_total(o)) {
    throw OptionError(
        "total_steps is 0; wanted the number of steps of the run, which annealed dither and a switch by share of the "
        "run refer to; set it, or choose dither_shape constant, switch_when at with switch_step");
  }
  const uint64_t total =
      o.total_steps > 0 ? static_cast<uint64_t>(o.total_steps) : std::numeric_limits<uint64_t>::max();
  return make_update_plan(o.rule, o.dither, o.switching, o.seed, total);
}

SignRunOptions resolved(SignRunOptions o) {
  const UpdatePlan plan = make_update_plan(o);
  o.rule = plan.optimizer;
  o.dither = plan.dither;
  o.switching = plan.switching.options;
  return o;
}

std::string difference(SignRunOptions seen, SignRunOptions wanted) {
  if (!draws(seen)) seen.seed = wanted.seed;
  if (!needs_total(seen)) seen.total_steps = wanted.total_steps;
  OptionList a, b;
  describe(a, seen);
  describe(b, wanted);
  for (size_t i = 0; i < a.options().size(); ++i) {
    const Option &own = a.options()[i], &other = b.options()[i];
    if (own.name == "learning_rate" || own.name == "decoupled_weight_decay" || own.text() == other.text()) continue;
    return fmt::format("{} is {}, wanted {}", own.name, own.text(), other.text());
  }
  return "";
}

}  // namespace signstep
