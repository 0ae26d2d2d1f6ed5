// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_table.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include "bench/bandwidth.h"
#include "cli/engines.h"
#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/base/stopwatch.h"
#include "signstep/kernels/majority_vote.h"
#include "signstep/kernels/sign_bits.h"
#include "signstep/parallel/pieces.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/train/learner.h"
#include "signstep/train/speed_probe.h"

namespace signstep::cli {
namespace {

constexpr size_t kElements = 11'173'962;  // ResNet-18 for 10 classes
constexpr size_t kChecked = 1'000'003;    // of them, where a scalar reference or one thread does the same
constexpr size_t kWorkers = 8;

void require(bool same, const char* what) {
  if (!same)
    throw EnvironmentError(
        fmt::format("{}: the fast way differs from the plain one, so nothing was timed; please report it with the "
                    "output of signstep --version",
                    what));
}

// A piece of work and what bounds it: how much of `unit` a call does, of each.
struct Work {
  std::string what, unit;
  double amount;
  std::function<void()> run;
  std::string limit = {};
  double limit_amount = 0;
  std::function<void()> run_limit = {};
};

double seconds_of(const std::function<void()>& run) {
  const Stopwatch watch;
  run();
  return watch.seconds();
}

// Arrays that all the memory-bound work shares.
class Memory {
 public:
  explicit Memory(Executor& executor) : executor_(executor) {
    SequentialRandom random(Stream(1, Purpose::kSample));
    for (float& g : gradients) g = static_cast<float>(random.normal());
    for (uint64_t& word : votes) word = uint64_t{random.next()} << 32 | random.next();
  }

  void copy() {
    for_each_piece(kElements, executor_, [&](size_t begin, size_t end) {
      std::memcpy(values.data() + begin, gradients.data() + begin, (end - begin) * sizeof(float));
    });
  }
  void read(size_t floats) { sum_ = sum_ + read_sum(std::span(gradients).first(floats), executor_); }

  std::vector<float> values = std::vector<float>(kElements), gradients = values;
  std::vector<uint64_t> words = std::vector<uint64_t>(sign_words(kElements));
  std::vector<uint64_t> votes = std::vector<uint64_t>(kWorkers * words.size());

 private:
  Executor& executor_;
  volatile double sum_ = 0;  // keeps the compiler from leaving the sum out
};

struct Step {
  std::unique_ptr<UpdateRule> rule;
  std::vector<TensorSlot> slots;
  OptimizerState state;

