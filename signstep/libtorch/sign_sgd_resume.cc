// SPDX-License-Identifier: Apache-2.0
// Saving a SignSGD, and loading one where every part of what was saved fits.
#include <torch/torch.h>

#include "signstep/base/error.h"
#include "signstep/libtorch/sign_sgd.h"
#include "signstep/libtorch/sign_sgd_archive.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

std::string shape_of(const at::Tensor& t) {
  return fmt::format("{} ({})", c10::toString(t.scalar_type()), fmt::join(t.sizes(), ", "));
}

// Why an archive is another optimizer's.
[[noreturn]] void refuse(const std::string& what) {
  throw CheckpointError(what + "; construct the optimizer with the parameters of the saved one, in their order");
}

void require_same_groups(const SavedSignSGD& saved, const std::vector<torch::optim::OptimizerParamGroup>& groups) {
  if (saved.groups.size() != groups.size()) {
    refuse(fmt::format("the archive has {} parameter groups, this optimizer {}", saved.groups.size(), groups.size()));
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    sign_sgd_options(groups[g]);  // throws where they are another optimizer's
    const uint64_t seen = saved.groups[g].first, wanted = groups[g].params().size();
    if (seen != wanted) {
      refuse(fmt::format("parameter group {} has {} parameters in the archive, {} in this optimizer", g, seen, wanted));
    }
  }
}

void require_same_options(const SavedSignSGD& saved, const SignSGDOptions& own) {
  for (size_t g = 0; g < saved.groups.size(); ++g) {
    const SignSGDOptions& options = saved.groups[g].second;
    if (const std::string unlike = difference(own, options); !unlike.empty()) {
      throw CheckpointError(
          fmt::format("{}, as in the archive; construct the optimizer with the options of the saved one", unlike));
    }
    if (const std::string complaint = rate_complaint(options); !complaint.empty()) {
      throw CheckpointError(fmt::format("parameter group {} of the archive: {}; use another", g, complaint));
    }
  }
}

// wanted is a parameter's average or maximum, what, as this optimizer would make it.
void require_same_shape(const char* what, const at::Tensor& seen, const at::Tensor& wanted, size_t i) {
  if (seen.sizes() == wanted.sizes() && seen.scalar_type() == wanted.scalar_type()) return;
  refuse(
      fmt::format("the {} of parameter {} is {} in the archive; wanted {}", what, i, shape_of(seen), shape_of(wanted)));
}

}  // namespace

void SignSGD::save(torch::serialize::OutputArchive& archive) const {
  const std::vector<at::Tensor> all = all_parameters();
  check_new(all);
  SavedSignSGD saved{steps_, state_for(all.size()), {}, {}, {}};
  for (const auto& group : param_groups()) {
    saved.groups.emplace_back(group.params().size(), in_force(sign_sgd_options(group), options_, saved.groups.size()));
  }
  for (const Slot& slot : slots_) {
    saved.averages.push_back(slot.m);
    saved.maxima.push_back(slot.maximum);
  }
  write_archive(archive, saved);
}

void SignSGD::load(torch::serialize::InputArchive& archive) {
  admit_new();
  SavedSignSGD saved = read_archive(archive, slots_.size());
  require_same_groups(saved, param_groups());
  require_same_options(saved, options_);
  if (saved.steps >= kMostSteps)
    throw CheckpointError(
        fmt::format("the archive has {} steps, wanted less than 2^48; it is damaged, use another", saved.steps));
  require_fit(saved.state.dither, plan_.dither, slots_.size());
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> averages(slots_.size()), maxima(slots_.size());
  const auto like = [&](const char* what, const at::Tensor& seen, size_t i) {
    if (!seen.defined()) return at::Tensor();
    at::Tensor own = make_state(slots_[i].parameter);
    require_same_shape(what, seen, own, i);
    return own;
  };
  for (size_t i = 0; i < slots_.size(); ++i) {
    averages[i] = like("average", saved.averages[i], i);
    maxima[i] = like("maximum", saved.maxima[i], i);
  }
  require_fit(saved.state.switching, plan_.switching, slots_.size());

  for (size_t i = 0; i < slots_.size(); ++i) {
    if (averages[i].defined()) averages[i].copy_(saved.averages[i]);
    if (maxima[i].defined()) maxima[i].copy_(saved.maxima[i]);
    slots_[i].m = averages[i];
    slots_[i].maximum = maxima[i];
  }
  for (size_t g = 0; g < saved.groups.size(); ++g) {
    SignSGDOptions& options = sign_sgd_options(param_groups()[g]);
    options = options_;
    options.rule.learning_rate = saved.groups[g].second.rule.learning_rate;
    options.rule.decoupled_weight_decay = saved.groups[g].second.rule.decoupled_weight_decay;
  }
  steps_ = saved.steps;
  state_ = std::move(saved.state);
  report_ = {};
}

}  // namespace signstep
