// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/rank_threads.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "signstep/base/error.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong = std::chrono::minutes(2);  // no test waits for it

std::span<const std::byte> bytes(const std::vector<uint32_t>& v) { return std::as_bytes(std::span(v)); }
std::span<std::byte> writable(std::vector<uint32_t>& v) { return std::as_writable_bytes(std::span(v)); }

TEST(RankThreads, EveryCallBringsWhatItShould) {
  for (size_t ranks = 1; ranks <= 5; ++ranks) {
    std::atomic<size_t> ran = 0;
    run_ranks(ranks, kLong, [&](Communicator& world) {
      const auto me = static_cast<uint32_t>(world.rank());
      ASSERT_EQ(world.size(), ranks);
      for (uint32_t round = 0; round < 20; ++round) {
        std::vector<uint32_t> send, receive(3 * ranks), all(2 * ranks), data(5, me + round);
        for (uint32_t to = 0; to < ranks; ++to)
          for (uint32_t i = 0; i < 3; ++i) send.push_back(1000 * me + 10 * to + i + round);
        world.all_to_all(bytes(send), writable(receive));
        for (uint32_t from = 0; from < ranks; ++from)
          for (uint32_t i = 0; i < 3; ++i) ASSERT_EQ(receive[3 * from + i], 1000 * from + 10 * me + i + round);
        world.all_gather(bytes({me, me * me + round}), writable(all));
        for (uint32_t from = 0; from < ranks; ++from) {
          ASSERT_EQ(all[2 * from], from);
          ASSERT_EQ(all[2 * from + 1], from * from + round);
        }
        const uint32_t root = round % static_cast<uint32_t>(ranks);
        world.broadcast(writable(data), root);
        ASSERT_EQ(data, std::vector<uint32_t>(5, root + round));
        world.all_to_all({}, {});  // nothing is something to send
        world.barrier();
      }
      const uint64_t others = ranks - 1, as_root = 20 / ranks + (me < 20 % ranks);
      EXPECT_EQ(world.sent().all_to_all, 20 * 12 * others);
      EXPECT_EQ(world.sent().all_gather, 20 * 8 * others);
      EXPECT_EQ(world.sent().broadcast, as_root * 20 * others);
      EXPECT_EQ(world.sent().total(), 400 * others + as_root * 20 * others);
      ++ran;
    });
    EXPECT_EQ(ran, ranks);
  }
}

TEST(RankThreads, ABarrierHoldsUntilAllHaveCome) {
  std::atomic<int> came = 0;
  run_ranks(4, kLong, [&](Communicator& world) {
    std::this_thread::sleep_for(milliseconds(5 * world.rank()));
    ++came;
    world.barrier();
    EXPECT_EQ(came, 4);
  });
}

TEST(RankThreads, WhoThrowsDoesNotHangTheOthers) {
  std::mutex mutex;
  std::vector<std::string> heard;
  EXPECT_EQ(message_of<DataError>([&] {
              run_ranks(4, kLong, [&](Communicator& world) {
                world.barrier();
                if (world.rank() == 2) throw DataError("no such image");
                try {
                  world.barrier();
                } catch (const EnvironmentError& e) {
                  const std::lock_guard lock(mutex);
                  heard.push_back(e.what());
                  throw;
                }
              });
            }),
            "no such image");
  EXPECT_EQ(heard, std::vector<std::string>(3, "rank 2 has failed: no such image"));
}

TEST(RankThreads, WhoThrowsSomethingElseDoesNotHangTheOthers) {
  EXPECT_THROW(run_ranks(3, kLong,
                         [](Communicator& world) {
                           if (world.rank() == 0) throw 7;
                           world.barrier();
                         }),
               int);
}

TEST(RankThreads, WhoEndsIsNamedToWhoWaits) {
  EXPECT_EQ(message_of<EnvironmentError>([] {
              run_ranks(2, kLong, [](Communicator& world) {
                if (world.rank() == 0) world.barrier();
              });
            }),
            "rank 1 has ended");
}

TEST(RankThreads, WhoDoesNotComeInTimeIsNamed) {
  std::mutex mutex;
  std::condition_variable changed;
  int gave_up = 0;
  EXPECT_EQ(message_of<EnvironmentError>([&] {
              run_ranks(4, milliseconds(50), [&](Communicator& world) {
                if (world.rank() % 2 == 1) {  // until the others have given up
                  std::unique_lock lock(mutex);
                  changed.wait(lock, [&] { return gave_up >= 2; });
                }
                try {
                  world.barrier();
                } catch (...) {
                  const std::lock_guard lock(mutex);
                  ++gave_up;
                  changed.notify_all();
                  throw;
                }
              });
            }),
            "barrier: rank 1, 3 did not come within 50 ms");
  EXPECT_EQ(gave_up, 4) << "who comes late is told too";
}

TEST(RankThreads, RanksThatCallDifferentThingsAreTold) {
  const std::string message = message_of<EnvironmentError>([] {
    run_ranks(2, kLong, [](Communicator& world) {
      std::array<std::byte, 8> data{};
      if (world.rank() == 0) {
        world.broadcast(data, 1);
      } else {
        world.broadcast(data, 0);
      }
    });
  });
  for (const char* part : {"broadcast of 8 bytes (root 1)", "broadcast of 8 bytes (root 0)", "wanted the same calls"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(RankThreads, RefusesRanksThatCannotBe) {
  EXPECT_EQ(message_of<OptionError>([] { run_ranks(0, kLong, [](Communicator&) { FAIL(); }); }),
            "0 ranks; wanted 1 to 65534");
  class Nowhere final : public Communicator {
   public:
    using Communicator::Communicator;

   private:
    void do_all_to_all(std::span<const std::byte>, std::span<std::byte>) override {}
    void do_all_gather(std::span<const std::byte>, std::span<std::byte>) override {}
    void do_broadcast(std::span<std::byte>, size_t) override {}
    void do_barrier() override {}
  };
  EXPECT_EQ(message_of<OptionError>([] { Nowhere(3, 3); }), "rank 3 of 3; wanted 0 to 2");
  EXPECT_EQ(message_of<OptionError>([] { Nowhere(0, 0); }), "0 ranks; wanted 1 to 65534");
  EXPECT_EQ(message_of<OptionError>([] { Nowhere(0, 65535); }), "65535 ranks; wanted 1 to 65534");
}

}  // namespace
}  // namespace signstep
