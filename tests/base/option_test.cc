// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/option.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "signstep/base/duration.h"
#include "signstep/base/error.h"

namespace signstep {
namespace {

enum class Color { kRed, kGreen };

struct Sample {
  bool on = false;
  int64_t count = 3;
  uint64_t seed = 7;
  double rate = 0.1;
  std::optional<double> decay;
  std::string path = "here";
  double limit = 0;
  Color color = Color::kRed;
  std::vector<double> shares = {0.25, 0.5};
  std::vector<int64_t> sizes = {8, 1};

  OptionList list() {
    OptionList l;
    l.group("All");
    l.flag("on", on, "a switch");
    l.integer("count", count, Range::at_least(1), "things", "how many");
    l.seed("seed", seed, "the seed");
    l.number("learning_rate", rate, Range::positive(), "per step", "step size");
    l.number_or_auto("decay", decay, Range::fraction(), "", "decay");
    l.text("path", path, "where");
    l.duration("limit", limit, "how long");
    l.choice("color", color, {"red", "green"}, "which").role(Role::kProtocol).role(Role::kResumable);
    l.numbers("shares", shares, {.each = Range::fraction(), .rising = true}, "rising shares, such as 0.5,0.75", "when");
    l.integers("sizes", sizes, {.each = Range::closed(1, 64), .least = 1}, "sizes, such as 1,8", "how large")
        .role(Role::kRepetition)
        .open_as("1");
    return l;
  }
};

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const OptionError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Option, EveryKindSurvivesTextAndBack) {
  Sample a, b;
  OptionList list = a.list();
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"on", "true"},
                                                                                    {"count", "60_000"},
                                                                                    {"seed", "9223372036854775807"},
                                                                                    {"learning_rate", "1e-3"},
                                                                                    {"decay", "0.25"},
                                                                                    {"path", "a b"},
                                                                                    {"limit", "3h50m"},
                                                                                    {"color", "green"},
                                                                                    {"shares", "0.5,0.75"},
                                                                                    {"sizes", "1_0,3"}})
    list.set(name, value);
  EXPECT_EQ(a.count, 60000);
  EXPECT_EQ(a.limit, 13800);
  OptionList other = b.list();
  for (const Option& option : list.options()) other.set(option.name, option.text());
  EXPECT_EQ(list.to_text(), other.to_text());
  EXPECT_EQ(b.rate, 1e-3);
  EXPECT_EQ(b.decay, 0.25);
}

TEST(Option, ABadValueSaysWhatWasSeenAndWanted) {
  Sample s;
  OptionList list = s.list();
  EXPECT_EQ(message_of([&] { list.set("learning_rate", "-1"); }),
            "learning_rate is '-1'; wanted a number greater than 0 (per step)");
  EXPECT_EQ(message_of([&] { list.set("decay", "1"); }), "decay is '1'; wanted auto or a number in [0, 1)");
  EXPECT_EQ(message_of([&] { list.set("color", "blue"); }), "color is 'blue'; wanted one of red, green");
  EXPECT_EQ(message_of([&] { list.set("color", "gren"); }),
            "color is 'gren'; wanted one of red, green; did you mean 'green'?");
  std::string name = "oak";
  OptionList names;
  names.choice("tree", name, {"elm", "ash"}, "which");
  EXPECT_EQ(message_of([&] { names.validate(); }), "tree is 'oak'; wanted one of elm, ash");
  names.set("tree", "ash");
  EXPECT_EQ(name + names.find("tree")->text(), "ashash");
  for (const char* bad : {"nan", "inf", "1e999", "", "1x", "--1", "+-5", "++5", "1__0", "_1", "1_", "1_.5", "1e_5"}) {
    EXPECT_THAT(message_of([&] { list.set("learning_rate", bad); }), testing::HasSubstr("wanted")) << bad;
    EXPECT_THAT(message_of([&] { list.set("count", bad); }), testing::HasSubstr("wanted")) << bad;
    EXPECT_THAT(message_of([&] { list.set("limit", bad); }), testing::HasSubstr("wanted")) << bad;
  }
  EXPECT_EQ(s.rate, 0.1) << "a rejected value must leave the old one";
}

TEST(Option, AMisspeltNameIsAnsweredWithTheNearest) {
  Sample s;
  OptionList list = s.list();
  EXPECT_EQ(message_of([&] { list.set("lerning_rate", "1"); }),
            "unknown option 'lerning_rate'; did you mean 'learning_rate'?");
  EXPECT_EQ(message_of([&] { list.set("zzzzzzzz", "1"); }), "unknown option 'zzzzzzzz'");
}

TEST(Option, ValidateSeesValuesSetFromCode) {
  Sample s;
  s.rate = -2;
  EXPECT_THAT(message_of([&] { s.list().validate(); }), testing::HasSubstr("learning_rate is '-2'"));
}

TEST(Option, NumbersAsTomlWritesThem) {
  Sample s;
  OptionList list = s.list();
  list.set("count", "+6_0_000");
  EXPECT_EQ(s.count, 60000);
  list.set("learning_rate", "+1_0.2_5e-0_2");
  EXPECT_EQ(s.rate, 0.1025);
}

TEST(Option, DurationsRoundTrip) {
  for (double seconds : {0.0, 0.5, 59.0, 60.0, 3661.0, 13800.0, 90061.0, 1e-8, 5e-324, 0.1 + 0.2, 1e10, 12345678.9})
    EXPECT_EQ(parse_duration(format_duration(seconds)), seconds) << format_duration(seconds);
  for (const double bad : {-1.0, 2e10, 1e300, std::nan(""), std::numeric_limits<double>::infinity()}) {
    Sample s;
    s.limit = bad;
    EXPECT_THAT(message_of([&] { s.list().validate(); }), testing::HasSubstr("limit is '")) << bad;
  }
  EXPECT_EQ(format_duration(13800), "3h50m");
}

TEST(Option, ListsKeepTheirRange) {
  Sample sample;
  OptionList list = sample.list();
  for (const char* bad : {"0.5,0.5", "0.5,0.25", "1", "nan", "0.5;0.6", "-0.1"})
    EXPECT_EQ(message_of([&] { list.set("shares", bad); }),
              std::string("shares is '") + bad + "'; wanted rising shares, such as 0.5,0.75");
  for (const char* bad : {"", "0", "65", "1.5", "1,,2"})
    EXPECT_EQ(message_of([&] { list.set("sizes", bad); }),
              std::string("sizes is '") + bad + "'; wanted sizes, such as 1,8");
  list.set("shares", "");
  EXPECT_TRUE(sample.shares.empty());
  sample.sizes = {0};
  EXPECT_THAT(message_of([&] { list.validate(); }), testing::HasSubstr("sizes is '0'"));
}

TEST(Option, ARoleIsGivenWhereTheOptionIsDescribed) {
  Sample sample;
  const OptionList list = sample.list();
  EXPECT_TRUE(list.has_role("color", Role::kProtocol));
  EXPECT_TRUE(list.find("color")->repeats());
  EXPECT_FALSE(list.has_role("color", Role::kSession));
  EXPECT_TRUE(list.find("sizes")->repeats());
  EXPECT_EQ(list.find("sizes")->open, "1");
  EXPECT_FALSE(list.find("seed")->repeats());
  EXPECT_FALSE(list.has_role("colour", Role::kProtocol));
}

}  // namespace
}  // namespace signstep
