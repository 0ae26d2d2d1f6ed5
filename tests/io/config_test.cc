// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/config.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "signstep/io/atomic_file.h"
#include "signstep/random/random.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

enum class Color { kRed, kGreen };

struct Sample {
  bool flip = true;
  int64_t epochs = 5;
  uint64_t seed = 7;
  double rate = 0.1;
  std::optional<double> decay;
  std::string output = "runs/first";
  double stop_after = 0;
  Color color = Color::kRed;
  std::vector<double> shares = {0.5};
};

OptionList list_of(Sample& s) {
  OptionList list;
  list.group("Data");
  list.flag("flip", s.flip, "mirror");
  list.choice("color", s.color, {"red", "green"}, "which");
  list.group("Training");
  list.integer("epochs", s.epochs, Range::at_least(1), "", "passes");
  list.seed("seed", s.seed, "of every draw");
  list.number("learning_rate", s.rate, Range::positive(), "per step", "step size");
  list.number_or_auto("decay", s.decay, Range::at_least(0), "", "shrinks weights");
  list.text("output", s.output, "folder");
  list.duration("stop_after", s.stop_after, "time");
  list.numbers("shares", s.shares, {.each = Range::fraction(), .rising = true}, "rising shares", "when");
  return list;
}

std::string values_of(Sample s) { return list_of(s).to_text(); }

Sample from_toml(const std::string& text) {
  Sample s;
  OptionList list = list_of(s);
  parse_toml(text, "some.toml", list);
  return s;
}

std::string refusal(const std::string& text) {
  return message_of<OptionError>([&] { from_toml(text); });
}

Sample through_toml(Sample s) { return from_toml(to_toml(list_of(s), "title")); }

Sample through_json(Sample s) {
  const std::string text = to_json(list_of(s)).dump();
  Sample back;
  OptionList list = list_of(back);
  from_json(nlohmann::json::parse(text), list);
  return back;
}

TEST(Config, ReadsEveryType) {
  const Sample s = from_toml(
      "flip = false\ncolor = 'green'\nepochs = 1_000\nseed = 0x10\nlearning_rate = 1e-3\n"
      "decay = 1\noutput = \"a b\"\nstop_after = \"1h30m\"  # comment\n");
  EXPECT_FALSE(s.flip);
  EXPECT_EQ(s.color, Color::kGreen);
  EXPECT_EQ(s.epochs, 1000);
  EXPECT_EQ(s.seed, 16u);
  EXPECT_EQ(s.rate, 1e-3);
  EXPECT_EQ(s.decay, 1.0);
  EXPECT_EQ(s.output, "a b");
  EXPECT_EQ(s.stop_after, 5400);
  EXPECT_EQ(from_toml("decay = 'auto'").decay, std::nullopt);
  EXPECT_EQ(values_of(from_toml("")), values_of({}));
}

TEST(Config, AListIsAnArrayOrText) {
  for (const char* text : {"[0.25, 0.75]", "[\n0.25,\n0.75,\n]", "'0.25,0.75'", "'0.25, 0.75'"})
    EXPECT_THAT(from_toml(std::string("shares = ") + text).shares, testing::ElementsAre(0.25, 0.75)) << text;
  EXPECT_THAT(from_toml("shares = 0.25").shares, testing::ElementsAre(0.25));
  EXPECT_THAT(from_toml("shares = []").shares, testing::IsEmpty());
  Sample s;
  s.shares = {0.1, 0.2};
  EXPECT_EQ(through_toml(s).shares, s.shares);
  EXPECT_EQ(through_json(s).shares, s.shares);
  EXPECT_EQ(refusal("shares = [30, 60]"), "some.toml:1:1: shares is '30,60'; wanted rising shares");
  EXPECT_THAT(refusal("shares = [[0.1]]"), HasSubstr("some.toml:1:1: shares is an array; wanted one value"));
}

TEST(Config, UnknownKeysGiveThePlaceAndTheNearestName) {
  EXPECT_THAT(refusal("flip = true\n\n  learning_rat = 0.1\n"),
              AllOf(HasSubstr("some.toml:3:3:"), HasSubstr("unknown option 'learning_rat'"),
                    HasSubstr("did you mean 'learning_rate'?")));
  EXPECT_THAT(refusal("xyzzyxyzzy = 1"), AllOf(HasSubstr("some.toml:1:1:"), Not(HasSubstr("did you mean"))));
}

