// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/json_text.h"

#include "signstep/base/error.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

using nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string refusal(const std::string& text, const JsonLimits& limits = {}) {
  return message_of<DataError>([&] { parse_json(text, "run.json", limits); });
}

TEST(JsonText, ReadsWhatItWrites) {
  const ordered_json value = {{"b", 1}, {"a", {0.1, nullptr, true}}, {"text", "a \"b\" \\ [{,:\n"}};
  EXPECT_EQ(parse_json(json_text(value), "f"), value);
  EXPECT_EQ(parse_json(json_text(value, 2), "f"), value);
  EXPECT_EQ(parse_json(nested(64), "f").size(), 1u);
}

TEST(JsonText, DeepNestingIsRefusedBeforeItIsParsed) {
  EXPECT_THAT(refusal("\n " + nested(65)), AllOf(HasSubstr("run.json:2:66:"), HasSubstr("more than 64 lists")));
  for (const char* opening : {"[", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 300'000; ++i) text += opening;
    EXPECT_THAT(refusal(text), HasSubstr("within each other")) << opening;
  }
  EXPECT_NO_THROW(parse_json(R"({"a":"[[[[","b":"\"[[[["})", "f", {.depth = 1}));  // brackets within text do not nest
}

TEST(JsonText, SizesAreRefusedBeforeTheyAreParsed) {
  const JsonLimits limits{.depth = 9, .members = 3, .values = 40};
  EXPECT_NO_THROW(parse_json(R"({"a":1,"b":2,"c":3})", "f", limits));
  EXPECT_THAT(refusal(R"({"a":1,"b":2,"c":3,"d":4})", limits),
              AllOf(HasSubstr(":1:19:"), HasSubstr("more than 3 members")));
  EXPECT_NO_THROW(parse_json("[1,2,3,4,5,6,7,8,9]", "f", limits));
  EXPECT_THAT(refusal("[1" + std::string(99, ',') + "]", limits), HasSubstr("more than 40 values"));
  EXPECT_THAT(refusal("[[],[],[],[],[],[]]", limits), HasSubstr("more than 40 values"));
}

TEST(JsonText, MalformedTextIsNamedWithItsPlace) {
  EXPECT_THAT(refusal("{\"a\":1,\n\"b\" 2}"), HasSubstr("run.json:2:5: not JSON"));
  for (const char* bad : {"", "{", "[1", "\"abc", "{]", "]", "nul", "{\"a\":1}}", "\"\xFF\"", "\"\\"})
    EXPECT_THAT(refusal(bad), HasSubstr("not JSON; was the file edited or damaged?")) << bad;
  EXPECT_THAT(refusal("[1e999]"), HasSubstr("beyond what a double holds"));
}

TEST(JsonText, WritingNeverThrowsForText) {
  EXPECT_EQ(json_text({{"folder",
                        "a\xFF"
                        "b"}}),
            "{\"folder\":\"a\xEF\xBF\xBD"
            "b\"}");
}

TEST(JsonFields, ReadsEachType) {
  const ordered_json run = {{"text", "a"}, {"yes", true},     {"half", 0.5},       {"one", 1},
                            {"minus", -1}, {"null", nullptr}, {"list", {1, 2, 3}}, {"in", {{"ner", "x"}}}};
  const JsonFields fields(run, "run.json");
  EXPECT_EQ(fields.get<std::string>("text"), "a");
  EXPECT_TRUE(fields.get<bool>("yes"));
  EXPECT_EQ(fields.get<double>("half"), 0.5);
  EXPECT_EQ(fields.get<double>("one"), 1.0);
  EXPECT_EQ(fields.get<uint64_t>("one"), 1u);
  EXPECT_EQ(fields.get<int64_t>("minus"), -1);
  EXPECT_EQ(fields.get<std::vector<uint64_t>>("list"), std::vector<uint64_t>({1, 2, 3}));
  EXPECT_EQ(fields.object("in").get<std::string>("ner"), "x");
  EXPECT_EQ(fields.get<ordered_json>("in"), run["in"]);
  EXPECT_EQ(fields.find<double>("half"), 0.5);
  EXPECT_EQ(fields.find<double>("null"), std::nullopt);
  EXPECT_EQ(fields.find<double>("absent"), std::nullopt);
}

TEST(JsonFields, AnotherTypeIsNamedWithFileAndKey) {
  const ordered_json run = {{"data", {{"sha256", 5}}},      {"epoch", -1},
                            {"big", 18446744073709551615u}, {"half", 0.5},
                            {"list", {1, "two"}},           {"long", std::string(999, 'x') + "\x1b"}};
  const JsonFields fields(run, "run.json");
  const auto refused = [](auto&& read) { return message_of<DataError>(read); };
  EXPECT_EQ(refused([&] { fields.object("data").get<std::string>("sha256"); }),
            "run.json: data.sha256 is 5; wanted text; was the file edited or damaged?");
  EXPECT_THAT(refused([&] { fields.object("data").get<std::string>("md5"); }),
              HasSubstr("run.json: data.md5 is absent"));
  EXPECT_THAT(refused([&] { fields.object("epoch"); }), HasSubstr("epoch is -1; wanted an object"));
  EXPECT_THAT(refused([&] { fields.get<uint64_t>("epoch"); }),
              HasSubstr("epoch is -1; wanted a whole number of 0 or more"));
  EXPECT_THAT(refused([&] { fields.get<int64_t>("big"); }), HasSubstr("big is 18446744073709551615; wanted a whole"));
  EXPECT_THAT(refused([&] { fields.get<uint64_t>("half"); }), HasSubstr("half is 0.5; wanted a whole"));
  EXPECT_THAT(refused([&] { fields.get<bool>("data"); }), HasSubstr("data is an object; wanted true or false"));
  EXPECT_THAT(refused([&] { fields.find<double>("list"); }), HasSubstr("list is a list; wanted a number"));
  EXPECT_THAT(refused([&] { fields.get<std::vector<double>>("list"); }),
              HasSubstr("list[1] is \"two\"; wanted a number"));
  EXPECT_THAT(refused([&] { fields.get<std::vector<double>>("half"); }), HasSubstr("half is 0.5; wanted a list"));
  EXPECT_THAT(refused([&] { fields.get<double>("long"); }),
              HasSubstr("long is \"" + std::string(60, 'x') + "...\"; wanted"));
  EXPECT_THAT(refused([&] { JsonFields(run["list"], "run.json"); }),
              HasSubstr("run.json is a list; wanted a JSON object"));
}

}  // namespace
}  // namespace signstep
