// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/sign_sgd_options.h"

#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "signstep/base/error.h"

namespace signstep {
namespace {

constexpr const char* kRate = "learning_rate";  // kept as a number of its own: schedulers may set it to 0
constexpr const char* kDecay = "decoupled_weight_decay";

// Whether the plan is the same for any length of run.
bool needs_total(const SignSGDOptions& o) {
  const bool anneals = o.dither.dither != DitherKind::kNone && o.dither.dither_shape != DitherShape::kConstant;
  const SwitchOptions& s = o.switching;
  const bool by_step = s.switch_when == SwitchWhen::kAt && s.switch_step > 0 && !s.switch_calibrate_from;
  return anneals || (s.switch_when != SwitchWhen::kNever && !by_step);
}

bool draws(const SignSGDOptions& o) {
  return o.dither.dither != DitherKind::kNone || o.rule.zero == ZeroPolicy::kRandom;
}

bool same_but_rates(const SignSGDOptions& a, const SignSGDOptions& b) {
  SignOptions rule = a.rule;
  rule.learning_rate = b.rule.learning_rate;
  rule.decoupled_weight_decay = b.rule.decoupled_weight_decay;
  return rule == b.rule && a.dither == b.dither && a.switching == b.switching && a.seed == b.seed &&
         a.total_steps == b.total_steps;
}

void fill_auto(SignSGDOptions& options, SignSGDOptions from) {
  OptionList own, other;
  describe(own, options);
  describe(other, from);
  for (size_t i = 0; i < own.options().size(); ++i)
    if (own.options()[i].text() == "auto") own.options()[i].parse(other.options()[i].text());
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
  std::set<std::string> named;
  for (const Option& option : list.options()) {
    if (option.name == kRate || !archive.try_read(option.name, value)) continue;
    option.parse(value.toStringRef());
    named.insert(option.name);
  }
  list.set_absent([&](const std::string& name) { return named.contains(name); });
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
  SignSGDOptions copy = o;
  OptionList list;
  list.integer("total_steps", copy.total_steps, Range::at_least(0), "steps", "");
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

SignSGDOptions resolved(SignSGDOptions o) {
  const UpdatePlan plan = make_update_plan(o);
  o.rule = plan.optimizer;
  o.dither = plan.dither;
  o.switching = plan.switching.options;
  return o;
}

const SignSGDOptions& sign_sgd_options(const torch::optim::OptimizerParamGroup& group) {
  if (const auto* options = dynamic_cast<const SignSGDOptions*>(&group.options())) return *options;
  throw OptionError("a parameter group has options of another optimizer; wanted signstep::SignSGDOptions");
}

SignSGDOptions& sign_sgd_options(torch::optim::OptimizerParamGroup& group) {
  return const_cast<SignSGDOptions&>(sign_sgd_options(std::as_const(group)));
}

std::string difference(SignSGDOptions seen, SignSGDOptions wanted) {
  if (!draws(seen)) seen.seed = wanted.seed;
  if (!needs_total(seen)) seen.total_steps = wanted.total_steps;
  OptionList a, b;
  describe(a, seen);
  describe(b, wanted);
  for (size_t i = 0; i < a.options().size(); ++i) {
    const Option &own = a.options()[i], &other = b.options()[i];
    if (own.name == kRate || own.name == kDecay || own.text() == other.text()) continue;
    return fmt::format("{} is {}, wanted {}", own.name, own.text(), other.text());
  }
  return "";
}

std::string rate_complaint(const SignSGDOptions& o) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  const double lr = o.get_lr();
  if (!(lr >= 0 && lr <= kLargest)) {
    return fmt::format("{} is {}; wanted a finite number of at least 0 that float32 holds", kRate, lr);
  }
  if (!o.rule.decoupled_weight_decay) return fmt::format("{} is auto; wanted a number", kDecay);
  const double decay = *o.rule.decoupled_weight_decay;
  if (!(decay >= 0 && std::isfinite(decay))) {
    return fmt::format("{} is {}; wanted a finite number of at least 0", kDecay, decay);
  }
  if (lr * decay < 1) return "";
  return fmt::format(
      "{} {} times {} {} is {}; wanted less than 1, the share by which a step shrinks the weights; lower one", kRate,
      lr, kDecay, decay, lr * decay);
}

SignSGDOptions in_force(SignSGDOptions group, const SignSGDOptions& optimizers, size_t number) {
  if (!group.rule.learning_rate || !group.rule.decoupled_weight_decay || !same_but_rates(group, optimizers)) {
    fill_auto(group, optimizers);
    if (const std::string unlike = difference(group, optimizers); !unlike.empty()) {
      throw OptionError(
          fmt::format("parameter group {}: {}; groups may differ in learning_rate and decoupled_weight_decay, the rest "
                      "is the optimizer's, as it was constructed; give the group a copy of those options with the two "
                      "changed",
                      number, unlike));
    }
    group.seed = optimizers.seed;
    group.total_steps = optimizers.total_steps;
  }
  if (const std::string complaint = rate_complaint(group); !complaint.empty()) {
    throw OptionError(fmt::format("parameter group {}: {}", number, complaint));
  }
  return group;
}

}  // namespace signstep