  Step(const std::string& name, size_t elements)
      : rule(make_rule(OptimizerOptions(name))),
        slots{{.offset = 0, .size = elements}},
        state(make_state(*rule, elements, 1)) {}
  void take(std::span<float> values, std::span<const float> gradients, Executor& executor) {
    optimizer_step(*rule, state, slots, values, gradients, 1, executor);
  }
};

void check(Memory& m, Executor& executor) {
  SerialExecutor serial;
  const auto gradients = std::span<const float>(m.gradients).first(kChecked);
  for (const std::string& name : OptimizerOptions().rules().names()) {
    std::vector<float> alone(kChecked), all(kChecked);
    Step one(name, kChecked), other(name, kChecked);
    for (int i = 0; i < 2; ++i) {
      one.take(alone, gradients, serial);
      other.take(all, gradients, executor);
    }
    require(std::ranges::equal(std::as_bytes(std::span(alone)), std::as_bytes(std::span(all))), name.c_str());
  }
  const size_t n = sign_words(kChecked);
  std::vector<uint64_t> words(n), want(n);
  std::vector<float> signs(kChecked), want_signs(kChecked);
  const Stream coins(1, Purpose::kZeroCoin);
  pack_signs(gradients, ZeroPolicy::kRandom, coins, words, executor);
  pack_signs_ref(gradients, ZeroPolicy::kRandom, coins, want);
  require(words == want, "packing");
  unpack_signs(words, signs, executor);
  unpack_signs_ref(words, want_signs);
  require(signs == want_signs, "unpacking");
  const auto votes = std::span<const uint64_t>(m.votes).first(kWorkers * n);
  majority_of(votes, kWorkers, {}, words, executor);
  majority_of_ref(votes, kWorkers, {}, want);
  require(words == want, "the vote");
}

std::vector<Work> memory_work(Memory& m, Executor& executor) {
  const double bytes = 4.0 * kElements;
  const auto copy = [&m] { m.copy(); };
  const auto read = [&m] { m.read(kElements); };
  std::vector<Work> all = {{"copy", "GB/s", 2e-9 * bytes, copy}, {"read", "GB/s", 1e-9 * bytes, read}};
  for (const std::string& name : OptimizerOptions().rules().names()) {
    const auto step = std::make_shared<Step>(name, kElements);
    const double moved = 3 + 2.0 * static_cast<double>(step->state.buffers.size());  // arrays read or written
    all.push_back({"step " + OptimizerOptions(name).rule().display, "GB/s", 1e-9 * moved * bytes,
                   [step, &m, &executor] { step->take(m.values, m.gradients, executor); }, "copy", 2e-9 * bytes, copy});
  }
  const auto pack = [&] {
    pack_signs(m.gradients, ZeroPolicy::kRandom, Stream(1, Purpose::kZeroCoin), m.words, executor);
  };
  const auto unpack = [&] { unpack_signs(m.words, m.values, executor); };
  const auto vote = [&] { majority_of(m.votes, kWorkers, {}, m.words, executor); };
  const size_t floats = 2 * m.votes.size();
  all.push_back({"pack signs", "GB/s", 1e-9 * bytes, pack, "read", 1e-9 * bytes, read});
  all.push_back({"unpack signs", "GB/s", 1e-9 * bytes, unpack, "copy", 2e-9 * bytes, copy});
  all.push_back({fmt::format("vote of {}", kWorkers), "GB/s", 4e-9 * static_cast<double>(floats), vote, "read",
                 4e-9 * static_cast<double>(floats), [&m, floats] { m.read(floats); }});
  return all;
}

Work training_work(const BenchTableOptions& options) {
  const Network network = make_network(options.network, 3, 10);
  const auto learner = std::make_shared<Learner>(choose_engine(engines(), options.engine, network).make(network),
                                                 make_rule(OptimizerOptions()));
  initialize(network, 1, learner->engine().values(), learner->engine().buffers());
  const auto batch = std::make_shared<Batch>(random_batch(static_cast<size_t>(options.batch), {}));
  const auto images = static_cast<double>(options.batch);
  return {fmt::format("training, {}, width {}", network.display_name, network.options.width),
          "images/s",
          images,
          [=] { learner->step(*batch); },
          "gradient alone",
          images,
          [=] { learner->engine().forward_backward(*batch); }};
}

}  // namespace

void describe(OptionList& list, BenchTableOptions& o) {
  describe(list, o.network);
  list.group("Benchmark");
  list.integer("batch", o.batch, Range::closed(2, 65536), "images", "per training step");
  list.integer("rounds", o.rounds, Range::closed(1, 1000), "", "alternating rounds");
  describe(list, o.engine);
  list.flag("json", o.json, "print one JSON object");
}

BenchTable bench_table(const BenchTableOptions& options, const std::function<void(const std::string&)>& say) {
  BenchTable table;
  const auto threads = static_cast<size_t>(options.engine.threads);
  ThreadPool pool(threads == 0 ? cpu_features().threads : threads);
  Memory memory(pool);
  say("checking");
  check(memory, pool);
  std::vector<Work> all = memory_work(memory, pool);
  try {
    all.push_back(training_work(options));
  } catch (const OptionError& e) {
    table.note = fmt::format("no training: {}", e.what());
  }
  std::vector<std::vector<double>> speeds(all.size()), limits(all.size()), shares(all.size());
  for (int64_t round = 0; round <= options.rounds; ++round) {
    say(round == 0 ? std::string("warming up") : fmt::format("round {} of {}", round, options.rounds));
    for (size_t i = 0; i < all.size(); ++i) {
      const double speed = all[i].amount / seconds_of(all[i].run);
      const double limit = all[i].run_limit ? all[i].limit_amount / seconds_of(all[i].run_limit) : 0;
      if (round == 0) continue;
      speeds[i].push_back(speed);
      limits[i].push_back(limit);
      if (limit > 0) shares[i].push_back(speed / limit);
    }
  }
  for (size_t i = 0; i < all.size(); ++i)
    table.rows.push_back(
        {all[i].what, median(speeds[i]), all[i].unit, all[i].limit, median(limits[i]), median(shares[i])});
  return table;
}

}  // namespace signstep::cli
