// SPDX-License-Identifier: Apache-2.0
#include "signstep/c/optimizer.h"

#include <limits>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/c/passes_stepper.h"
#include "signstep/c/shared_threads.h"
#include "signstep/io/config.h"
#include "signstep/io/json_text.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

constexpr uint64_t kMostTensors = uint64_t{1} << 24;  // of the random counter

SignRunOptions read_options(const std::string& text) {
  SignRunOptions out;
  OptionList list;
  describe(list, out);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') {
    from_json(nlohmann::json::parse(parse_json(text, "options").dump()), list);
  } else {
    parse_toml(text, "options", list);
  }
  return resolved(out);
}

void require_tensors(uint64_t tensors) {
  if (tensors > kMostTensors)
    throw OptionError(fmt::format("{} tensors; wanted at most 2^24, which the random counter holds", tensors));
}

double or_nan(const std::optional<double>& value) { return value.value_or(std::numeric_limits<double>::quiet_NaN()); }

}  // namespace
}  // namespace signstep

using namespace signstep;  // the struct has C's name

signstep_optimizer::signstep_optimizer(const std::string& options, size_t tensors)
    : options_(read_options(options)), plan_(make_update_plan(options_)), tensors_(tensors) {
  require_tensors(tensors);
  numbers_.state = make_sign_state(plan_, tensors);
}

void signstep_optimizer::grow(size_t tensors) {
  require_tensors(tensors);
  if (tensors < tensors_)
    throw OptionError(fmt::format("{} tensors; wanted at least the {} that there are", tensors, tensors_));
  const SwitchOptions& switching = options_.switching;
  if (tensors > tensors_ && numbers_.steps > 0 && switching.switch_when != SwitchWhen::kNever &&
      switching.switch_scope == SwitchScope::kTensor) {
    throw OptionError(
        "tensors were added after the first step and switch_scope is tensor; wanted all of them before it; choose "
        "switch_scope global");
  }
  SignState fresh = make_sign_state(plan_, tensors);
  if (numbers_.steps == 0) {
    numbers_.state = std::move(fresh);
  } else {
    numbers_.state.dither.rms.resize(fresh.dither.rms.size());
  }
  tensors_ = tensors;
}

void signstep_optimizer::set_rank(uint32_t rank) {
  if (rank >= kSharedRank)
    throw OptionError(fmt::format("rank is {}; wanted less than {}, which all ranks share", rank, kSharedRank));
  rank_ = rank;
}

uint32_t signstep_optimizer::buffers() const {
  return (moves_average(plan_, numbers_.state) ? SIGNSTEP_M : 0) | (keeps_maximum(plan_.dither) ? SIGNSTEP_MAXIMUM : 0);
}

uint32_t signstep_optimizer::run_buffers() const {
  return (needs_average(plan_) ? SIGNSTEP_M : 0) | (keeps_maximum(plan_.dither) ? SIGNSTEP_MAXIMUM : 0);
}

void signstep_optimizer::check(std::span<const signstep_tensor> tensors, signstep_passes passes) const {
  if (tensors.size() != tensors_)
    throw OptionError(
        fmt::format("the step has {} tensors; wanted the {} that the optimizer was made for; give those "
                    "that sit out a size of 0, and add new ones by grow",
                    tensors.size(), tensors_));
  const uint32_t arrays = buffers();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const signstep_tensor& t = tensors[i];
    const auto refuse = [&](const char* name, const char* wanted) {
      throw OptionError(fmt::format("tensor {}: {} is NULL; wanted {}", i, name, wanted));
    };
    if (t.n == 0) continue;
    if (t.n >= kMostElements)
      throw OptionError(fmt::format("tensor {} has {} elements; wanted less than 2^34; split it", i, t.n));
    if (t.x == nullptr) {
      if (passes == nullptr) refuse("x", "its values, or passes that step it");
      continue;
    }
    if (t.g == nullptr) refuse("g", "its gradients");
    if ((arrays & SIGNSTEP_M) && t.m == nullptr) refuse("m", "its averages, all 0 at first");
    if ((arrays & SIGNSTEP_MAXIMUM) && t.maximum == nullptr) refuse("maximum", "its maxima, all 0 at first");
  }
}

signstep_report signstep_optimizer::step(std::span<const signstep_tensor> tensors, signstep_passes passes,
                                         void* context) {
  check(tensors, passes);
  const uint32_t arrays = buffers();
  std::vector<StepTensor> stepped(tensors.size());
  std::vector<TensorRate> rates(tensors.size());
  std::vector<bool> foreign(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const signstep_tensor& t = tensors[i];
    rates[i] = {t.lr, t.decay};
    foreign[i] = t.n > 0 && t.x == nullptr;
    if (t.n == 0 || foreign[i]) continue;
    stepped[i].x = t.x;
    stepped[i].g = t.g;
    stepped[i].m = (arrays & SIGNSTEP_M) ? t.m : nullptr;
    stepped[i].maximum = (arrays & SIGNSTEP_MAXIMUM) ? t.maximum : nullptr;
    stepped[i].n = t.n;
  }
  StepReport report;
  with_executor([&](Executor& executor) {
    PassesStepper stepper(executor, foreign, arrays, rank_, passes, context);
    report = sign_optimizer_step(plan_, numbers_.state, numbers_.steps, stepped, rates, stepper);
  });
  ++numbers_.steps;
  SwitchReport& s = report.switching;
  signstep_report out{};
  out.nonfinite = report.nonfinite;
  out.first_nonfinite = report.first_nonfinite;
  out.dither_level = report.dither_level;
  out.gamma = or_nan(s.gamma);
  out.lambda = or_nan(s.lambda);
  out.sgd_rate = or_nan(s.sgd_rate);
  out.phase = static_cast<uint32_t>(report.phase);
  out.has_event = s.event ? 1 : 0;
  event_ = std::move(s.event);  // what follows a step must not fail
  return out;
}

std::string signstep_optimizer::options() const {
  SignRunOptions copy = options_;
  OptionList list;
  describe(list, copy);
  return json_text(to_json(list));
}
