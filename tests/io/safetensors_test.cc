// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/safetensors.h"

#include <chrono>
#include <cstring>
#include <filesystem>

#include "signstep/io/atomic_file.h"
#include "signstep/random/random.h"
#include "tests/io/header_reader.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using Bytes = std::vector<uint8_t>;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

template <class T>
std::span<const std::byte> raw(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

const std::vector<float> kWeight = {1.0f, -2.5f, 3.25f, 0.0f, -0.0f, 1e-40f};
const std::vector<int64_t> kCount = {-7};
const std::vector<uint8_t> kMask = {1, 0, 1};

std::vector<TensorEntry> sample_tensors() {
  return {{"layer1.0.weight", "F32", {2, 3}, raw(kWeight)},
          {"steps", "I64", {}, raw(kCount)},  // a scalar
          {"empty", "F32", {4, 0}, {}},
          {"mask \"q\"", "U8", {3}, raw(kMask)}};
}

const Metadata kMetadata = {{"format", "pt"}, {"a.zeros", std::string(64, '0')}, {"signstep.state", R"({"step":3})"}};

Bytes sample_file() {
  const TemporaryFolder folder;
  write_safetensors(folder.path("f"), sample_tensors(), kMetadata);
  return read_file(folder.path("f"));
}

// A file of any header, right or wrong, without a checksum.
Bytes file_of(const std::string& header, size_t data_bytes) {
  Bytes file;
  for (size_t i = 0; i < 8; ++i) file.push_back(static_cast<uint8_t>(uint64_t{header.size()} >> (8 * i)));
  file.insert(file.end(), header.begin(), header.end());
  file.resize(file.size() + data_bytes, 0x5A);
  return file;
}

std::string refusal(const Bytes& file) {
  return message_of<CheckpointError>([&] { SafetensorsFile("some/file", file); });
}

std::string refusal(const std::string& header, size_t data_bytes) { return refusal(file_of(header, data_bytes)); }

TEST(Safetensors, RoundTrip) {
  const SafetensorsFile file("f", sample_file());
  ASSERT_EQ(file.tensors().size(), 4u);
  for (const TensorEntry& wanted : sample_tensors()) {
    const TensorEntry* seen = file.find(wanted.name);
    ASSERT_NE(seen, nullptr) << wanted.name;
    EXPECT_EQ(seen->dtype, wanted.dtype);
    EXPECT_EQ(seen->shape, wanted.shape);
    ASSERT_EQ(seen->bytes.size(), wanted.bytes.size());
    if (!wanted.bytes.empty()) {
      EXPECT_EQ(std::memcmp(seen->bytes.data(), wanted.bytes.data(), wanted.bytes.size()), 0);
    }
  }
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_TRUE(file.has_checksum());
  for (const auto& [key, value] : kMetadata) EXPECT_EQ(file.metadata().at(key), value);
  EXPECT_EQ(file.metadata().size(), kMetadata.size() + 1);
}

TEST(Safetensors, LayoutIsTheFormats) {
  const Bytes bytes = sample_file();
  const HeaderReader header(bytes);
  EXPECT_EQ(header.data_begin % 8, 0u);
  EXPECT_THAT(header.order, ElementsAre("__metadata__", "layer1.0.weight", "steps", "empty", "mask \"q\""));
  EXPECT_EQ(header.values.at("__metadata__|format"), "pt");
  EXPECT_EQ(header.values.at("__metadata__|signstep.state"), R"({"step":3})");
  EXPECT_EQ(header.values.at("layer1.0.weight|dtype"), "F32");
  EXPECT_EQ(header.values.at("layer1.0.weight|shape"), "2,3");
  EXPECT_EQ(header.values.at("layer1.0.weight|data_offsets"), "0,24");
  EXPECT_EQ(header.values.at("steps|shape"), "");
  EXPECT_EQ(header.values.at("steps|data_offsets"), "24,32");
  EXPECT_EQ(header.values.at("empty|shape"), "4,0");
  EXPECT_EQ(header.values.at("empty|data_offsets"), "32,32");
  EXPECT_EQ(header.values.at("mask \"q\"|data_offsets"), "32,35");
  EXPECT_EQ(bytes.size(), header.data_begin + 35);
  EXPECT_EQ(std::memcmp(bytes.data() + header.data_begin, kWeight.data(), 24), 0);
  EXPECT_EQ(bytes.at(header.data_begin + 24), 0xF9);  // -7, least significant byte first
  EXPECT_EQ(bytes.at(header.data_begin + 25), 0xFF);
}

TEST(Safetensors, EmptyListIsAFile) {
  const TemporaryFolder folder;
  write_safetensors(folder.path("f"), {}, {});
  EXPECT_TRUE(SafetensorsFile(folder.path("f")).tensors().empty());
}

TEST(Safetensors, ForeignFilesNeedNoChecksum) {
  // Tensors in another order than the header's, spaces, a tensor of no bytes.
  const SafetensorsFile file("f", file_of(R"( {"b": {"dtype":"U8","shape":[2],"data_offsets":[4,6]},
      "a": {"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},
      "c": {"dtype":"BF16","shape":[0],"data_offsets":[4,4]}}  )",
                                          6));
  EXPECT_FALSE(file.has_checksum());
  EXPECT_EQ(file.find("b")->bytes.size(), 2u);
  EXPECT_EQ(file.find("a")->bytes.size(), 4u);
}

