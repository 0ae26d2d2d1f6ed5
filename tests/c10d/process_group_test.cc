// SPDX-License-Identifier: Apache-2.0
// Ranks as processes on loopback, forked before any of them starts a thread.
#include "signstep/c10d/process_group.h"

#include <gmock/gmock.h>

#include <memory>
#include <numeric>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "signstep/random/random.h"
#include "signstep/wire/majority_vote.h"
#include "signstep/wire/sum_over_ranks.h"
#include "tests/c10d/processes.h"
#include "tests/support/environment.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
constexpr milliseconds kLong = std::chrono::minutes(2);  // no test waits for it
constexpr milliseconds kShort{3000};                     // c10d asks a store that is not there yet once a second

using Work = std::function<std::string(Communicator&)>;

std::unique_ptr<Process> start(const Rendezvous& where, milliseconds timeout, const Work& work) {
  return std::make_unique<Process>([=] {
    const std::unique_ptr<Communicator> world = join_process_group(where, timeout);
    return work(*world);
  });
}

std::vector<std::unique_ptr<Process>> start_all(size_t size, milliseconds timeout, const Work& work) {
  std::vector<std::unique_ptr<Process>> processes;
  const uint16_t port = free_port();
  for (size_t rank = 0; rank < size; ++rank)
    processes.push_back(start({.rank = rank, .size = size, .port = port}, timeout, work));
  return processes;
}

std::vector<uint64_t> votes_of(size_t rank, size_t words) {
  SequentialRandom random(Stream(rank, Purpose::kSample));
  std::vector<uint64_t> votes(words);
  for (uint64_t& word : votes) word = uint64_t{random.next()} << 32 | random.next();
  return votes;
}

