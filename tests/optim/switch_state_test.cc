// SPDX-License-Identifier: Apache-2.0
// The switch controller's state through a checkpoint.
#include <map>
#include <utility>

#include "tests/optim/switch_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;

// A checkpoint as JSON would hold it: shortest decimal text that gives the same double back.
struct Archive {
  std::map<std::string, std::string> fields;
};

struct Save {
  Archive& to;
  template <class T>
  void operator()(const char* name, const T& value) const {
    if constexpr (requires { value.size(); }) {
      to.fields[name] = fmt::format("{}", fmt::join(value, ","));
    } else {
      to.fields[name] = fmt::format("{}", value);
    }
  }
};

struct Load {
  const Archive& from;
  void operator()(const char* name, uint64_t& value) const { value = std::stoull(from.fields.at(name)); }
  void operator()(const char* name, bool& value) const { value = from.fields.at(name) == "true"; }
  template <class T>
  void operator()(const char* name, std::vector<T>& value) const {
    value.clear();
    std::string rest = from.fields.at(name);
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const std::string item = rest.substr(0, comma);
      if constexpr (std::is_same_v<T, double>) {
        value.push_back(std::stod(item));
      } else {
        value.push_back(std::stoull(item));
      }
      rest.erase(0, comma + 1);
    }
  }
};

// What a run decides, in full: every report and every phase, with exact doubles.
std::string decisions(const SwitchPlan& plan, std::optional<uint64_t> interrupted_after) {
  SwitchState state = make_switch_state(plan, 2);
  std::string log;
  for (uint64_t t = 0; t < 60; ++t) {
    if (t == interrupted_after) {
      Archive archive;
      visit_fields(std::as_const(state), Save{archive});
      state = SwitchState{};
      visit_fields(state, Load{archive});
      require_fit(state, plan, 2);
    }
    const double lr = 1e-3 / static_cast<double>(t + 1);
    const PhaseRates rates = phase_rates(plan, state, lr);
    log += fmt::format("{} {:a} {:a} {:a}", static_cast<int>(rates.phase), rates.sign_lr, rates.alpha,
                       fmt::join(rates.sgd_rates, " "));
    const double wobble = std::sin(static_cast<double>(t * t));
    Sums sums{of_ratio(2 + 0.7 * wobble, 77), of_ratio(3 - wobble / 3, 91)};
    if (t % 7 == 3) sums[0] = kNoEstimate;
    const SwitchReport report = switch_step(plan, state, lr, sums);
    log += fmt::format(" | {:a} {:a} {}\n", report.gamma.value_or(-1), report.lambda.value_or(-1),
                       report.event ? fmt::format("{} {:a}", report.event->text(), report.event->sgd_rate) : "");
  }
  return log;
}

TEST(Switch, AResumedRunDecidesTheSameBitForBit) {
  for (const SwitchOptions& o :
       {at_step(30, 10), by_tensor(at_step(30, 10)), auto_swats(3, 0.2), by_tensor(auto_swats(2, 0.2)),
        followed(at_step(30, 10)), followed(by_tensor(at_step(30)))}) {
    const SwitchPlan plan = plan_of(o, 60);
    const std::string whole = decisions(plan, std::nullopt);
    EXPECT_THAT(whole, HasSubstr("switched to SGD"));
    for (uint64_t t = 0; t < 60; ++t) ASSERT_EQ(decisions(plan, t), whole) << "interrupted after " << t;
  }
}

TEST(Switch, AStateOfAnotherRunIsRefused) {
  const SwitchPlan plan = plan_of(at_step(5, 3)), tensors = plan_of(by_tensor(at_step(5)));
  SwitchState state = make_switch_state(plan, 2);
  EXPECT_NO_THROW(require_fit(state, plan, 2));
  EXPECT_THROW(require_fit(state, tensors, 2), CheckpointError);
  EXPECT_THROW(require_fit(make_switch_state(tensors, 2), tensors, 3), CheckpointError);
  state.lambda[0] = std::nan("");
  EXPECT_THROW(require_fit(state, plan, 2), CheckpointError);
  state = make_switch_state(plan, 2);
  state.phase = SwitchPhase::kSgd;
  EXPECT_THROW(require_fit(state, plan, 2), CheckpointError) << "SGD without a rate";
  state.rates = {-1};
  state.switched_after = state.steps = 5;
  state.blended = 3;
  EXPECT_THROW(require_fit(state, plan, 2), CheckpointError) << "a negative rate";
  state.rates = {1};
  EXPECT_NO_THROW(require_fit(state, plan, 2));
}

}  // namespace
}  // namespace signstep