TEST(Safetensors, WriterRefusesWhatCouldNotBeRead) {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<TensorEntry> tensors, Metadata metadata = {}) {
    const std::string message =
        message_of<CheckpointError>([&] { write_safetensors(folder.path("f"), tensors, std::move(metadata)); });
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    return message;
  };
  const TensorEntry mask{"mask", "U8", {3}, raw(kMask)};
  EXPECT_THAT(refused({{"mask", "U8", {4}, raw(kMask)}}), AllOf(HasSubstr("mask has 3 bytes"), HasSubstr("4")));
  EXPECT_THAT(refused({{"mask", "U8", {-3}, raw(kMask)}}), HasSubstr("not its shape's"));
  EXPECT_THAT(refused({{"mask", "F8", {0}, {}}}), HasSubstr("unknown type F8"));
  EXPECT_THAT(refused({mask, mask}), HasSubstr("two tensors would be named mask"));
  EXPECT_THAT(refused({{"__metadata__", "U8", {3}, raw(kMask)}}), HasSubstr("__metadata__"));
  EXPECT_THAT(refused({mask}, {{"folder", "\xFF"}}), HasSubstr("not UTF-8"));
  EXPECT_THAT(refused({mask}, {{"a\"signstep.sha256", std::string(64, '0')}}), HasSubstr("holds a quote"));
  std::vector<TensorEntry> deep;  // a header of more values than a reader takes
  for (int i = 0; i < 5000; ++i) deep.push_back({fmt::format("t{}", i), "U8", std::vector<int64_t>(900, 1), {}});
  for (TensorEntry& t : deep) t.bytes = raw(kMask).first(1);
  EXPECT_THAT(refused(deep), HasSubstr("could not be read again"));
}

// What a reader refuses must not take the place of a file that it takes.
TEST(Safetensors, AHeaderBeyondTheFormatsLimitIsNotWritten) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x.safetensors");
  write_safetensors(path, {}, {});
  const std::string before = read_text_file(path);
  EXPECT_THAT(message_of<CheckpointError>([&] {
                write_safetensors(path, {}, {{"long", std::string(100'000'000, 'x')}});
              }),
              HasSubstr("the format allows 100000000"));
  EXPECT_EQ(read_text_file(path), before);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const Bytes good = sample_file();
  for (size_t length = 0; length < good.size(); ++length) {
    const std::string message = refusal(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)));
    EXPECT_THAT(message, AllOf(HasSubstr("some/file"), HasSubstr("use another checkpoint"))) << length;
  }
}

TEST(Safetensors, EveryFlippedBitIsRefused) {
  Bytes bytes = sample_file();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_NE(refusal(bytes), "") << "byte " << bit / 8 << ", bit " << bit % 8;
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
  SafetensorsFile("f", bytes);
}

TEST(Safetensors, TrailingBytesAreRefused) {
  Bytes bytes = sample_file();
  bytes.push_back(0);
  EXPECT_THAT(refusal(bytes), HasSubstr("1 bytes follow the last tensor"));
  EXPECT_THAT(refusal("{}", 3), HasSubstr("3 bytes follow the last tensor"));
}

