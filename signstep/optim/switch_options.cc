// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/switch_options.h"

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/optim/shared_options.h"

namespace signstep {
namespace {

constexpr double kDefaultShare = 0.6;

uint64_t steps_of(double share, uint64_t total) {
  return static_cast<uint64_t>(std::llround(share * static_cast<double>(total)));
}

void refuse_point_unless_at(const SwitchOptions& o) {
  const char* when = o.switch_when == SwitchWhen::kNever ? "never" : "auto";
  const char* advice = "choose switch_when at, or leave it out";
  if (o.switch_at) throw OptionError(fmt::format("switch_at is {} and switch_when {}; {}", *o.switch_at, when, advice));
  if (o.switch_step > 0) {
    throw OptionError(fmt::format("switch_step is {} and switch_when {}; {}", o.switch_step, when, advice));
  }
}

void check_values(SwitchOptions o) {
  OptionList list;
  describe(list, o);
  list.validate();
  if (o.switch_when != SwitchWhen::kAt) refuse_point_unless_at(o);
  if (o.switch_when != SwitchWhen::kNever) return;
  SwitchOptions untouched;
  OptionList defaults;
  describe(defaults, untouched);
  refuse_changed(list, defaults, "switch_when is never; choose at or auto");
}

void check_company(const SwitchOptions& o, const SwitchedRule& rule, const DitherOptions& dither) {
  if (dither.dither != DitherKind::kNone && dither.dither_on != DitherOn::kUpdate) {
    const bool gradient = dither.dither_on == DitherOn::kGradient;
    throw OptionError(
        fmt::format("dither_on is {} and a switch is wanted; {}; choose dither_on update, or switch_when never",
                    gradient                              ? "gradient"
                    : dither.dither_on == DitherOn::kPost ? "post"
                                                          : "mean",
                    gradient ? "the noise would count as gradient in SGD's rate and average"
                             : "the projection needs steps of -1, 0 or +1"));
  }
  if (o.switch_calibrate_from && rule.keeps_average) {
    throw OptionError(
        fmt::format("switch_calibrate_from is {} and {} keeps its average from the first step; leave it out",
                    *o.switch_calibrate_from, rule.display));
  }
  if (o.switch_direction == SwitchDirection::kMomentum && !rule.keeps_average && !o.switch_calibrate_from) {
    throw OptionError(fmt::format(
        "switch_direction is momentum and {} without momentum keeps no average to measure; give switch_calibrate_from "
        "(such as 0.25; 4 bytes per parameter from there on) or choose switch_direction gradient",
        rule.display));
  }
}

void check_following(const SwitchOptions& o, const SwitchedRule& rule) {
  if (o.switch_negative == SwitchNegative::kAbsolute && o.switch_projection == SwitchProjection::kNorm) {
    throw OptionError(
        "switch_negative is absolute and switch_projection norm, which has no sign to lose; choose switch_projection "
        "swats or inner, or leave switch_negative out");
  }
  if (!o.switch_follow) return;
  // One buffer: SGD's d is the sign rule's m, or there is no d, or no m.
  if (rule.keeps_average && *o.switch_momentum != 0 && *o.switch_momentum != rule.momentum) {
    throw OptionError(
        fmt::format("switch_follow is true and switch_momentum {}; wanted 0 or {}'s own {}, because the sign rule's "
                    "average goes on "
                    "in the same buffer; choose one of them or leave switch_follow out",
                    *o.switch_momentum, rule.display, rule.momentum));
  }
  if (o.switch_decay == SwitchDecay::kL2) {
    throw OptionError(
        "switch_follow is true and switch_decay l2, whose penalty would enter the sign rule's average; choose "
        "switch_decay decoupled, or leave switch_follow out");
  }
}

}  // namespace

void describe(OptionList& list, SwitchOptions& o) {
  list.group("Switch to SGD");
  list.choice("switch_when", o.switch_when, {"never", "at", "auto"},
              "hand a sign rule over to SGD: not, at a stated step, or when the calibrated rate has settled")
      .role(Role::kCommon);
  list.number_or_auto("switch_at", o.switch_at, {.low = 0, .high = 1, .low_open = true, .high_open = true},
                      "share of the run", "where switch_when at does it; auto: 0.6 unless switch_step is given")
      .role(Role::kCommon);
  list.integer("switch_step", o.switch_step, Range::at_least(0), "steps",
               "sign steps before the switch, exactly; 0: by switch_at");
  list.choice("switch_projection", o.switch_projection, {"swats", "inner", "norm"},
              "SGD's rate from a sign step: swats, SGD's step projected on it; inner, the other way round; norm, equal "
              "lengths");
  list.choice("switch_direction", o.switch_direction, {"gradient", "momentum"}, "what sign steps are compared with");
  list.choice("switch_scope", o.switch_scope, {"global", "tensor"}, "one SGD rate, or one for each tensor");
  list.choice("switch_negative", o.switch_negative, {"skip", "absolute"},
              "what an estimate of swats or inner is where the sign step points uphill: none, or its absolute value");
  list.number("switch_average", o.switch_average, Range::fraction(), "", "memory of the average of the estimates");
  list.number("switch_tolerance", o.switch_tolerance, Range::positive(), "relative to the average",
              "auto: an estimate this near to the average counts as settled");
  list.integer("switch_patience", o.switch_patience, Range::at_least(1), "estimates in a row",
               "auto: so many must be settled");
  list.integer("switch_min_steps", o.switch_min_steps, Range::at_least(0), "steps", "auto: not before this");
  list.number("switch_after", o.switch_after, Range::fraction(), "share of the run", "auto: nor before this");
  list.number("switch_fallback", o.switch_fallback, {.low = 0, .high = 1, .low_open = true, .high_open = true},
              "share of the run", "auto: switch here if the rate did not settle");
  list.integer("switch_blend", o.switch_blend, Range::closed(0, 1'000'000'000), "steps",
               "SGD's step fades in over so many, without switch_step at most half of those left; 0: at once");
  list.number_or_auto("switch_momentum", o.switch_momentum, Range::fraction(), "",
                      "of SGD after the switch; auto: the sign rule's own, 0.9 for signsgd");
  list.number_or_auto("switch_calibrate_from", o.switch_calibrate_from, Range::fraction(), "share of the run",
                      "from here on a sign rule without momentum keeps the average of its gradients; auto: not at all");
  list.flag("switch_follow", o.switch_follow,
            "the average of the estimates goes on after the switch, and SGD's rate with it");
  // A run recorded before there was a choice went on with the sign rule's decay.
  list.choice("switch_decay", o.switch_decay, {"decoupled", "l2", "sign"},
              "after the switch: switch_penalty decoupled or in the gradient, or the sign rule's own decay as before")
      .older = [&o] { return o.switch_when == SwitchWhen::kNever ? "" : "sign"; };
  list.number("switch_penalty", o.switch_penalty, Range::at_least(0), "",
              "after the switch weights shrink by SGD's rate times this");
}

SwitchOptions resolved_without_sign(SwitchOptions o, const std::string& display) {
  check_values(o);
  if (o.switch_when == SwitchWhen::kNever) return o;
  throw OptionError(
      fmt::format("switch_when is {} and the optimizer {}; wanted a sign rule (signsgd, signum, lion) to switch "
                  "from; choose one or "
                  "switch_when never",
                  o.switch_when == SwitchWhen::kAt ? "at" : "auto", display));
}

SwitchOptions resolved(SwitchOptions o, const SwitchedRule& rule, const DitherOptions& dither) {
  check_values(o);
  if (o.switch_when == SwitchWhen::kNever) return o;
  check_company(o, rule, dither);
  if (o.switch_when == SwitchWhen::kAt) {
    if (o.switch_at && o.switch_step > 0) {
      throw OptionError(fmt::format("switch_at is {} and switch_step {}; wanted one of them; leave the other out",
                                    *o.switch_at, o.switch_step));
    }
    if (!o.switch_at && o.switch_step == 0) o.switch_at = kDefaultShare;
  } else if (o.switch_after >= o.switch_fallback) {
    throw OptionError(
        fmt::format("switch_after is {} and switch_fallback {}; wanted the fallback later, so that the rate can settle "
                    "between them",
                    o.switch_after, o.switch_fallback));
  }
  require_float_factor("switch_momentum", o.switch_momentum);
  if (!o.switch_momentum) o.switch_momentum = rule.keeps_average ? rule.momentum : 0.9;
  check_following(o, rule);
  return o;
}

SwitchPlan plan_switch(const SwitchOptions& o, uint64_t total) {
  SwitchPlan plan;
  plan.options = o;
  if (o.switch_when == SwitchWhen::kNever) return plan;
  const bool at = o.switch_when == SwitchWhen::kAt;
  if (at && o.switch_step > 0) {
    plan.due = static_cast<uint64_t>(o.switch_step);
  } else {
    // A share never rounds to the start or the end of the run: both phases get a step.
    plan.due = std::clamp<uint64_t>(steps_of(at ? *o.switch_at : o.switch_fallback, total), 1,
                                    std::max<uint64_t>(total, 2) - 1);
  }
  plan.blend = static_cast<uint64_t>(o.switch_blend);
  if (plan.due >= total) {
    throw OptionError(fmt::format(
        "the switch is due after step {} and the run has {}; wanted an earlier one; lower switch_step or train longer",
        plan.due, total));
  }
  if (o.switch_step == 0) plan.blend = std::min(plan.blend, (total - plan.due) / 2);
  if (!at) {
    plan.earliest =
        std::max(static_cast<uint64_t>(o.switch_min_steps), std::min(steps_of(o.switch_after, total), plan.due));
    if (plan.earliest > plan.due) {
      throw OptionError(
          fmt::format("switch_min_steps is {} and switch_fallback forces the switch after step {} of {}; wanted the "
                      "fallback later; "
                      "lower switch_min_steps or raise switch_fallback",
                      o.switch_min_steps, plan.due, total));
    }
  }
  plan.calibrate_from = steps_of(o.switch_calibrate_from.value_or(0), total);
  if (plan.calibrate_from >= plan.due) {
    throw OptionError(fmt::format(
        "switch_calibrate_from is {}, step {}, and the switch is due after step {}; wanted calibration well before it; "
        "lower switch_calibrate_from",
        *o.switch_calibrate_from, plan.calibrate_from, plan.due));
  }
  return plan;
}

}  // namespace signstep
