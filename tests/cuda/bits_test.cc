// SPDX-License-Identifier: Apache-2.0
// Packing, unpacking, stepping along signs and votes of the device against the scalar specification.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/sign_bits.h"
#include "tests/cuda/device_array.h"
#include "tests/kernels/each_target.h"
#include "tests/kernels/tensor_list.h"

namespace signstep {
namespace {

class DeviceBits : public DeviceTest {};

constexpr size_t kLengths[] = {1,   2,   7,   8,   9,   31,  32,   33,   63,   64,   65,
                               127, 128, 129, 255, 256, 257, 2047, 2048, 2049, 10007};

void run(int (*call)(int, void*, const PackArguments*), const PackArguments& a) {
  require_success(device_calls(), call(0, nullptr, &a), "a test's kernel");
}

TEST_F(DeviceBits, PacksAsTheReference) {
  const Stream coins(7, Purpose::kZeroCoin, 0x100000002, 3, 4);
  for (const size_t n : kLengths)
    for (const ElementType type : {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16})
      for (const size_t shift : {0, 1})
        for (const ZeroPolicy zero : {ZeroPolicy::kRandom, ZeroPolicy::kPlus}) {
          std::vector<float> values = TensorList({n}, n, true).g;
          for (size_t i = 0; i < n; i += 5) values[i] = i % 2 == 0 ? 0.0f : -0.0f;
          std::vector<uint16_t> narrow(shift);
          std::vector<float> wide(shift);
          for (float& value : values) {
            if (type != ElementType::kFloat32) value = float_of_bits(type, nearest_bits(type, value));
            narrow.push_back(nearest_bits(type, value));
            wide.push_back(value);
          }
          const DeviceArray<float> wide_there(wide);
          const DeviceArray<uint16_t> narrow_there(narrow);
          const DeviceArray<uint64_t> words(std::vector<uint64_t>(sign_words(n) + 1, 77)), nonfinite({5});
          const void* const there = type == ElementType::kFloat32 ? static_cast<const void*>(wide_there.data() + shift)
                                                                  : narrow_there.data() + shift;
          run(device_calls().pack, {there, type, shift == 0, n, zero, coins, words.data(), nonfinite.data()});
          std::vector<uint64_t> want(sign_words(n));
          const uint64_t count = pack_signs_ref({values.data(), n}, zero, coins, want);
          want.push_back(77);  // nothing is written past the words
          ASSERT_EQ(words.values(), want) << n << " elements, type " << int(type);
          ASSERT_EQ(nonfinite.values()[0], 5 + count);
        }
}

TEST_F(DeviceBits, UnpacksAndStepsAsTheReference) {
  SequentialRandom random(Stream(8, Purpose::kInit));
  for (const size_t n : kLengths)
    for (const size_t shift : {0, 1}) {
      std::vector<uint64_t> words(sign_words(n));
      for (uint64_t& word : words) word = uint64_t{random.next()} << 32 | random.next();
      std::vector<float> values = TensorList({n}, n, true).g;
      values.resize(n + shift + 1);
      const DeviceArray<uint64_t> words_there(words);
      const DeviceArray<float> unpacked(values), stepped(values);
      const DeviceCalls& calls = device_calls();
      const SignsArguments unpack{words_there.data(), n, unpacked.data() + shift, shift == 0, false, 0, 0};
      const SignsArguments apply{words_there.data(), n, stepped.data() + shift, shift == 0, true, 0.1f, 0.999f};
      require_success(calls, calls.signs(0, nullptr, &unpack), "unpacking");
      require_success(calls, calls.signs(0, nullptr, &apply), "stepping");
      std::vector<float> want = values;
      unpack_signs_ref(words, {want.data() + shift, n});
      EXPECT_TRUE(same_bits(unpacked.values(), want));
      want = values;
      apply_signs_ref(words, 0.1f, 0.999f, {want.data() + shift, n});
      const std::vector<float> seen = stepped.values();  // a device makes NaNs of its own
      for (size_t i = 0; i < want.size(); ++i)
        ASSERT_TRUE(std::memcmp(&seen[i], &want[i], sizeof(float)) == 0 || (std::isnan(seen[i]) && std::isnan(want[i])))
            << i;
    }
}

TEST_F(DeviceBits, CountsVotesAsTheReference) {
  SequentialRandom random(Stream(9, Purpose::kInit));
  for (const size_t workers : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 511, 512, 600})
    for (const size_t words : {1, 2, 255, 256, 257}) {
      if (workers > 64 && words > 2) continue;
      for (const TieRule rule : {TieRule::kRandom, TieRule::kPlus})
        for (const uint64_t first : {0, 3}) {
          std::vector<uint64_t> votes(workers * words);
          // Half of the workers turn the other half around, but for a few bits: ties, and counts beside them.
          for (size_t k = 0; k < workers; ++k)
            for (size_t w = 0; w < words; ++w) {
              const uint64_t noise = uint64_t{random.next()} << 32 | random.next();
              votes[k * words + w] =
                  k >= workers / 2 && k < workers / 2 * 2 ? ~votes[(k - workers / 2) * words + w] : noise;
              if (random.below(4) == 0) votes[k * words + w] ^= uint64_t{1} << random.below(64);
            }
          const VoteTies ties{.rule = rule, .seed = 11, .step = 5, .message = 2, .first_word = first};
          std::vector<uint64_t> want(words);
          majority_of_ref(votes, workers, ties, want);
          const DeviceArray<uint64_t> votes_there(votes), majority(std::vector<uint64_t>(words, 3));
          const VoteBlock block({votes_there.data(), votes.size()}, workers, ties, {majority.data(), words});
          require_success(device_calls(), device_calls().vote(0, nullptr, &block), "voting");
          ASSERT_EQ(majority.values(), want) << workers << " workers, " << words << " words";
        }
    }
}

TEST_F(DeviceBits, PaddingThatNobodyVotedForStaysZero) {
  for (const size_t workers : {2, 3}) {
    const VoteTies ties{.rule = TieRule::kPlus};
    const DeviceArray<uint64_t> votes(std::vector<uint64_t>(workers, 0xFF)), majority({1});
    const VoteBlock block({votes.data(), workers}, workers, ties, {majority.data(), 1});
    require_success(device_calls(), device_calls().vote(0, nullptr, &block), "voting");
    EXPECT_EQ(majority.values()[0], 0xFFu);
  }
}

}  // namespace
}  // namespace signstep
