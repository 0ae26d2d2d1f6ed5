// SPDX-License-Identifier: Apache-2.0
// The safetensors format: 8-byte little-endian header length, JSON header, raw little-endian tensors without holes.
// Any tool reads what is written here, and nothing in a file is ever executed.
// Source: Hugging Face, safetensors format description, version 0.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace signstep {

struct TensorEntry {
  std::string name;
  std::string dtype;  // "F32", "F64", "I64", "U8", ...
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  // row-major; when read, points into the SafetensorsFile
};

using Metadata = std::map<std::string, std::string>;

// Writes atomically (atomic_file.h). Adds the metadata key "signstep.sha256": the checksum of the whole file with that
// key's 64 digits set to zero; returns it. Costs one SHA-256 over the bytes. Throws CheckpointError, with nothing
// written, for a name that comes twice or is not UTF-8, an unknown dtype, or bytes that are not the shape's.
std::string write_safetensors(const std::string& path, const std::vector<TensorEntry>& tensors, Metadata metadata);

class SafetensorsFile {
 public:
  // Reads and checks everything: lengths, offsets, shapes, and the checksum where there is one.
  // Throws CheckpointError for a damaged file, EnvironmentError for an unreadable one.
  explicit SafetensorsFile(const std::string& path);
  // The same for bytes already in memory; name is used in messages.
  SafetensorsFile(std::string name, std::vector<uint8_t> bytes);
  SafetensorsFile(const SafetensorsFile&) = delete;  // the entries point into it
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::vector<TensorEntry>& tensors() const { return tensors_; }
  const TensorEntry* find(const std::string& name) const;  // nullptr where there is none
  const Metadata& metadata() const { return metadata_; }
  bool has_checksum() const;

 private:
  void parse();
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::vector<uint8_t> bytes_;
  std::vector<TensorEntry> tensors_;
  Metadata metadata_;
};

}  // namespace signstep
