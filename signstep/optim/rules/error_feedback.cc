// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/rules/error_feedback.h"

#include <cmath>
#include <limits>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/optim/scaled_vote.h"
#include "signstep/optim/shared_options.h"
#include "signstep/parallel/pieces.h"
#include "signstep/wire/gather.h"

namespace signstep {
namespace {

constexpr float kLeftAlone = std::numeric_limits<float>::quiet_NaN();

struct Sums {
  double l1 = 0;
  uint64_t finite = 0, nonfinite = 0;
  void operator+=(const Sums& o) { l1 += o.l1, finite += o.finite, nonfinite += o.nonfinite; }
};

// p = lr u + e, m moved; kLeftAlone where that is not finite, and m stays.
Sums corrected(float lr, float b, std::span<const float> g, std::span<float> m, std::span<const float> e,
               std::span<float> p) {
  Sums sums;
  for (size_t i = 0; i < g.size(); ++i) {
    const float u = m.empty() ? g[i] : b * m[i] + (1 - b) * g[i];
    const float sum = lr * u + e[i];
    const bool finite = std::isfinite(u) && std::isfinite(sum);
    if (!m.empty() && finite) m[i] = u;
    p[i] = finite ? sum : kLeftAlone;
    sums.l1 += finite ? std::abs(sum) : 0.0f;
    sums.finite += finite;
    sums.nonfinite += !finite;
  }
  return sums;
}

class ErrorFeedback final : public UpdateRule {
 public:
  ErrorFeedback(const ErrorFeedbackOptions& resolved, uint64_t seed, const WorkerOptions& workers)
      : o_(resolved), seed_(seed), workers_(workers) {}

  double learning_rate() const override { return *o_.learning_rate; }
  // "e_mean": of many workers what the sign of their mean left out, each having the coordinates that it counts.
  std::vector<std::string> buffers() const override {
    std::vector<std::string> names;
    if (*o_.momentum > 0) names.push_back("m");
    names.push_back("e");
    if (workers_.workers > 1) names.push_back("e_mean");
    return names;
  }
  bool joins_ranks() const override { return true; }
  void require_ranks(size_t ranks) const override {
    if (ranks != static_cast<size_t>(workers_.workers))
      throw OptionError(fmt::format("ef-signsgd was made for {} workers, and {} ranks are here; set workers to as many",
                                    workers_.workers, ranks));
  }

  StepReport step(const RuleStep& s, OptimizerState& state) const override {
    const double factor = decay_factor(s.rate, *o_.decoupled_weight_decay, "decoupled_weight_decay");
    const bool alone = s.world == nullptr || s.world->size() == 1;
    if (!alone) require_ranks(s.world->size());
    const std::span<float> m = state.buffer("m"), e = state.buffer("e");
    std::vector<float> p(e.size());
    std::vector<Sums> sums(s.tensors.size());
    const auto size = [&](size_t t) { return s.tensors[t].size; };
    sum_pieces(std::span(sums), s.executor, size, [&](size_t t, size_t begin, size_t end) {
      const size_t at = s.tensors[t].offset + begin, n = end - begin;
      return corrected(static_cast<float>(s.rate), static_cast<float>(*o_.momentum), s.gradients.subspan(at, n),
                       m.empty() ? m : m.subspan(at, n), e.subspan(at, n), std::span(p).subspan(at, n));
    });

    std::vector<size_t> sizes;
    std::vector<double> scales;
    std::vector<uint64_t> nonfinite;
    for (size_t t = 0; t < s.tensors.size(); ++t) {
      sizes.push_back(s.tensors[t].size);
      scales.push_back(sums[t].finite == 0 ? 0.0 : sums[t].l1 / static_cast<double>(sums[t].finite));
      nonfinite.push_back(sums[t].nonfinite);
    }
    const uint32_t rank = alone ? 0 : static_cast<uint32_t>(s.world->rank());
    Ballot ballot(sizes);
    for (size_t t = 0; t < sizes.size(); ++t) {
      const size_t at = s.tensors[t].offset;
      pack_signs(std::span(p).subspan(at, sizes[t]), ZeroPolicy::kRandom,
                 Stream(seed_, Purpose::kZeroCoin, state.step, static_cast<uint32_t>(t), rank), ballot.words(t),
                 s.executor);
      keep(ballot.words(t), static_cast<float>(scales[t]), std::span(p).subspan(at, sizes[t]), e.subspan(at, sizes[t]),
           s.executor);
    }
    if (!alone) {
      ballot.attack_if_hostile(*s.world, workers_, seed_, state.step);
      scales =
          vote_scaled_signs(*s.world, ballot, s.tensors, scales, state.buffer("e_mean"), seed_, state.step, s.executor);
      nonfinite = sums_over_ranks(*s.world, std::span<const uint64_t>(nonfinite));
    }

    StepReport report;
    for (size_t t = sizes.size(); t-- > 0;) {
      const size_t at = s.tensors[t].offset;
      const std::span<const float> left_alone = alone ? std::span(p).subspan(at, sizes[t]) : std::span<float>();
      apply(ballot.words(t), static_cast<float>(scales[t]), static_cast<float>(factor), left_alone,
            s.values.subspan(at, sizes[t]), s.executor);
      if (nonfinite[t] > 0) report.first_nonfinite = t;
      report.nonfinite += nonfinite[t];
    }
    return report;
  }

 private:
  static float step_along(std::span<const uint64_t> signs, float scale, size_t i) {
    return signs[i / 64] >> (i % 64) & 1 ? scale : -scale;
  }

  // e = p - D of this rank's own D.
  static void keep(std::span<const uint64_t> signs, float scale, std::span<const float> p, std::span<float> e,
                   Executor& executor) {
    for_each_piece(e.size(), executor, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        if (!std::isnan(p[i])) e[i] = p[i] - step_along(signs, scale, i);
    });
  }

  // p: alone, whose coordinates that are left alone take no step; empty over ranks, where they take everyone's.
  static void apply(std::span<const uint64_t> signs, float scale, float factor, std::span<const float> p,
                    std::span<float> x, Executor& executor) {
    for_each_piece(x.size(), executor, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        if (p.empty() || !std::isnan(p[i])) x[i] = factor * x[i] - step_along(signs, scale, i);
    });
  }

  ErrorFeedbackOptions o_;
  uint64_t seed_;
  WorkerOptions workers_;
};

}  // namespace

void ErrorFeedbackOptions::describe(OptionList& list) {
  describe_learning_rate(list, learning_rate, "ef-signsgd 0.1");
  describe_momentum(list, momentum);
  describe_decoupled_weight_decay(list, decoupled_weight_decay, "ef-signsgd 0");
}

void ErrorFeedbackOptions::resolve() {
  fill(learning_rate, 0.1, "learning_rate", "ef-signsgd");
  fill(momentum, 0.9, "momentum", "ef-signsgd");
  fill(decoupled_weight_decay, 0.0, "decoupled_weight_decay", "ef-signsgd");
  require_float("learning_rate", learning_rate);
  require_float_factor("momentum", momentum);
  decay_factor(*learning_rate, *decoupled_weight_decay, "decoupled_weight_decay");
}

std::unique_ptr<UpdateRule> ErrorFeedbackOptions::make(const RuleContext& c) const {
  return std::make_unique<ErrorFeedback>(*this, c.seed, c.workers);
}

RuleFamily error_feedback_family() {
  return {{{"ef-signsgd", "EF-SignSGD"}}, [](const std::string&) { return std::make_unique<ErrorFeedbackOptions>(); }};
}

}  // namespace signstep
