// SPDX-License-Identifier: Apache-2.0
#include "signstep/c10d/run_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "signstep/base/error.h"
#include "signstep/c10d/local_address.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);  // no test waits for it

TEST(LocalAddress, TowardsLoopbackIsLoopback) {
  EXPECT_EQ(local_address_towards("127.0.0.1", 29500), "127.0.0.1");
  EXPECT_THAT(message_of<EnvironmentError>([] { local_address_towards("no such host", 1); }),
              AllOf(HasSubstr("the host 'no such host' of the run is unknown"), HasSubstr("check MASTER_ADDR")));
}

// Debian gives a machine's own name 127.0.1.1, so rank 0 goes to its own store by loopback.
TEST(LocalAddress, LoopbackIsKnown) {
  for (const char* own : {"127.0.0.1", "127.0.1.1", "::1"}) EXPECT_TRUE(address_is_loopback(own)) << own;
  for (const char* other : {"192.0.2.7", "12.7.0.1", "fe80::1"}) EXPECT_FALSE(address_is_loopback(other)) << other;
  std::string outwards;
  try {
    outwards = local_address_towards("192.0.2.7", 29500);  // of no machine; only the way there is looked up
  } catch (const EnvironmentError& e) {
    GTEST_SKIP() << e.what();
  }
  EXPECT_FALSE(address_is_loopback(outwards)) << outwards;
}

// Counts what it is asked.
class AskedStore : public c10d::HashStore {
 public:
  bool check(const std::vector<std::string>& keys) override {
    ++asked;
    return c10d::HashStore::check(keys);
  }
  std::atomic<int> asked = 0;
};

// With hundreds of ranks the keeper cannot answer each of them about every other, and would be taken for dead.
TEST(RunStore, OfManyRanksTheOneThatDiedIsFoundInFewQuestions) {
  constexpr size_t kRanks = 200;
  const auto store = c10::make_intrusive<AskedStore>();
  const std::vector<size_t> dead = {131};
  for (size_t rank = 1; rank < kRanks; ++rank)
    if (rank != dead[0]) stop_and_look(store, rank, kRanks, std::chrono::milliseconds(1));
  store->asked = 0;
  const Absence absence = stop_and_look(store, 0, kRanks, std::chrono::milliseconds(100));
  EXPECT_EQ(absence.ranks, dead);
  EXPECT_FALSE(absence.store_failed);
  EXPECT_LT(store->asked, 100) << "four looks of 2 log2(200) questions";
  EXPECT_TRUE(stop_and_look(store, dead[0], kRanks, kLong).ranks.empty()) << "the last to stop waits for nobody";
}

}  // namespace
}  // namespace signstep
