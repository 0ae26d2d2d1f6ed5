// SPDX-License-Identifier: Apache-2.0
// What comes out of an archive, and what never does.
#include "signstep/fetch/unpack.h"

#include <gmock/gmock.h>

#include "tests/fetch/archive.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class UnpackTest : public testing::Test {
 protected:
  std::string refusal(const std::vector<TarEntry>& entries) const {
    write_bytes(archive_, gzip(tar_bytes(entries)));
    return message_of<DataError>([&] { unpack_tar_gz(archive_, {"a.bin"}); });
  }
  TemporaryFolder folder_;
  const std::string archive_ = folder_.path("x.tar.gz");
};

TEST_F(UnpackTest, TheWantedFilesFromAnyFolderOfTheArchive) {
  write_bytes(
      archive_,
      gzip(tar_bytes(
          {{"set/", {}, '5'}, {"set/a.bin", {1, 2, 3}}, {"set/readme", {9}}, {"set/deeper/b.bin", Bytes(100000, 7)}})));
  const auto files = unpack_tar_gz(archive_, {"a.bin", "b.bin"});
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files.at("a.bin"), (Bytes{1, 2, 3}));
  EXPECT_EQ(files.at("b.bin"), Bytes(100000, 7));
}

TEST_F(UnpackTest, NamesThatLeadOutAreRefused) {
  EXPECT_THAT(refusal({{"../a.bin", {1}}}), HasSubstr("entry ../a.bin leads out of it"));
  EXPECT_THAT(refusal({{"set/../../a.bin", {1}}}), HasSubstr("leads out of it"));
  EXPECT_THAT(refusal({{"/etc/a.bin", {1}}}), HasSubstr("leads out of it"));
  EXPECT_THAT(refusal({{"a.bin", {1}}, {"../other", {1}}}), HasSubstr("leads out of it"));
}

TEST_F(UnpackTest, LinksAreNoFiles) {
  EXPECT_THAT(refusal({{"a.bin", {}, '2', "/etc/passwd"}}), HasSubstr("has no a.bin"));
  EXPECT_THAT(refusal({{"other", {1}}, {"a.bin", {}, '1', "other"}}), HasSubstr("has no a.bin"));
  EXPECT_THAT(refusal({{"a.bin", {}, '5'}}), HasSubstr("has no a.bin"));
}

TEST_F(UnpackTest, WhatIsMissingOrThereTwice) {
  EXPECT_THAT(refusal({{"b.bin", {1}}}), HasSubstr("it has no a.bin; get it again"));
  EXPECT_THAT(refusal({{"a.bin", {1}}, {"x/a.bin", {2}}}), HasSubstr("it has a.bin twice"));
}

TEST_F(UnpackTest, DamageAtAnyPlace) {
  const Bytes whole = gzip(tar_bytes({{"set/a.bin", Bytes(3000, 5)}}));
  for (size_t length = 0; length < whole.size(); ++length) {
    write_bytes(archive_, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
    try {  // what is cut behind the file's own bytes loses nothing
      EXPECT_EQ(unpack_tar_gz(archive_, {"a.bin"}).at("a.bin"), Bytes(3000, 5)) << length;
    } catch (const DataError&) {
    }
  }
  SequentialRandom random(Stream(3, Purpose::kProblem));
  for (int trial = 0; trial < 300; ++trial) {
    Bytes bytes = trial % 2 == 0 ? whole : tar_bytes({{"set/a.bin", Bytes(3000, 5)}});
    for (int i = 0; i < 4; ++i)
      bytes[random.below(static_cast<uint32_t>(bytes.size()))] = static_cast<uint8_t>(random.below(256));
    write_bytes(archive_, trial % 2 == 0 ? bytes : gzip(bytes));
    try {
      unpack_tar_gz(archive_, {"a.bin"});
    } catch (const DataError&) {
    }
  }
  EXPECT_THROW(unpack_tar_gz(folder_.path("none"), {"a.bin"}), DataError);
}

}  // namespace
}  // namespace signstep
