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

SignSGDOptions resolved(SignSGDOptions o) {
  static_cast<SignRunOptions&>(o) = resolved(static_cast<const SignRunOptions&>(o));
  return o;
}

const SignSGDOptions& sign_sgd_options(const torch::optim::OptimizerParamGroup& group) {
  if (const auto* options = dynamic_cast<const SignSGDOptions*>(&group.options())) return *options;
  throw OptionError("a parameter group has options of another optimizer; wanted signstep::SignSGDOptions");
}

SignSGDOptions& sign_sgd_options(torch::optim::OptimizerParamGroup& group) {
  return const_cast<SignSGDOptions&>(sign_sgd_options(std::as_const(group)));
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
