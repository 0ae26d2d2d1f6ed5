// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/json_lines.h"

#include <cmath>
#include <fstream>

#include "signstep/io/atomic_file.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

class JsonLines : public testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  std::string refusal() const {
    return message_of<DataError>([&] { read_json_lines(path_); });
  }
  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("metrics.jsonl");
};

TEST_F(JsonLines, AppendedRecordsComeBackInOrder) {
  const std::vector<ordered_json> records = {{{"epoch", 1}, {"loss", 0.1}, {"a\nb", "line\nbreak"}}, {{"epoch", 2}}};
  for (const ordered_json& record : records) append_json_line(path_, record);
  EXPECT_EQ(read_json_lines(path_), records);
  EXPECT_EQ(read_json_lines(path_)[0].begin().key(), "epoch");
  EXPECT_EQ(read_text_file(path_), "{\"epoch\":1,\"loss\":0.1,\"a\\nb\":\"line\\nbreak\"}\n{\"epoch\":2}\n");
}

TEST_F(JsonLines, WritingReplaces) {
  append_json_line(path_, {{"epoch", 1}});
  write_json_lines(path_, {{{"epoch", 7}}});
  EXPECT_EQ(read_json_lines(path_), std::vector<ordered_json>({{{"epoch", 7}}}));
  write_json_lines(path_, {});
  EXPECT_TRUE(read_json_lines(path_).empty());
}

TEST_F(JsonLines, DoublesComeBackExactlyAndNonFiniteOnesAsNull) {
  const double third = 1.0 / 3;
  append_json_line(path_, {{"third", third}, {"tiny", 5e-324}, {"nan", std::nan("")}, {"infinity", INFINITY}});
  const ordered_json record = read_json_lines(path_).at(0);
  EXPECT_EQ(record["third"].get<double>(), third);
  EXPECT_EQ(record["tiny"].get<double>(), 5e-324);
  EXPECT_TRUE(record["nan"].is_null());
  EXPECT_TRUE(record["infinity"].is_null());
}

TEST_F(JsonLines, EveryCutOfTheLastLineLeavesItOut) {
  const std::string first = "{\"epoch\":1}\n", second = "{\"epoch\":2}\n";
  for (size_t length = 0; length < second.size(); ++length) {
    write(first + second.substr(0, length));
    EXPECT_EQ(read_json_lines(path_), std::vector<ordered_json>({{{"epoch", 1}}})) << length;
  }
}

// As after a crash, or a disk that was full for a while.
TEST_F(JsonLines, ALineAfterAHalfOneIsNotLost) {
  for (const std::string& half : {std::string("{\"epo"), std::string(5000, 'x')}) {
    for (const std::string& whole : {std::string(), std::string("{\"epoch\":1}\n")}) {
      write(whole + half);
      append_json_line(path_, {{"epoch", 2}});
      EXPECT_EQ(read_text_file(path_), whole + "{\"epoch\":2}\n");
    }
  }
}

TEST_F(JsonLines, DamagedLinesAreErrorsWithTheirNumber) {
  for (const char* bad :
       {"{\"epoch\":", "not json", "[1]", "3", "null", "", "{\"a\":1} {\"b\":2}", "{\"a\":1e999}", "\xFF"}) {
    write("{\"epoch\":1}\n" + std::string(bad) + "\n{\"epoch\":3}\n");
    EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("metrics.jsonl:2:"), HasSubstr("remove that line"))) << bad;
  }
  write("{\"epoch\":1}\n{\"epoch\":2}\nlast but whole\n");
  EXPECT_THAT(refusal(), HasSubstr("metrics.jsonl:3:"));
}

TEST_F(JsonLines, AFileThatIsNotThereIsTheEnvironmentsFault) {
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_json_lines(path_); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { append_json_line(folder_.path(), {}); }), HasSubstr("cannot append"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { append_json_line(folder_.path("absent/f"), {}); }),
              HasSubstr("cannot append"));
  EXPECT_THAT(message_of<EnvironmentError>([&] {
                append_json_line("/dev/full", {{"epoch", 1}});
              }),
              HasSubstr("No space left"));
}

}  // namespace
}  // namespace signstep
