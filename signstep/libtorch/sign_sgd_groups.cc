// SPDX-License-Identifier: Apache-2.0
// Which parameters and groups a SignSGD steps: taken up at construction and whenever some were added.
#include <ATen/MemoryOverlap.h>
#include <torch/torch.h>

#include <unordered_set>

#include "signstep/base/error.h"
#include "signstep/libtorch/sign_sgd.h"

namespace signstep {
namespace {

std::vector<torch::optim::OptimizerParamGroup> one_group(std::vector<at::Tensor> parameters) {
  return {torch::optim::OptimizerParamGroup(std::move(parameters))};
}

void check_parameter(const at::Tensor& p, size_t i) {
  if (!p.defined() || p.layout() != at::kStrided || !at::isFloatingType(p.scalar_type())) {
    throw OptionError(fmt::format("parameter {} is {}; wanted a dense floating-point tensor", i,
                                  p.defined() ? p.toString() : "undefined"));
  }
  if (at::has_internal_overlap(p) == at::MemOverlap::Yes) {
    throw OptionError(
        fmt::format("parameter {} has several elements in one place of memory, as after expand(); wanted one "
                    "each: make it contiguous first",
                    i));
  }
  if (p.numel() >= int64_t{1} << 34) {
    throw OptionError(
        fmt::format("parameter {} has {} elements; wanted less than 2^34, which the random counter holds; "
                    "split it",
                    i, p.numel()));
  }
}

}  // namespace

SignSGD::SignSGD(std::vector<at::Tensor> parameters, SignSGDOptions defaults)
    : SignSGD(one_group(std::move(parameters)), std::move(defaults)) {}

SignSGD::SignSGD(std::vector<torch::optim::OptimizerParamGroup> groups, SignSGDOptions defaults)
    : Optimizer(std::vector<torch::optim::OptimizerParamGroup>(), std::make_unique<SignSGDOptions>(resolved(defaults))),
      options_(resolved(std::move(defaults))),
      plan_(make_update_plan(options_)) {
  for (const auto& group : groups) append(group);
  admit_new();
}

void SignSGD::add_param_group(const torch::optim::OptimizerParamGroup& group) {
  admit_new();
  append(group);
  admit_new();
}

// LibTorch 2.15 gives a group the optimizer's options where their type is none of its own optimizers'.
void SignSGD::append(const torch::optim::OptimizerParamGroup& group) {
  size_t i = 0;
  for (const auto& known : param_groups()) i += known.params().size();
  for (const at::Tensor& p : group.params()) check_parameter(p, i++);  // the base class says less
  Optimizer::add_param_group(group);
  if (group.has_options()) param_groups().back().set_options(group.options().clone());
}

std::vector<at::Tensor> SignSGD::all_parameters() const {
  std::vector<at::Tensor> all;
  for (const auto& group : param_groups()) all.insert(all.end(), group.params().begin(), group.params().end());
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (i < all.size() && all[i].is_same(slots_[i].parameter)) continue;
    throw OptionError(
        fmt::format("parameter {} is no longer the tensor that it was; wanted new parameters in a group of "
                    "their own at the end, and the old ones left in place",
                    i));
  }
  return all;
}

void SignSGD::check_new(const std::vector<at::Tensor>& all) const {
  if (all.size() > slots_.size() && steps_ > 0 && plan_.switching.options.switch_scope == SwitchScope::kTensor &&
      plan_.switching.options.switch_when != SwitchWhen::kNever) {
    throw OptionError(
        "parameters were added after the first step and switch_scope is tensor; wanted all of them before "
        "it; choose switch_scope global");
  }
  for (size_t g = groups_; g < param_groups().size(); ++g) in_force(sign_sgd_options(param_groups()[g]), options_, g);
  std::unordered_set<at::TensorImpl*> seen;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i >= slots_.size()) check_parameter(all[i], i);
    if (!seen.insert(all[i].unsafeGetTensorImpl()).second) {
      throw OptionError(fmt::format("parameter {} was given before; wanted each parameter once", i));
    }
  }
}

void SignSGD::admit_new() {
  const std::vector<at::Tensor> all = all_parameters();
  if (all.size() == slots_.size() && groups_ == param_groups().size()) return;
  try {
    check_new(all);
  } catch (...) {
    // As if it had never been added.
    size_t known = slots_.size();
    while (param_groups().size() > groups_) param_groups().pop_back();
    for (auto& group : param_groups()) {
      group.params().resize(std::min(known, group.params().size()));
      known -= group.params().size();
    }
    throw;
  }
  state_ = state_for(all.size());
  for (size_t i = slots_.size(); i < all.size(); ++i) slots_.push_back({all[i], {}, {}});
  for (; groups_ < param_groups().size(); ++groups_) {
    SignSGDOptions& options = sign_sgd_options(param_groups()[groups_]);
    options = in_force(options, options_, groups_);
  }
}

SignState SignSGD::state_for(size_t parameters) const {
  SignState fresh = make_sign_state(plan_, parameters);
  if (steps_ == 0) return fresh;
  SignState grown = state_;
  grown.dither.rms.resize(fresh.dither.rms.size());
  return grown;
}

}  // namespace signstep
