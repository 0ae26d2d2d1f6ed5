// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "signstep/base/error.h"

namespace signstep::fuzz {

const std::string& folder() {
  static const struct Folder {
    std::string path =
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm/signstep-fuzz-XXXXXX" : "/tmp/signstep-fuzz-XXXXXX";
    Folder() {
      if (::mkdtemp(path.data()) == nullptr) std::abort();
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } one;
  return one.path;
}

void write(const std::string& name, std::span<const uint8_t> bytes) {
  std::ofstream file(folder() + "/" + name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) std::abort();
}

}  // namespace signstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    signstep::fuzz::read({data, size});
  } catch (const signstep::Error&) {
  }
  return 0;
}

// fuzz_NAME --seeds FOLDER writes the seeds and ends.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc != 3 || std::string_view((*argv)[1]) != "--seeds") return 0;
  int count = 0;
  for (const std::string& seed : signstep::fuzz::seeds()) {
    std::ofstream file(std::string((*argv)[2]) + "/seed-" + std::to_string(count++), std::ios::binary);
    file << seed << std::flush;
    if (!file) std::exit(1);
  }
  std::exit(0);
}
