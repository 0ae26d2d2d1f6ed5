// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/idx.h"

#include "signstep/data/gunzip.h"
#include "signstep/data/read_file.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Bytes kCube = idx_bytes({2, 1, 3}, {1, 2, 3, 4, 5, 6});

std::string parse_error(Bytes bytes, size_t rank = 3) {
  return message_of<DataError>([&] { parse_idx(bytes, rank, "some/file"); });
}

TEST(Idx, KeepsSizesAndOrder) {
  const IdxArray cube = parse_idx(kCube, 3, "cube");
  EXPECT_THAT(cube.sizes, ElementsAre(2, 1, 3));
  EXPECT_THAT(cube.values, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Idx, WrongHeadersSayWhatWasSeen) {
  Bytes type = kCube, magic = kCube, empty = kCube, huge = kCube;
  type[2] = 0x0D;
  EXPECT_THAT(parse_error(type), AllOf(HasSubstr("some/file"), HasSubstr("00 00 0d 03"), HasSubstr("00 00 08 03")));
  magic[0] = 1;
  EXPECT_THAT(parse_error(magic), HasSubstr("01 00 08 03"));
  EXPECT_THAT(parse_error(kCube, 1), HasSubstr("wanted 00 00 08 01"));
  empty[7] = 0;
  EXPECT_THAT(parse_error(empty), HasSubstr("dimension 1 is 0"));
  for (size_t i = 4; i < 16; ++i) huge[i] = 0xFF;  // whose product is beyond 64 bits
  EXPECT_THAT(parse_error(huge), HasSubstr("4294967295"));
  EXPECT_THAT(parse_error({0, 0, 8}), HasSubstr("has 3 bytes"));
  EXPECT_THAT(parse_error({}), HasSubstr("has 0 bytes"));
}

TEST(Idx, LengthsAreExact) {
  Bytes bytes = kCube;
  bytes.push_back(7);
  EXPECT_THAT(parse_error(bytes), AllOf(HasSubstr("wants 22 bytes"), HasSubstr("has 23"), HasSubstr("too long")));
  bytes.resize(21);
  EXPECT_THAT(parse_error(bytes), AllOf(HasSubstr("wants 22 bytes"), HasSubstr("has 21"), HasSubstr("truncated")));
}

TEST(Idx, PackingIsKnownByContent) {
  const TemporaryFolder folder;
  write_bytes(folder.path("packed"), gzip(kCube));
  write_bytes(folder.path("raw.gz"), kCube);
  for (const char* name : {"packed", "raw.gz"}) {
    EXPECT_EQ(unpack_idx(read_data_file(folder.path(name)), 3, name), kCube) << name;
  }
}

// 14 MB of packed zeros took 1.2 GB before they were refused.
TEST(Idx, NoMoreIsUnpackedThanTheHeaderDeclares) {
  Bytes bomb = kCube;
  bomb.resize(size_t{8} << 20);
  EXPECT_THAT(message_of<DataError>([&] { unpack_idx(gzip(bomb), 3, "f"); }),
              HasSubstr("f unpacks to more than 22 bytes"));
  const Bytes large = idx_bytes({60000, 28, 280}, {1});
  EXPECT_THAT(message_of<DataError>([&] { unpack_idx(gzip(large), 3, "f"); }),
              HasSubstr("wanted 1 to 268435456 values"));
  EXPECT_THAT(message_of<DataError>([&] {
                unpack_idx(gzip({7, 7}), 3, "f");
              }),
              HasSubstr("f has 2 bytes; wanted an IDX header"));
  EXPECT_THAT(message_of<DataError>([&] { unpack_idx(gzip(Bytes(999, 7)), 3, "f"); }),
              HasSubstr("f starts with 07 07"));
  EXPECT_EQ(unpack_idx(gzip(kCube), 3, "f"), kCube);
  EXPECT_EQ(unpack_idx(kCube, 3, "f"), kCube);
}

TEST(Gunzip, ABeginning) {
  const Bytes packed = gzip(kCube);
  EXPECT_EQ(gunzip_begin(packed, "f", 4), Bytes(kCube.begin(), kCube.begin() + 4));
  EXPECT_EQ(gunzip_begin(packed, "f", 99), kCube);
  EXPECT_TRUE(gunzip_begin(Bytes(packed.begin(), packed.begin() + 5), "f", 4).empty());
  Bytes method = packed;
  method[2] = 9;
  EXPECT_THAT(message_of<DataError>([&] { gunzip_begin(method, "f", 4); }), HasSubstr("corrupt gzip"));
}

TEST(Gunzip, LargeContentComesBack) {
  Bytes bytes(1000003);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * i >> 7);
  EXPECT_EQ(gunzip(gzip(bytes), "file", bytes.size()), bytes);
  EXPECT_THAT(message_of<DataError>([&] { gunzip(gzip(bytes), "file", bytes.size() - 1); }),
              HasSubstr("more than 1000002 bytes"));
}

TEST(Gunzip, MembersOneAfterTheOther) {
  Bytes two = gzip(kCube), last = gzip({7});
  two.insert(two.end(), last.begin(), last.end());
  Bytes both = kCube;
  both.push_back(7);
  EXPECT_EQ(gunzip(two, "f", 100), both);
  two.resize(two.size() - 1);
  EXPECT_THROW(gunzip(two, "f", 100), DataError);
}

TEST(Gunzip, DamageIsNamed) {
  const Bytes good = gzip(kCube);
  for (size_t length = 0; length < good.size(); ++length) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_THAT(message_of<DataError>([&] { gunzip(cut, "some/file", 100); }),
                AllOf(HasSubstr("some/file"), HasSubstr(std::to_string(length) + " packed bytes")));
  }
  Bytes checksum = good, trailing = good, method = good;
  checksum[good.size() - 8] ^= 1;
  EXPECT_THAT(message_of<DataError>([&] { gunzip(checksum, "f", 100); }), HasSubstr("incorrect data check"));
  trailing.push_back(0);
  EXPECT_THAT(message_of<DataError>([&] { gunzip(trailing, "f", 100); }), HasSubstr("1 bytes follow"));
  method[2] = 9;
  EXPECT_THAT(message_of<DataError>([&] { gunzip(method, "f", 100); }), HasSubstr("corrupt gzip"));
}

TEST(ReadFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<DataError>([&] { read_data_file(folder.path("absent")); }),
              HasSubstr("absent does not exist"));
  EXPECT_THAT(message_of<DataError>([&] { read_data_file(folder.path()); }), HasSubstr("not a regular file"));
  EXPECT_THAT(message_of<DataError>([&] { read_data_file("/dev/zero"); }), HasSubstr("not a regular file"));
  write_bytes(folder.path("sparse"), {});
  std::filesystem::resize_file(folder.path("sparse"), kMaxDataBytes + 1);
  EXPECT_THAT(message_of<DataError>([&] { read_data_file(folder.path("sparse")); }), HasSubstr("wanted at most"));
}

}  // namespace
}  // namespace signstep
