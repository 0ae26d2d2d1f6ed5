// SPDX-License-Identifier: Apache-2.0
// How the project uses Philox: one 64-bit seed is the key, and the counter says what a draw is for.
//
//   word 0  element group (element i of a tensor is word i mod 4 of group i / 4, unless a user documents otherwise)
//   word 1  low 32 bits of the step
//   word 2  tensor index (24 bits) << 8 | purpose (8 bits)
//   word 3  rank (16 bits) << 16 | step's high 16 bits
//
// What does not fit is an error, never a wrapped counter.
#pragma once

#include <cstdint>

#include "signstep/base/host_device.h"
#include "signstep/random/philox.h"

namespace signstep {

inline constexpr uint64_t kMostSteps = uint64_t{1} << 48;  // of a run, by word 1 and half of word 3

// Written into checkpoints by meaning, into counters by value: never renumber.
enum class Purpose : uint8_t {
  kDither = 1,
  kRefinement = 2,
  kGaussian = 3,
  kZeroCoin = 4,
  kTieCoin = 5,
  kShuffle = 6,
  kAugment = 7,
  kInit = 8,
  kSplit = 9,
  kSample = 10,
  kProblem = 11,
  kFrameworkSeed = 12,  // seeds of a framework's own generator, where it draws in the kernels' place
  kCutout = 13,
  kRounding = 14,  // to float16 and bfloat16, by the Python package
  kAttack = 15,
  kCalibrate = 16,
};

inline constexpr uint32_t kSharedRank = 0xFFFF;  // draws on which all ranks agree

// One stream of groups of four words. Cheap to copy.
class Stream {
 public:
  // tensor < 2^24, step < 2^48, rank < 2^16 (kSharedRank included); throws OptionError otherwise.
  Stream(uint64_t seed, Purpose purpose, uint64_t step = 0, uint32_t tensor = 0, uint32_t rank = 0);

  SIGNSTEP_HD PhiloxCounter group(uint32_t g) const {
    return philox4x32({g, counter_[1], counter_[2], counter_[3]}, key_);
  }
  SIGNSTEP_HD uint32_t word(uint64_t i) const { return group(static_cast<uint32_t>(i / 4))[i % 4]; }

  const PhiloxCounter& counter() const { return counter_; }  // word 0 is 0
  const PhiloxKey& key() const { return key_; }

 private:
  PhiloxCounter counter_;
  PhiloxKey key_;
};

// Reads a stream word after word, for draws whose number is not known ahead (shuffling, initialisation).
class SequentialRandom {
 public:
  explicit SequentialRandom(Stream stream) : stream_(stream) {}
  uint32_t next();
  // Uniform in [0, bound), exact by rejection (Lemire 2019, arXiv 1805.10941). bound > 0.
  uint32_t below(uint32_t bound);
  // Uniform in [0, 1), 53 bits.
  double uniform();
  // Standard normal by Box and Muller (1958); std::log and std::cos of the C library, so not bit-exact across
  // libraries.
  double normal();

 private:
  Stream stream_;
  uint64_t position_ = 0;
  PhiloxCounter words_{};
};

}  // namespace signstep
