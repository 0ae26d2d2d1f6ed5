// SPDX-License-Identifier: Apache-2.0
// Small data sets in the official layouts, written by the tests themselves. Their images can be learnt: a fixed pattern
// per class in 8 x 8 blocks, under uniform noise of the seed.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/data/image_set.h"
#include "signstep/random/random.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {

using Bytes = std::vector<uint8_t>;

inline void write_bytes(const std::string& path, const Bytes& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw_errno("write", path, "free some space");
}

inline Bytes gzip(Bytes bytes) {
  z_stream z{};
  deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&z, bytes.size()));
  z.next_in = bytes.data();
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

inline Bytes idx_bytes(const std::vector<uint32_t>& sizes, const Bytes& values) {
  Bytes bytes = {0, 0, 8, static_cast<uint8_t>(sizes.size())};
  for (uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(size >> shift));
  }
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

// Every class equally often; the pattern of a class is the same for every seed.
inline ImageSet fixture_images(int channels, int side, int classes, size_t count, uint64_t seed) {
  ImageSet set{.channels = channels, .height = side, .width = side, .classes = classes, .pixels = {}, .labels = {}};
  SequentialRandom noise(Stream(seed, Purpose::kProblem));
  for (size_t i = 0; i < count; ++i) {
    const uint8_t label = static_cast<uint8_t>(i % static_cast<size_t>(classes));
    const Stream pattern(label, Purpose::kSample);
    for (int c = 0; c < channels; ++c) {
      for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
          const uint32_t mean = 64 + pattern.word(static_cast<uint64_t>(c * 16 + y / 8 * 4 + x / 8)) % 128;
          set.pixels.push_back(static_cast<uint8_t>(mean + noise.below(97) - 48));
        }
      }
    }
    set.labels.push_back(label);
  }
  return set;
}

// Records in the CIFAR layout; label_bytes 2 writes coarse label = fine label / 5 before the fine one.
inline Bytes cifar_bytes(const ImageSet& set, size_t label_bytes) {
  Bytes bytes;
  for (size_t i = 0; i < set.count(); ++i) {
    if (label_bytes == 2) bytes.push_back(set.labels[i] / 5);
    bytes.push_back(set.labels[i]);
    const auto pixels = set.pixels.begin() + static_cast<std::ptrdiff_t>(i * set.image_size());
    bytes.insert(bytes.end(), pixels, pixels + static_cast<std::ptrdiff_t>(set.image_size()));
  }
  return bytes;
}

// Six files of records_per_file images each, as in cifar-10-batches-bin.
inline void write_cifar10_fixture(const std::string& folder, size_t records_per_file, uint64_t seed) {
  const char* names[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
  for (const char* name : names) {
    write_bytes(folder + "/" + name, cifar_bytes(fixture_images(3, 32, 10, records_per_file, seed++), 1));
  }
}

inline void write_cifar100_fixture(const std::string& folder, size_t train, size_t test, uint64_t seed) {
  write_bytes(folder + "/train.bin", cifar_bytes(fixture_images(3, 32, 100, train, seed), 2));
  write_bytes(folder + "/test.bin", cifar_bytes(fixture_images(3, 32, 100, test, seed + 1), 2));
}

// MNIST or Fashion-MNIST: four IDX files, packed ones named .gz.
inline void write_idx_fixture(const std::string& folder, size_t train, size_t test, uint64_t seed, bool packed = true) {
  const auto write = [&](const std::string& name, Bytes bytes) {
    write_bytes(folder + "/" + name + (packed ? ".gz" : ""), packed ? gzip(std::move(bytes)) : bytes);
  };
  for (const bool training : {true, false}) {
    const ImageSet set = fixture_images(1, 28, 10, training ? train : test, training ? seed : seed + 1);
    const std::string prefix = training ? "train" : "t10k";
    const uint32_t count = static_cast<uint32_t>(set.count());
    write(prefix + "-images-idx3-ubyte", idx_bytes({count, 28, 28}, set.pixels));
    write(prefix + "-labels-idx1-ubyte", idx_bytes({count}, set.labels));
  }
}

}  // namespace signstep
