// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rules/sgd.h"

#include "signstep/base/error.h"
#include "signstep/optim/shared_options.h"
#include "signstep/optim/step_pieces.h"

namespace signstep {
namespace {

class Sgd final : public UpdateRule, public PassRule {
 public:
  explicit Sgd(const SgdOptions& resolved) : o_(resolved) {}

  double learning_rate() const override { return *o_.learning_rate; }

  std::vector<std::string> buffers() const override {
    return *o_.momentum > 0 ? std::vector<std::string>{"m"} : std::vector<std::string>{};
  }

  StepReport step(const RuleStep& s, OptimizerState& state) const override {
    const HeavyBall rule = numbers(s.rate);
    const std::span<float> m = state.buffer("m");
    return step_pieces(s, [&](size_t begin, size_t end) {
      return heavy_ball_step(rule, piece_of(s.values, begin, end), s.gradients.subspan(begin, end - begin),
                             piece_of(m, begin, end));
    });
  }

  const PassRule* by_passes() const override { return this; }
  StepReport step(const PassStep& s, OptimizerState&) const override { return baseline_pass(s, numbers(s.rate)); }

 private:
  HeavyBall numbers(double rate) const {
    const double factor = decay_factor(rate, *o_.decoupled_weight_decay, "decoupled_weight_decay");
    return {static_cast<float>(rate), static_cast<float>(*o_.momentum), static_cast<float>(*o_.l2_penalty),
            static_cast<float>(factor), o_.nesterov};
  }

  SgdOptions o_;
};

}  // namespace

void SgdOptions::describe(OptionList& list) {
  describe_learning_rate(list, learning_rate, "sgd 0.1");
  describe_momentum(list, momentum);
  describe_decoupled_weight_decay(list, decoupled_weight_decay, "sgd 0");
  describe_l2_penalty(list, l2_penalty, "sgd 5e-4");
  list.flag("nesterov", nesterov, "Nesterov momentum for sgd");
}

// The defaults are those of He et al. 2016, arXiv 1512.03385, section 4.2.
void SgdOptions::resolve() {
  fill(learning_rate, 0.1, "learning_rate", "sgd");
  fill(momentum, 0.9, "momentum", "sgd");
  fill(decoupled_weight_decay, 0.0, "decoupled_weight_decay", "sgd");
  fill(l2_penalty, 5e-4, "l2_penalty", "sgd");
  require_float("learning_rate", learning_rate);
  require_float("l2_penalty", l2_penalty);
  require_float_factor("momentum", momentum);
  decay_factor(*learning_rate, *decoupled_weight_decay, "decoupled_weight_decay");
  if (*momentum == 0) require_unused();
}

void SgdOptions::require_unused() const {
  if (!nesterov) return;
  throw OptionError("nesterov is true; wanted with sgd and a momentum above 0; leave it out or choose optimizer sgd");
}

std::unique_ptr<UpdateRule> SgdOptions::make(const RuleContext&) const { return std::make_unique<Sgd>(*this); }

RuleFamily sgd_family() {
  return {{{"sgd", "SGD"}}, [](const std::string&) { return std::make_unique<SgdOptions>(); }};
}

uint64_t heavy_ball_step(const HeavyBall& r, std::span<float> x, std::span<const float> g, std::span<float> m) {
  uint64_t nonfinite = 0;
  float none = 0;
  if (m.empty())
    for (size_t i = 0; i < x.size(); ++i) nonfinite += !heavy_ball_element<false>(r, x[i], g[i], none);
  else
    for (size_t i = 0; i < x.size(); ++i) nonfinite += !heavy_ball_element<true>(r, x[i], g[i], m[i]);
  return nonfinite;
}

}  // namespace signstep
