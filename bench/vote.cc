// SPDX-License-Identifier: Apache-2.0
// What one bit on the wire costs on a processor: packing and unpacking beside a sum that only reads the same floats,
// and the majority of 2 to 64 workers in GB/s of packed votes that fit the cache. Each is checked against its scalar
// reference before it is timed.
//
//   bench_vote --benchmark_min_time=0.1 --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//
// The last lines are medians over the repetitions. Flags of our own as in kernels.cc: --simd=AVX2, --threads=N
// (default 1), --clock=cpu with one thread.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <vector>

#include "bench/bandwidth.h"
#include "bench/collector.h"
#include "bench/simd_flag.h"
#include "signstep/base/cpu.h"
#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/parallel/thread_pool.h"

namespace signstep {
namespace {

constexpr size_t kElements = 11'173'962;         // ResNet-18 for 10 classes
constexpr size_t kVotesBytes = size_t{1} << 18;  // of all workers together: stays in a second-level cache
constexpr size_t kWorkers[] = {2, 3, 4, 8, 16, 64};
constexpr TieRule kRules[] = {TieRule::kRandom, TieRule::kPlus};

// Of one worker. No power of two, at which the workers' words would all fall into the same few lines of the cache.
size_t words_of(size_t workers) { return kVotesBytes / 8 / workers - 9; }

struct Data {
  std::vector<float> values = std::vector<float>(kElements), signs = values;
  std::vector<uint64_t> words = std::vector<uint64_t>(sign_words(kElements));
  std::vector<uint64_t> votes = std::vector<uint64_t>(kVotesBytes / 8);
  Stream coins{1, Purpose::kZeroCoin};

  Data() {
    SequentialRandom random(Stream(1, Purpose::kSample));
    for (float& value : values) value = static_cast<float>(random.next()) - 0x1p31f;
    for (uint64_t& word : votes) word = uint64_t{random.next()} << 32 | random.next();
  }
};

bool packing_is_exact(Data& data, Executor& executor) {
  std::vector<uint64_t> words(data.words.size());
  std::vector<float> signs(kElements);
  pack_signs(data.values, ZeroPolicy::kRandom, data.coins, data.words, executor);
  pack_signs_ref(data.values, ZeroPolicy::kRandom, data.coins, words);
  unpack_signs(words, data.signs, executor);
  unpack_signs_ref(words, signs);
  return words == data.words && signs == data.signs;
}

bool vote_is_exact(const Data& data, size_t workers, TieRule rule, Executor& executor) {
  const size_t words = words_of(workers);
  std::vector<uint64_t> got(words), want(words);
  const std::span votes(data.votes.data(), workers * words);
  majority_of(votes, workers, {.rule = rule}, got, executor);
  majority_of_ref(votes, workers, {.rule = rule}, want);
  return got == want;
}

std::string vote_name(size_t workers, TieRule rule) {
  return fmt::format("vote of {}, ties {}", workers, rule == TieRule::kRandom ? "random" : "plus");
}

void register_all(Data& data, Executor& executor) {
  const auto add = [](const std::string& name, auto&& check, auto&& work, double bytes) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      if (!check()) return state.SkipWithError("differs from the reference");
      for (auto _ : state) work();
      state.SetBytesProcessed(static_cast<int64_t>(static_cast<double>(state.iterations()) * bytes));
    })->UseRealTime();
  };
  const auto packing = [&] { return packing_is_exact(data, executor); };
  add(
      "read-only sum", packing, [&] { benchmark::DoNotOptimize(read_sum(data.values, executor)); }, 4.0 * kElements);
  add(
      "pack", packing, [&] { pack_signs(data.values, ZeroPolicy::kRandom, data.coins, data.words, executor); },
      4.0 * kElements);
  add(
      "unpack", packing, [&] { unpack_signs(data.words, data.signs, executor); }, 4.0 * kElements);
  for (const size_t workers : kWorkers) {
    for (const TieRule rule : kRules) {
      add(
          vote_name(workers, rule),
          [&data, &executor, workers, rule] { return vote_is_exact(data, workers, rule, executor); },
          [&data, &executor, workers, rule] {
            const size_t words = words_of(workers);
            majority_of({data.votes.data(), workers * words}, workers, {.rule = rule}, {data.words.data(), words},
                        executor);
          },
          8.0 * static_cast<double>(workers * words_of(workers)));
    }
  }
}

void summarize(const Collector& collector) {
  fmt::print("\n{} floats, {} KiB of votes, target {}\n{:<26}{:>12}{:>8}{:>14}\n", kElements, kVotesBytes / 1024,
             simd_target(), "", "us", "GB/s", "/ sum");
  const double sum = median(collector.find("read-only sum"));
  const auto line = [&](const std::string& name, double bytes, bool beside) {
    const double t = median(collector.find(name));
    if (t > 0)
      fmt::print("{:<26}{:>12.1f}{:>8.1f}{:>14}\n", name, 1e6 * t, bytes / t * 1e-9,
                 beside && sum > 0 ? fmt::format("{:.2f}", sum / t) : "");
  };
  for (const char* name : {"read-only sum", "pack", "unpack"}) line(name, 4.0 * kElements, true);
  for (const size_t workers : kWorkers)
    for (const TieRule rule : kRules)
      line(vote_name(workers, rule), 8.0 * static_cast<double>(workers * words_of(workers)), false);
}

int bench_main(int argc, char** argv) {
  const std::string threads = take_flag(argc, argv, "--threads"), clock = take_flag(argc, argv, "--clock");
  if (!choose_simd(argc, argv) || wrong_clock(clock, threads.empty() ? "1" : threads)) return 2;
  ThreadPool pool(threads.empty() ? 1 : std::stoul(threads));
  fmt::print("{}, {} threads, {} time, target {}\n", cpu_features().model, pool.threads(),
             clock.empty() ? "elapsed" : "thread", simd_target());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  Data data;
  register_all(data, pool);
  Collector collector;
  collector.cpu_clock = !clock.empty();
  benchmark::RunSpecifiedBenchmarks(&collector);
  summarize(collector);
  return 0;
}

}  // namespace
}  // namespace signstep

int main(int argc, char** argv) { return signstep::bench_main(argc, argv); }
