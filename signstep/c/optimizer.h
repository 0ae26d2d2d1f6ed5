// SPDX-License-Identifier: Apache-2.0
// What a signstep_optimizer is: a sign rule's plan, the numbers of its state, and the step on the caller's arrays.
#pragma once

#include <span>
#include <string>

#include "signstep/c/optimizer_state.h"
#include "signstep/c/signstep.h"

// C's name is the struct itself.
struct signstep_optimizer {
 public:
  // Throws OptionError, for malformed TOML too, and DataError for malformed JSON.
  signstep_optimizer(const std::string& options, size_t tensors);

  void grow(size_t tensors);
  void set_rank(uint32_t rank);
  uint32_t buffers() const;
  uint32_t run_buffers() const;
  signstep_report step(std::span<const signstep_tensor> tensors, signstep_passes passes, void* context);
  std::string options() const;
  std::string state() const { return signstep::write_state(numbers_, options_); }
  void restore(const std::string& state) {
    numbers_ = signstep::read_state(state, options_, plan_, tensors_);
    event_.reset();
  }
  uint64_t steps() const { return numbers_.steps; }
  std::string event() const { return event_ ? event_->text() : ""; }

 private:
  void check(std::span<const signstep_tensor> tensors, signstep_passes passes) const;

  signstep::SignRunOptions options_;  // resolved
  signstep::UpdatePlan plan_;
  size_t tensors_;
  signstep::SavedNumbers numbers_;
  std::optional<signstep::SwitchEvent> event_;  // of the last step
  uint32_t rank_ = 0;
};