TEST(Config, BadValuesGiveThePlaceAndWhatIsWanted) {
  EXPECT_THAT(
      refusal("flip = true\nlearning_rate = -0.5"),
      AllOf(HasSubstr("some.toml:2:1:"), HasSubstr("learning_rate is '-0.5'"), HasSubstr("greater than 0 (per step)")));
  for (const char* bad : {"epochs = 0", "epochs = 1.5", "epochs = true", "epochs = 9223372036854775807.0", "seed = -1",
                          "learning_rate = nan", "learning_rate = inf", "flip = 1", "flip = 'yes'", "color = 'blue'",
                          "output = \"a\\nb\"", "stop_after = '3x'", "decay = 'none'"}) {
    EXPECT_THAT(refusal(bad), AllOf(HasSubstr("some.toml:1:1:"), HasSubstr("wanted"))) << bad;
  }
}

TEST(Config, TablesAndArraysAreNotOptions) {
  EXPECT_THAT(refusal("[optimizer]\nlearning_rate = 0.1"),
              AllOf(HasSubstr("some.toml:1:2:"), HasSubstr("optimizer is a table"), HasSubstr("top level")));
  EXPECT_THAT(refusal("output.folder = 'a'"), AllOf(HasSubstr("some.toml:1:1:"), HasSubstr("output is a table")));
  EXPECT_THAT(refusal("epochs = [1, 2]"), HasSubstr("epochs is an array; wanted one value"));
  EXPECT_THAT(refusal("epochs = 2026-01-02"), HasSubstr("epochs is a date"));
}

TEST(Config, SyntaxErrorsGiveThePlace) {
  EXPECT_THAT(refusal("flip = true\nepochs = = 3\n"), HasSubstr("some.toml:2:10:"));
  EXPECT_THAT(refusal("epochs = 1\nepochs = 2\n"), HasSubstr("some.toml:2:"));
  EXPECT_THAT(refusal("epochs"), HasSubstr("some.toml:1:"));
  EXPECT_THAT(refusal("output = \"\xFF\""), HasSubstr("some.toml:1:"));
}

// toml++ calls itself for each part of a key: 40,000 overflow the stack.
TEST(Config, NestingIsRefusedBeforeItIsParsed) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(refusal("flip = true\na = " + deep),
              AllOf(HasSubstr("some.toml:2:21:"), HasSubstr("more than 16 lists")));
  EXPECT_THAT(refusal(deep), HasSubstr("some.toml:1:17:"));
  std::string dotted = "a", braces = "a = ";
  for (int i = 0; i < 40'000; ++i) {
    dotted += i % 2 == 0 ? ".a" : " . \"a\"";
    braces += "{a = ";
  }
  EXPECT_THAT(refusal("# a.b\n" + dotted + " = 1"),
              AllOf(HasSubstr("some.toml:2:"), HasSubstr("a key of more than 16 parts")));
  EXPECT_THAT(refusal("[" + dotted + "]"), HasSubstr("a key of more than 16 parts"));
  EXPECT_THAT(refusal("a = {" + dotted + " = 1}"), HasSubstr("a key of more than 16 parts"));
  EXPECT_THAT(refusal("a = \"\"\"\n\\\"\"\"\"\n\"\"\"\"\n" + dotted + " = 1"), HasSubstr("some.toml:4:"));
  EXPECT_THAT(refusal(braces), HasSubstr("more than 16 lists and tables"));
  EXPECT_THAT(refusal("output = \"" + std::string(size_t{2} << 20, 'x') + "\""), HasSubstr("wanted at most 1048576"));
}

TEST(Config, BracketsAndDotsWithinTextAreText) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "a.[{";
  EXPECT_EQ(from_toml("output = \"" + text + "\"  # " + text).output, text);
  EXPECT_EQ(from_toml("output = '" + text + "'").output, text);
  EXPECT_EQ(from_toml("output = '''" + text + "'''").output, text);
  EXPECT_EQ(from_toml("output = \"\"\"\\\"\"" + text + "\"\"\"\"\"").output, "\"\"" + text + "\"\"");
}

TEST(Config, FilesAreReadAndNamed) {
  const TemporaryFolder folder;
  Sample s;
  OptionList list = list_of(s);
  write_file_atomic(folder.path("run.toml"), "epochs = 9\n");
  read_toml(folder.path("run.toml"), list);
  EXPECT_EQ(s.epochs, 9);
  write_file_atomic(folder.path("run.toml"), "epoch = 9\n");
  EXPECT_THAT(message_of<OptionError>([&] { read_toml(folder.path("run.toml"), list); }),
              HasSubstr(folder.path("run.toml") + ":1:1:"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_toml(folder.path("absent.toml"), list); }),
              HasSubstr("absent.toml"));
}