TEST(Safetensors, HeaderLengthsThatLie) {
  for (const uint64_t claim : {uint64_t{1} << 62, ~uint64_t{0}, uint64_t{100'000'001}, uint64_t{3}}) {
    Bytes file = file_of("{}", 0);
    std::memcpy(file.data(), &claim, 8);
    EXPECT_THAT(refusal(file), HasSubstr("its header claims"));
  }
  EXPECT_THAT(refusal(file_of("", 0)), HasSubstr("not the JSON"));
}

TEST(Safetensors, WrongTensorsAreNamed) {
  const auto u8 = [](const std::string& name, const std::string& shape, const std::string& offsets) {
    return "\"" + name + "\":{\"dtype\":\"U8\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  };
  const std::string a = u8("a", "[4]", "[0,4]");
  EXPECT_THAT(refusal("{" + a + "," + u8("b", "[4]", "[2,6]") + "}", 6), HasSubstr("tensor b overlaps"));
  EXPECT_THAT(refusal("{" + a + "," + u8("b", "[4]", "[0,4]") + "}", 4), HasSubstr("overlaps"));
  EXPECT_THAT(refusal("{" + a + "," + u8("b", "[2]", "[5,7]") + "}", 7), HasSubstr("leaves a hole"));
  EXPECT_THAT(refusal("{" + u8("a", "[3]", "[1,4]") + "}", 4), HasSubstr("leaves a hole"));
  EXPECT_THAT(refusal("{" + u8("a", "[4]", "[0,9]") + "}", 4), HasSubstr("lies at 0..9 of 4 bytes"));
  EXPECT_THAT(refusal("{" + u8("a", "[4]", "[4,0]") + "}", 4), HasSubstr("lies at 4..0"));
  EXPECT_THAT(refusal("{" + u8("a", "[5]", "[0,4]") + "}", 4), HasSubstr("not its shape's"));
  EXPECT_THAT(refusal("{" + u8("a", "[-4]", "[0,4]") + "}", 4), HasSubstr("not its shape's"));
  EXPECT_THAT(refusal("{" + u8("a", "[4294967296,4294967296,4]", "[0,4]") + "}", 4), HasSubstr("not its shape's"));
  EXPECT_THAT(refusal("{" + u8("a", "[18446744073709551615]", "[0,4]") + "}", 4), HasSubstr("not its shape's"));
  EXPECT_THAT(refusal("{" + u8("a", "[4.0]", "[0,4]") + "}", 4), HasSubstr("not of whole numbers"));
  EXPECT_THAT(refusal("{" + u8("a", "4", "[0,4]") + "}", 4), HasSubstr("not a list"));
  EXPECT_THAT(refusal("{" + u8("a", "{\"x\":4}", "[0,4]") + "}", 4), HasSubstr("not a list"));
  for (const char* offsets : {"[0]", "[0,4,4]", "[-1,4]", "[0.0,4]", "{}", "4", "null"}) {
    EXPECT_THAT(refusal("{" + u8("a", "[4]", offsets) + "}", 4), HasSubstr("no pair of offsets")) << offsets;
  }
  for (const char* dtype : {"F8", "f32", "", "U8 "}) {
    const std::string header = std::string(R"({"a":{"dtype":")") + dtype + R"(","shape":[4],"data_offsets":[0,4]}})";
    EXPECT_THAT(refusal(header, 4), HasSubstr("tensor a of type " + std::string(dtype))) << dtype;
  }
}

TEST(Safetensors, HeadersThatAreNotTheFormats) {
  for (const char* header : {"[]", "3", "null", "{\"a\":3}", "{\"a\":{}}", "{\"a\":{\"dtype\":3,\"shape\":[]}}",
                             "{\"__metadata__\":3}", "{\"__metadata__\":{\"a\":3}}", "{", "{}}", "{\"a\"", "\xFF"}) {
    EXPECT_THAT(refusal(header, 0), HasSubstr("some/file is not an intact safetensors file")) << header;
  }
}

TEST(Safetensors, DeepNestingIsRefusedNotFollowed) {
  constexpr size_t kDepth = 2'000'000;  // a parser that recurses has no stack for this
  EXPECT_THAT(refusal(std::string(kDepth, '['), 0), HasSubstr("header:1:4: more than 3 lists"));
  const std::string both = std::string(kDepth, '[') + std::string(kDepth, ']');
  EXPECT_NE(refusal("{\"a\":" + both + "}", 0), "");
  EXPECT_NE(refusal("{\"__metadata__\":" + both + "}", 0), "");
}

// A header of 20 MB took 1.6 GB and 10 s before it was refused.
TEST(Safetensors, HeadersOfMoreThanTensorsAreRefusedBeforeTheyAreParsed) {
  std::string lists = "{\"a\":[", members = "{";
  for (int i = 0; i < 2'000'000; ++i) lists += "[],";
  for (int i = 0; i < 200'000; ++i) members += "\"\":0,";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(refusal(lists, 0), HasSubstr("more than 4194304 values"));
  EXPECT_THAT(refusal(members, 0), HasSubstr("more than 131072 members"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST(Safetensors, MessagesStayShortAndPlain) {
  const std::string message = refusal("{\"" + std::string(100'000, 'x'), 0);
  EXPECT_LT(message.size(), 400u);
  EXPECT_THAT(refusal("{\"\\u001b[2J\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,9]}}", 1),
              AllOf(HasSubstr("tensor ?[2J"), Not(HasSubstr("\x1b"))));
}

TEST(Safetensors, UnreadableFilesAreTheEnvironmentsFault) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<EnvironmentError>([&] { SafetensorsFile(folder.path("absent")); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { SafetensorsFile(folder.path()); }), HasSubstr("not a regular file"));
}

// Any bytes give a well-formed file or a CheckpointError, and nothing is read beyond them (the sanitize preset looks).
TEST(Safetensors, Fuzz) {
  // Without a checksum, so that mutants reach every check; with the pieces that a header is made of to insert.
  const std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                             R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  const Bytes valid = file_of(header, 11);
  const std::string pieces[] = {"[",       "]",    "{",         "}",         ",",
                                ":",       "\"",   "0",         "-1",        "18446744073709551615",
                                "1e400",   "null", "\"dtype\"", "\"shape\"", "\"data_offsets\"",
                                "\\u0000", "\xFF", "\"U8\"",    "9",         "\"a\":"};
  SequentialRandom random(Stream(1, Purpose::kProblem));
  const auto begin = std::chrono::steady_clock::now();
  int accepted = 0, rounds = 0;
  for (; rounds < 50'000 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(3); ++rounds) {
    Bytes mutant = valid;
    for (uint32_t edits = 1 + random.below(4); edits > 0; --edits) {
      const auto size = static_cast<uint32_t>(mutant.size());
      const auto place = mutant.begin() + random.below(size);
      const std::string& piece = pieces[random.below(std::size(pieces))];
      switch (random.below(4)) {
        case 0: mutant.insert(place, piece.begin(), piece.end()); break;
        case 1: mutant.erase(place, place + std::min<std::ptrdiff_t>(1 + random.below(6), mutant.end() - place)); break;
        case 2: *place = static_cast<uint8_t>(random.next()); break;
        default: *place ^= static_cast<uint8_t>(1 << random.below(8));
      }
      if (mutant.size() < 9) break;
    }
    // Half of the time the length is put right, so that the JSON itself is reached.
    if (random.below(2) && mutant.size() >= 19) {
      const uint64_t length = mutant.size() - 8 - 11;
      std::memcpy(mutant.data(), &length, 8);
    }
    try {
      const SafetensorsFile file("mutant", mutant);
      ++accepted;
      size_t total = 0, sum = 0;
      for (const TensorEntry& t : file.tensors()) {
        total += t.bytes.size();
        for (const std::byte b : t.bytes) sum += static_cast<size_t>(b);  // touches each
      }
      ASSERT_LE(total + 8, mutant.size());
      ASSERT_LE(sum, 255 * total);
    } catch (const CheckpointError& error) {
      ASSERT_STRNE(error.what(), "");
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, rounds);
}

}  // namespace
}  // namespace signstep
