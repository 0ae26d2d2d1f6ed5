// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/safetensors.h"

#include "fuzz/target.h"
#include "signstep/io/atomic_file.h"

namespace signstep::fuzz {

void read(std::span<const uint8_t> bytes) {
  const SafetensorsFile file("fuzz", {bytes.begin(), bytes.end()});
  size_t sum = 0;
  for (const TensorEntry& t : file.tensors())
    for (const std::byte b : t.bytes) sum += static_cast<size_t>(b);
  volatile size_t kept = sum;  // every byte was read
  (void)kept;
}

std::vector<std::string> seeds() {
  const std::vector<float> values = {1, 2, 3, 4};
  const auto bytes = std::as_bytes(std::span(values));
  const std::string path = folder() + "/f";
  write_safetensors(path, {{"a", "F32", {2, 2}, bytes}, {"b", "U8", {0}, {}}}, {{"format", "pt"}});
  // Without a checksum, too, so that what is mutated is looked at.
  const std::string header = R"({"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},"__metadata__":{"k":"v"}})";
  return {read_text_file(path),
          std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header + "xy"};
}

}  // namespace signstep::fuzz
