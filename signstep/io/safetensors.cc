// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/checksum.h"
#include "signstep/io/json_text.h"

namespace signstep {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and written as it lies");

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own limit
// Of about 100,000 tensors: {name: {"dtype": text, "shape": [...], "data_offsets": [begin, end]}, ...}.
constexpr JsonLimits kHeaderLimits{.depth = 3, .members = size_t{1} << 17, .values = size_t{1} << 22};
constexpr const char* kChecksumKey = "signstep.sha256";
const std::string kNoChecksum(64, '0');

// How the checksum stands in the header. JSON escapes quotes within text, so nothing else there reads like this where
// no key has a quote.
std::string checksum_entry(const std::string& digits) { return fmt::format("\"{}\":\"{}\"", kChecksumKey, digits); }

// A damaged file chooses what an error message quotes: keep that short and harmless on a terminal.
std::string printable(std::string text) {
  constexpr size_t kMost = 200;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

// One flipped bit leaves one half of the checksum's key whole, and must not turn the check off.
bool resembles_checksum_key(const std::string& key) {
  const std::string wanted = kChecksumKey;
  return key.size() == wanted.size() && (key.starts_with("signstep") || key.ends_with("sha256"));
}

size_t dtype_bytes(const std::string& dtype) {
  static const std::map<std::string, size_t> sizes = {{"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"I16", 2}, {"U16", 2},
                                                      {"F16", 2},  {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},
                                                      {"F64", 8},  {"I64", 8},  {"U64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

// shape's product times the element size, or nothing where that overflows or a side is negative.
std::optional<uint64_t> byte_count(const std::vector<int64_t>& shape, size_t element) {
  uint64_t total = element;
  for (const int64_t side : shape) {
    if (side < 0 || __builtin_mul_overflow(total, static_cast<uint64_t>(side), &total)) return std::nullopt;
  }
  return total;
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

std::string write_safetensors(const std::string& path, const std::vector<TensorEntry>& tensors, Metadata metadata) {
  for (const auto& [key, text] : metadata)
    if (key.find('"') != std::string::npos)
      throw CheckpointError(fmt::format("a key of the metadata for {} holds a quote; nothing was written", path));
  metadata[kChecksumKey] = kNoChecksum;
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const TensorEntry& t : tensors) {
    if (header.contains(t.name)) {
      throw CheckpointError(fmt::format("two tensors would be named {}; nothing was written", t.name));
    }
    if (dtype_bytes(t.dtype) == 0) {
      throw CheckpointError(fmt::format("tensor {} has the unknown type {}; nothing was written", t.name, t.dtype));
    }
    const auto wanted = byte_count(t.shape, dtype_bytes(t.dtype));
    if (!wanted || *wanted != t.bytes.size()) {
      throw CheckpointError(fmt::format("tensor {} has {} bytes, which is not its shape's {}; nothing was written",
                                        t.name, t.bytes.size(), wanted.value_or(0)));
    }
    header[t.name] = {{"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {offset, offset + t.bytes.size()}}};
    offset += t.bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw CheckpointError(
        fmt::format("a tensor's name or the metadata for {} is not UTF-8; nothing was written", path));
  }
  text.append((8 - text.size() % 8) % 8, ' ');  // keeps the tensors aligned
  if (text.size() > kMaxHeader)
    throw CheckpointError(
        fmt::format("the header of {} would have {} bytes, and the format allows {}; nothing was written", path,
                    text.size(), kMaxHeader));
  try {
    require_json_limits(text, "header", kHeaderLimits);
  } catch (const DataError& e) {
    throw CheckpointError(fmt::format("{} could not be read again: {}; nothing was written", path, e.what()));
  }
  std::string length(kLengthBytes, '\0');
  const uint64_t size = text.size();
  std::memcpy(length.data(), &size, kLengthBytes);
  std::vector<std::span<const std::byte>> parts{bytes_of(length), bytes_of(text)};
  for (const TensorEntry& t : tensors) parts.push_back(t.bytes);
  const std::string checksum = sha256_hex(parts);
  const std::string blank = checksum_entry(kNoChecksum);
  text.replace(text.find(blank), blank.size(), checksum_entry(checksum));  // parts see it: the length stays
  write_file_atomic(path, parts);
  return checksum;
}

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path), bytes_(read_file(path)) { parse(); }

SafetensorsFile::SafetensorsFile(std::string name, std::vector<uint8_t> bytes)
    : path_(std::move(name)), bytes_(std::move(bytes)) {
  parse();
}

void SafetensorsFile::fail(const std::string& what) const {
  throw CheckpointError(
      fmt::format("{} is not an intact safetensors file: {}; use another checkpoint", path_, printable(what)));
}

bool SafetensorsFile::has_checksum() const { return metadata_.contains(kChecksumKey); }

const TensorEntry* SafetensorsFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const auto& t) { return t.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

void SafetensorsFile::parse() {
  if (bytes_.size() < kLengthBytes) fail(fmt::format("it has {} bytes, wanted at least 8", bytes_.size()));
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes_.data(), kLengthBytes);
  if (header_size > kMaxHeader || header_size > bytes_.size() - kLengthBytes) {
    fail(fmt::format("its header claims {} bytes and the file has {}", header_size, bytes_.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + kLengthBytes, header_size);
  const size_t data_begin = kLengthBytes + header_size, data_size = bytes_.size() - data_begin;
  try {
    require_json_limits(text, "header", kHeaderLimits);
    const auto header = nlohmann::json::parse(text.begin(), text.end());
    if (!header.is_object()) fail("its header is not a JSON object");
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        metadata_ = value.get<Metadata>();
        continue;
      }
      TensorEntry t{name, value.at("dtype").get<std::string>(), {}, {}};
      if (!value.at("shape").is_array()) fail(fmt::format("tensor {} has a shape that is not a list", name));
      for (const auto& side : value.at("shape")) {
        if (!side.is_number_integer()) fail(fmt::format("tensor {} has a shape that is not of whole numbers", name));
        t.shape.push_back(side.get<int64_t>());
      }
      const auto& offsets = value.at("data_offsets");
      if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
          !offsets[1].is_number_unsigned()) {
        fail(fmt::format("tensor {} has no pair of offsets", name));
      }
      const uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
      if (begin > end || end > data_size) {
        fail(fmt::format("tensor {} lies at {}..{} of {} bytes of data", name, begin, end, data_size));
      }
      const auto wanted = byte_count(t.shape, dtype_bytes(t.dtype));
      if (dtype_bytes(t.dtype) == 0 || !wanted || *wanted != end - begin) {
        fail(fmt::format("tensor {} of type {} has {} bytes, which is not its shape's", name, t.dtype, end - begin));
      }
      t.bytes = std::as_bytes(std::span(bytes_)).subspan(data_begin + begin, end - begin);
      tensors_.push_back(std::move(t));
    }
  } catch (const DataError& e) {
    fail(e.what());
  } catch (const nlohmann::json::exception& e) {
    fail(fmt::format("its header is not the JSON of the format ({})", e.what()));
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
  });
  const std::byte* expected = std::as_bytes(std::span(bytes_)).data() + data_begin;
  for (const TensorEntry& t : tensors_) {
    if (t.bytes.data() != expected) fail(fmt::format("tensor {} overlaps another or leaves a hole", t.name));
    expected += t.bytes.size();
  }
  const std::byte* end = std::as_bytes(std::span(bytes_)).data() + bytes_.size();
  if (expected != end) fail(fmt::format("{} bytes follow the last tensor", end - expected));
  if (!has_checksum()) {
    for (const auto& [key, value] : metadata_) {
      if (resembles_checksum_key(key)) fail(fmt::format("its metadata has {} in the place of {}", key, kChecksumKey));
    }
    return;
  }
  const std::string recorded = metadata_.at(kChecksumKey);
  std::string blank(text);
  const size_t at = blank.find(checksum_entry(recorded));
  if (recorded.size() != kNoChecksum.size() || at == std::string::npos) fail("its checksum is malformed");
  blank.replace(at, checksum_entry(recorded).size(), checksum_entry(kNoChecksum));
  const std::span<const std::byte> all = std::as_bytes(std::span(bytes_));
  const std::string seen = sha256_hex({all.first(kLengthBytes), bytes_of(blank), all.subspan(data_begin)});
  if (seen != recorded)
    fail(fmt::format("its checksum is {} and {} was recorded", seen.substr(0, 12), recorded.substr(0, 12)));
}

}  // namespace signstep