// A record says nothing of an option that came later: then it means what the older version did.
TEST(Config, ARecordsSilenceHasItsOldMeaning) {
  const TemporaryFolder folder;
  for (const bool named : {false, true}) {
    write_file_atomic(folder.path("run.toml"), named ? "epochs = 9\nrule = \"new\"\n" : "epochs = 9\n");
    for (const bool toml : {false, true}) {
      int64_t epochs = 1;
      Color rule = Color::kGreen;
      OptionList list;
      list.integer("epochs", epochs, Range::at_least(1), "", "passes");
      list.choice("rule", rule, {"old", "new"}, "which").older = [&] { return epochs == 9 ? "old" : ""; };
      if (toml) {
        read_recorded_toml(folder.path("run.toml"), list);
      } else {
        nlohmann::json record = {{"epochs", 9}};
        if (named) record["rule"] = "new";
        from_recorded_json(record, list);
      }
      EXPECT_EQ(epochs, 9);
      EXPECT_EQ(list.find("rule")->text(), named ? "new" : "old");
      parse_toml("epochs = 9", "file", list);
      EXPECT_EQ(list.find("rule")->text(), named ? "new" : "old") << "only a record's silence means something";
    }
  }
}

TEST(Config, WhatIsWrittenHasHelpAndGroups) {
  Sample s;
  EXPECT_THAT(to_toml(list_of(s), "Written by a test"),
              AllOf(testing::StartsWith("# Written by a test\n"), HasSubstr("\n## Training\nepochs = 5  # passes\n"),
                    HasSubstr("decay = \"auto\""), HasSubstr("output = \"runs/first\"")));
}

TEST(Config, TextsWithQuotesRoundTrip) {
  for (const char* text :
       {"", "a\"b", "back\\slash\\", "# no comment", "'", "caf\xC3\xA9", " spaces ", "auto", "true", "3"}) {
    Sample s;
    s.output = text;
    EXPECT_EQ(through_toml(s).output, text);
    EXPECT_EQ(through_json(s).output, text);
  }
}

TEST(Config, NumbersRoundTripExactly) {
  SequentialRandom random(Stream(2, Purpose::kProblem));
  std::vector<double> numbers = {
      0.1, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1, 1e15, 1e16, 123456789012345678.0, 1.0 / 3};
  while (numbers.size() < 2000) {
    const uint64_t bits = uint64_t{random.next()} << 32 | random.next();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value) && value != 0) numbers.push_back(std::abs(value));
  }
  for (const double number : numbers) {
    Sample s{.seed = static_cast<uint64_t>(random.next()) << 31, .rate = number, .decay = number, .output = ""};
    s.epochs = INT64_MAX;
    for (const Sample& back : {through_toml(s), through_json(s)}) {
      ASSERT_EQ(back.rate, number);
      ASSERT_EQ(back.decay, number);
      ASSERT_EQ(values_of(back), values_of(s));
    }
  }
}

TEST(Config, JsonRefusals) {
  const auto refused = [](const char* text) {
    Sample s;
    OptionList list = list_of(s);
    return message_of<OptionError>([&] { from_json(nlohmann::json::parse(text), list); });
  };
  EXPECT_THAT(refused("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refused(R"({"epoch": 3})"), HasSubstr("did you mean 'epochs'?"));
  EXPECT_THAT(refused(R"({"epochs": 0})"), HasSubstr("epochs is '0'"));
  for (const char* value : {"null", "[]", "{}"}) {
    EXPECT_THAT(refused((std::string(R"({"epochs": )") + value + "}").c_str()), HasSubstr("epochs is neither"))
        << value;
  }
}

// Any text gives options within their ranges or an OptionError.
TEST(Config, Fuzz) {
  Sample defaults;
  const std::string valid = to_toml(list_of(defaults), "title");
  const std::string pieces[] = {
      "[",       "]",  "=",    "\"",           "'",  "\n",   "\"\"\"",     "'''",     "{",
      "}",       ",",  "-",    "1e999",        "0x", "nan",  "2026-01-01", "[[a]]\n", "a.b.c = 1\n",
      "\\u0000", "\\", "\xFF", "\xEF\xBB\xBF", "#",  "true", "_"};
  SequentialRandom random(Stream(3, Purpose::kProblem));
  const auto begin = std::chrono::steady_clock::now();
  int accepted = 0, rounds = 0;
  for (; rounds < 20'000 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(3); ++rounds) {
    std::string mutant = valid;
    for (uint32_t edits = 1 + random.below(3); edits > 0 && !mutant.empty(); --edits) {
      const uint32_t at = random.below(static_cast<uint32_t>(mutant.size()));
      switch (random.below(3)) {
        case 0: mutant.insert(at, pieces[random.below(std::size(pieces))]); break;
        case 1: mutant.erase(at, 1 + random.below(8)); break;
        default: mutant[at] = static_cast<char>(random.next());
      }
    }
    Sample s;
    OptionList list = list_of(s);
    try {
      parse_toml(mutant, "mutant", list);
      ++accepted;
      list.validate();
    } catch (const OptionError& error) {
      ASSERT_THAT(error.what(), testing::StartsWith("mutant:"));
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, rounds);
}

}  // namespace
}  // namespace signstep
