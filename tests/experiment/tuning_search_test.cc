// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/tuning_search.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "signstep/base/number.h"

namespace signstep {
namespace {

using testing::ElementsAre;

const std::vector<GridAxis> kAxes = {{"decoupled_weight_decay", {"0.5", "0.1", "1"}},
                                     {"learning_rate", {"1e-4", "3e-4", "1e-3", "3e-3"}},
                                     {"momentum", {"0.9", "0.99"}}};

// The value of an option in a trial.
double value(size_t trial, const std::string& option) {
  const Settings settings = combinations(kAxes)[trial];
  const auto found = std::find_if(settings.begin(), settings.end(), [&](const auto& s) { return s.first == option; });
  return *parse_number(found->second);
}

// Asks as a comparison does: only what was asked for is known.
SearchState search_to_the_end(TuningSearch search, const std::function<double(size_t)>& score, size_t* rounds) {
  std::set<size_t> known;
  for (*rounds = 0;; ++*rounds) {
    SearchState state = search_trials(kAxes, search, [&](size_t t) -> std::optional<double> {
      return known.contains(t) ? std::optional(score(t)) : std::nullopt;
    });
    if (state.chosen) return state;
    const size_t before = known.size();
    known.insert(state.asked.begin(), state.asked.end());
    if (known.size() == before) {
      ADD_FAILURE() << "it waits for nothing";
      return state;
    }
  }
}

TEST(TuningSearchTest, ACoordinateSearchGoesAlongOneOptionAfterTheOther) {
  // Best are rate 1e-3, then decay 1, then momentum 0.9.
  const auto score = [](size_t t) {
    return (value(t, "learning_rate") == 1e-3 ? 10 : 0) + value(t, "decoupled_weight_decay") - value(t, "momentum");
  };
  size_t rounds = 0;
  const SearchState state = search_to_the_end(TuningSearch::kCoordinate, score, &rounds);
  EXPECT_EQ(rounds, 3u);
  std::vector<std::string> asked;
  for (const size_t t : state.asked) asked.push_back(settings_text(combinations(kAxes)[t]));
  EXPECT_THAT(asked, ElementsAre("decoupled_weight_decay 0.5, learning_rate 1e-4, momentum 0.9",
                                 "decoupled_weight_decay 0.5, learning_rate 3e-4, momentum 0.9",
                                 "decoupled_weight_decay 0.5, learning_rate 1e-3, momentum 0.9",
                                 "decoupled_weight_decay 0.5, learning_rate 3e-3, momentum 0.9",
                                 "decoupled_weight_decay 0.1, learning_rate 1e-3, momentum 0.9",
                                 "decoupled_weight_decay 1, learning_rate 1e-3, momentum 0.9",
                                 "decoupled_weight_decay 1, learning_rate 1e-3, momentum 0.99"));
  EXPECT_EQ(state.asked.size(), count_trials(kAxes, TuningSearch::kCoordinate));
  EXPECT_EQ(settings_text(combinations(kAxes)[*state.chosen]),
            "decoupled_weight_decay 1, learning_rate 1e-3, momentum 0.9");
}

// Where each option adds its own part, both searches end at the same trial.
TEST(TuningSearchTest, BothSearchesAgreeWhereOptionsDoNotDependOnEachOther) {
  for (size_t best = 0; best < count_combinations(kAxes); ++best) {
    const auto score = [&](size_t t) {
      double sum = 0;
      for (const GridAxis& axis : kAxes) sum += value(t, axis.option) == value(best, axis.option) ? 1 : 0;
      return sum;
    };
    for (const TuningSearch search : {TuningSearch::kGrid, TuningSearch::kCoordinate}) {
      size_t rounds = 0;
      EXPECT_EQ(search_to_the_end(search, score, &rounds).chosen, best);
      EXPECT_EQ(rounds, search == TuningSearch::kGrid ? 1 : kAxes.size());
    }
  }
}

TEST(TuningSearchTest, OfEqualTrialsTheFirstIsChosen) {
  for (const TuningSearch search : {TuningSearch::kGrid, TuningSearch::kCoordinate})
    EXPECT_EQ(search_trials(kAxes, search, [](size_t) { return 1.0; }).chosen, 0u);
}

TEST(TuningSearchTest, NothingIsChosenWhileATrialIsUnknown) {
  const auto first_unknown = [](size_t t) { return t == 0 ? std::nullopt : std::optional(1.0); };
  for (const TuningSearch search : {TuningSearch::kGrid, TuningSearch::kCoordinate})
    EXPECT_FALSE(search_trials(kAxes, search, first_unknown).chosen);
  EXPECT_EQ(search_trials(kAxes, TuningSearch::kCoordinate, first_unknown).asked.size(), 4u);
}

TEST(TuningSearchTest, WithoutOptionsThereIsOneTrial) {
  for (const TuningSearch search : {TuningSearch::kGrid, TuningSearch::kCoordinate}) {
    EXPECT_EQ(count_trials({}, search), 1u);
    EXPECT_EQ(search_trials({}, search, [](size_t) { return 1.0; }).chosen, 0u);
  }
  EXPECT_EQ(count_trials(kAxes, TuningSearch::kGrid), 24u);
  EXPECT_EQ(count_trials(kAxes, TuningSearch::kCoordinate), 7u);
}

}  // namespace
}  // namespace signstep