std::vector<float> floats_of(size_t rank, size_t n) {
  SequentialRandom random(Stream(rank, Purpose::kSample, 1));
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

// Everything once, against what one process computes; "" where all is right.
std::string everything(Communicator& world) {
  const auto me = static_cast<uint8_t>(world.rank());
  const size_t ranks = world.size();
  std::vector<uint8_t> send(3 * ranks), receive(3 * ranks), all(2 * ranks), data(5, me);
  for (size_t to = 0; to < ranks; ++to) send[3 * to] = static_cast<uint8_t>(16 * me + to);
  world.all_to_all(std::as_bytes(std::span(send)), std::as_writable_bytes(std::span(receive)));
  for (size_t from = 0; from < ranks; ++from)
    if (receive[3 * from] != 16 * from + me) return "all_to_all";
  const uint8_t chunk[] = {me, static_cast<uint8_t>(me * me)};
  world.all_gather(std::as_bytes(std::span(chunk)), std::as_writable_bytes(std::span(all)));
  for (size_t from = 0; from < ranks; ++from)
    if (all[2 * from] != from || all[2 * from + 1] != from * from) return "all_gather";
  world.broadcast(std::as_writable_bytes(std::span(data)), ranks - 1);
  if (data != std::vector<uint8_t>(5, static_cast<uint8_t>(ranks - 1))) return "broadcast";
  world.all_to_all({}, {});

  constexpr size_t kWords = 1001, kFloats = 10007;
  const uint64_t before = world.sent().total();
  SerialExecutor serial;
  std::vector<uint64_t> bits = votes_of(world.rank(), kWords), votes, majority(kWords);
  std::vector<std::vector<float>> floats;
  for (size_t r = 0; r < ranks; ++r) {
    const std::vector<uint64_t> theirs = votes_of(r, kWords);
    votes.insert(votes.end(), theirs.begin(), theirs.end());
    floats.push_back(floats_of(r, kFloats));
  }
  majority_of_ref(votes, ranks, {.seed = 3, .step = 4}, majority);
  majority_vote(world, bits, {.seed = 3, .step = 4}, serial);
  if (bits != majority) return "majority_vote";
  std::vector<float> mean = floats[world.rank()];
  mean_over_ranks(world, mean, serial);
  if (mean != mean_over_ranks_ref(floats)) return "mean_over_ranks";
  if (world.sent().total() - before != vote_bytes(kWords, ranks) + sum_bytes(kFloats, ranks)) return "bytes sent";
  world.barrier();
  return "";
}

TEST(ProcessGroup, VotesAndSumsAreThoseOfOneProcess) {
  for (size_t size = 1; size <= 4; ++size) {
    const auto processes = start_all(size, kLong, everything);
    for (const auto& process : processes) EXPECT_EQ(process->text(), "") << size << " ranks";
  }
}

// As process_group.cc does, for builds of LibTorch 2 without libuv.
template <class Options>
void serve_plainly(Options& options) {
  if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
}

// As torchrun's agent keeps the store, and every rank is its client. Stopped once it keeps it.
std::unique_ptr<Process> stopped_agent(uint16_t port) {
  auto agent = std::make_unique<Process>([port]() -> std::string {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = true;
    options.waitWorkers = false;
    serve_plainly(options);
    const auto store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
    ::raise(SIGSTOP);  // its threads go on only after SIGCONT
    store->wait({"done"}, kLong);
    return "";
  });
  agent->wait_until_stopped();
  return agent;
}

TEST(ProcessGroup, MeetsAtTheStoreOfTorchrunsAgent) {
  const uint16_t port = free_port();
  const auto agent = stopped_agent(port);
  agent->kill(SIGCONT);
  for (const char* attempt : {"0", "1"}) {  // one after the other at the same store, as after a restart
    std::vector<std::unique_ptr<Process>> ranks;
    for (const char* rank : {"0", "1"}) {
      ranks.push_back(std::make_unique<Process>([=]() -> std::string {
        const EnvironmentVariable variables[] = {{"RANK", rank},
                                                 {"WORLD_SIZE", "2"},
                                                 {"MASTER_ADDR", "127.0.0.1"},
                                                 {"MASTER_PORT", std::to_string(port)},
                                                 {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                                 {"TORCHELASTIC_RESTART_COUNT", attempt}};
        return everything(*join_process_group(*rendezvous_from_environment(), kLong));
      }));
    }
    for (const auto& rank : ranks) EXPECT_EQ(rank->text(), "");
  }
}

// In a ring only the neighbours of a killed rank see that its connections end; the others must hear it from them.
TEST(ProcessGroup, AKilledRankIsNamedAtOnce) {
  const auto processes = start_all(6, kLong, [](Communicator& world) -> std::string {
    world.barrier();
    if (world.rank() == 2) ::raise(SIGKILL);
    std::vector<std::byte> own(16), all(own.size() * world.size());
    world.all_gather(own, all);
    return "went on";
  });
  for (const size_t rank : {0, 1, 3, 4, 5})
    EXPECT_THAT(processes[rank]->text(), AllOf(HasSubstr("error: rank " + std::to_string(rank) +
                                                         " of 6: all_gather failed: rank 2 does not answer"),
                                               HasSubstr("start the run again")));
}

// A stopped one's kernel still takes what is sent to it, and nobody answers.
TEST(ProcessGroup, TheKeeperOfTheStoreIsNamedToo) {
  for (const int signal : {SIGKILL, SIGSTOP}) {
    const auto processes = start_all(3, kShort, [signal](Communicator& world) -> std::string {
      world.barrier();
      if (world.rank() == 0) ::raise(signal);
      world.barrier();
      return "went on";
    });
    for (const size_t rank : {1, 2})
      EXPECT_THAT(processes[rank]->text(), HasSubstr("the keeper of the run's store, rank 0 or torchrun's agent, has"))
          << signal;
  }
}

// The kernel connects a rank to it; c10d itself would wait for its answer without an end.
TEST(ProcessGroup, AStoreThatHangsWhileTheRanksMeetIsNamed) {
  const uint16_t port = free_port();
  const auto agent = stopped_agent(port);
  const Rendezvous where{.rank = 0, .size = 2, .port = port, .store_is_there = true};
  const auto rank = start(where, kShort, [](Communicator&) { return "went on"; });
  EXPECT_THAT(rank->text(), HasSubstr(" the run's store at 127.0.0.1:" + std::to_string(port)));
}

TEST(ProcessGroup, ARankThatHangsIsNamedWithinTheTimeout) {
  const auto processes = start_all(3, kShort, [](Communicator& world) -> std::string {
    std::vector<std::byte> send(3 << 10), receive(send.size());
    world.all_to_all(send, receive);
    if (world.rank() == 2) ::raise(SIGSTOP);
    try {
      world.all_to_all(send, receive);
    } catch (const EnvironmentError& e) {
      const std::string again = message_of<EnvironmentError>([&] { world.barrier(); });
      return again == e.what() ? again : "another message: " + again;
    }
    return "went on";
  });
  for (const size_t rank : {0, 1})
    EXPECT_THAT(processes[rank]->text(),
                AllOf(HasSubstr("all_to_all failed: rank 2 does not answer"), HasSubstr("timeout 3000 ms")));
}

// The others have left when it comes back: nobody is missing, and it is the one that was away.
TEST(ProcessGroup, ARankThatWasSuspendedIsToldSo) {
  const auto processes = start_all(2, kShort, [](Communicator& world) -> std::string {
    world.barrier();
    if (world.rank() == 1) ::raise(SIGSTOP);
    world.barrier();
    return "went on";
  });
  processes[1]->wait_until_stopped();
  EXPECT_THAT(processes[0]->text(), HasSubstr("rank 1 does not answer"));
  processes[1]->kill(SIGCONT);
  EXPECT_THAT(processes[1]->text(),
              AnyOf(HasSubstr(" s went by from one call of this one to the next: it was suspended"),
                    HasSubstr("the keeper of the run's store")));
}

TEST(ProcessGroup, AnInterfaceThatIsNotHereIsNamedAndNoneIsTakenWithAFile) {
  const EnvironmentVariable interface("GLOO_SOCKET_IFNAME", "nope0");
  const auto elsewhere = start({.rank = 0, .size = 1, .port = free_port()}, kShort, [](Communicator&) { return "on"; });
  EXPECT_THAT(elsewhere->text(), HasSubstr("error: GLOO_SOCKET_IFNAME is 'nope0', which is no interface"));
  const std::string file = testing::TempDir() + "/signstep-store-" + std::to_string(::getpid());
  const auto here = start({.rank = 0, .size = 1, .file = file}, kShort, [](Communicator&) { return "on"; });
  EXPECT_EQ(here->text(), "on") << "loopback alone";
  ::unlink(file.c_str());
  const auto nowhere =
      start({.rank = 0, .size = 1, .file = file + "/store"}, kShort, [](Communicator&) { return "on"; });
  EXPECT_THAT(nowhere->text(), HasSubstr("set SIGNSTEP_STORE to a file that all ranks may write"));
}

TEST(ProcessGroup, ARankThatDoesNotComeIsNamed) {
  const uint16_t port = free_port();
  const auto here = [&](size_t rank) {
    return start({.rank = rank, .size = 4, .port = port}, kShort, [](Communicator&) { return "went on"; });
  };
  const auto first = here(0), second = here(2);
  const std::string wanted = "error: ranks 1, 3 of 4 did not come to 127.0.0.1:" + std::to_string(port) +
                             " within 3000 ms; start all ranks, with one WORLD_SIZE";
  EXPECT_EQ(first->text(), wanted);
  EXPECT_THAT(second->text(), HasSubstr("ranks 1, 3 of 4"));
}

TEST(ProcessGroup, AnotherNumberOfRanksIsTold) {
  const uint16_t port = free_port();
  const auto keeper = start({.rank = 0, .size = 2, .port = port}, kShort, [](Communicator&) { return "went on"; });
  const auto other = start({.rank = 1, .size = 3, .port = port}, kShort, [](Communicator&) { return "went on"; });
  const std::string both = keeper->text() + other->text();  // whoever came second says it
  EXPECT_THAT(both, HasSubstr("was started with WORLD_SIZE"));
  EXPECT_THAT(both, Not(HasSubstr("went on")));
}

TEST(ProcessGroup, WhoLooksMayEndTheMeeting) {
  for (const size_t rank : {0, 1}) {  // 1: before there is a store
    const uint16_t port = free_port();
    Process alone([=]() -> std::string {
      int looks = 0;
      join_process_group({.rank = rank, .size = 2, .port = port}, kLong, WorkerBackend::kGloo, [&] {
        if (++looks == 3) throw EnvironmentError("seen enough");
      });
      return "went on";
    });
    EXPECT_EQ(alone.text(), "error: seen enough");
  }
}

TEST(ProcessGroup, WithoutRankZeroTheStoreIsNamed) {
  const uint16_t port = free_port();
  const auto alone = start({.rank = 1, .size = 2, .port = port}, kShort, [](Communicator&) { return "went on"; });
  EXPECT_THAT(
      alone->text(),
      HasSubstr("error: rank 1 cannot reach the run's store at 127.0.0.1:" + std::to_string(port) + " within 3000 ms"));
}

TEST(ProcessGroup, TwoProcessesOfOneRankAreTold) {
  const uint16_t port = free_port();
  std::vector<std::unique_ptr<Process>> processes;
  for (const size_t rank : {0, 1, 1})
    processes.push_back(
        start({.rank = rank, .size = 3, .port = port}, kShort, [](Communicator&) { return "went on"; }));
  EXPECT_THAT(processes[1]->text() + processes[2]->text(),
              HasSubstr("2 processes at 127.0.0.1:" + std::to_string(port) + " say that they are rank 1"));
}

TEST(ProcessGroup, APortThatIsTakenIsNamed) {
  const auto first = start_all(1, kLong, [](Communicator&) { return ""; });  // until here no process has threads
  EXPECT_EQ(first[0]->text(), "");
  const int socket = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  socklen_t length = sizeof address;
  if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0)
    GTEST_SKIP() << "this machine has no IPv6";
  ASSERT_EQ(::listen(socket, 1), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const uint16_t port = ntohs(address.sin6_port);
  const auto late = start({.rank = 0, .size = 1, .port = port}, kShort, [](Communicator&) { return "went on"; });
  EXPECT_THAT(late->text(), AllOf(HasSubstr("rank 0 cannot keep the run's store on port " + std::to_string(port)),
                                  HasSubstr("choose another MASTER_PORT")));
  ::close(socket);
}

}  // namespace
}  // namespace signstep
