// SPDX-License-Identifier: Apache-2.0
// One rank of a comparison over a network: time to aggregate ResNet-18's gradients by vote, from floats to floats, and
// by Gloo's float32 all-reduce, in turn. Started by scripts/bench-wire; by hand, with RANK, WORLD_SIZE and
// SIGNSTEP_STORE set (docs/distributed.md). Rank 0 prints a line of JSON: seconds of the slowest rank, of each round.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "signstep/base/stopwatch.h"
#include "signstep/c10d/process_group.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/random/random.h"
#include "signstep/wire/gather.h"
#include "signstep/wire/majority_vote.h"

namespace signstep {
namespace {

constexpr size_t kElements = 11'173'962;  // ResNet-18, width 64, 10 classes
constexpr std::chrono::milliseconds kTimeout = std::chrono::minutes(5);

// In [-1, 1) and of either sign; every rank can tell everyone's.
float gradient(size_t rank, size_t i) {
  uint64_t h = (i + 1) * 0x9E3779B97F4A7C15u + rank * 0xD1B54A32D192ED03u;
  h = (h ^ (h >> 29)) * 0xBF58476D1CE4E5B9u;
  return static_cast<float>(static_cast<int32_t>(h >> 32)) * 0x1p-31f;
}

double slowest(Communicator& world, double seconds) {
  const std::vector<double> all = gathered(world, std::span<const double>(&seconds, 1));
  return *std::max_element(all.begin(), all.end());
}

void require(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "bench_wire: {} is wrong; nothing is timed\n", what);
  std::exit(1);
}

int run(const Rendezvous& where, int rounds) {
  const auto world = join_process_group(where, kTimeout);
  auto options = c10d::ProcessGroupGloo::Options::create(kTimeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                       : c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
  const auto store = c10::make_intrusive<c10d::FileStore>(where.file + ".gloo", static_cast<int>(where.size));
  const auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, static_cast<int>(where.rank),
                                                                static_cast<int>(where.size), options);
  SerialExecutor serial;
  std::vector<float> own(kElements), voted(kElements);
  for (size_t i = 0; i < kElements; ++i) own[i] = gradient(world->rank(), i);
  at::Tensor sum = at::empty({static_cast<int64_t>(kElements)}, at::kFloat);
  std::vector<uint64_t> bits(sign_words(kElements));

  const auto vote = [&] {
    pack_signs(own, ZeroPolicy::kRandom, Stream(1, Purpose::kZeroCoin), bits, serial);
    majority_vote(*world, bits, {.ties = TieRule::kPlus}, serial);
    unpack_signs(bits, voted, serial);
  };
  const auto all_reduce = [&] {
    std::vector<at::Tensor> tensors = {sum};
    gloo->allreduce(tensors)->wait();
  };
  const auto fill = [&] { std::copy(own.begin(), own.end(), sum.data_ptr<float>()); };

  fill();
  vote();
  all_reduce();
  for (size_t i = 0; i < kElements; i += 997) {
    size_t plus = 0;
    double exact = 0;
    for (size_t r = 0; r < world->size(); ++r) {
      plus += gradient(r, i) > 0;
      exact += gradient(r, i);
    }
    require(voted[i] == (2 * plus >= world->size() ? 1.0f : -1.0f), "the vote");
    require(std::abs(sum.data_ptr<float>()[i] - exact) < 1e-5, "the sum");
  }
  const uint64_t before = world->sent().total();
  vote();
  const uint64_t bytes = world->sent().total() - before;

  const auto timed = [&](const std::function<void()>& work) {
    world->barrier();
    const Stopwatch watch;
    work();
    return slowest(*world, watch.seconds());
  };
  std::vector<double> vote_seconds, sum_seconds;
  for (int round = 0; round < rounds; ++round) {
    vote_seconds.push_back(timed(vote));
    fill();
    sum_seconds.push_back(timed(all_reduce));
  }
  if (world->rank() == 0)
    fmt::print("{{\"workers\": {}, \"vote_bytes\": {}, \"vote\": [{:.6f}], \"float32\": [{:.6f}]}}\n", world->size(),
               bytes, fmt::join(vote_seconds, ", "), fmt::join(sum_seconds, ", "));
  world->barrier();
  return 0;
}

}  // namespace
}  // namespace signstep

int main(int argc, char** argv) {
  try {
    const auto where = signstep::rendezvous_from_environment();
    if (!where || where->file.empty()) {
      fmt::print(stderr, "bench_wire: RANK, WORLD_SIZE and SIGNSTEP_STORE are not set; use scripts/bench-wire\n");
      return 2;
    }
    return signstep::run(*where, argc > 1 ? std::max(1, std::atoi(argv[1])) : 5);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_wire: {}\n", e.what());
    return 5;
  }
}
