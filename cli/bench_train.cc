// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_train.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <nlohmann/json.hpp>

#include "cli/engines.h"
#include "cli/private_folder.h"
#include "signstep/base/error.h"
#include "signstep/base/stopwatch.h"
#include "signstep/base/subprocess.h"
#include "signstep/io/safetensors.h"
#include "signstep/train/learner.h"
#include "signstep/train/speed_probe.h"

namespace signstep {
namespace {

void write_problem(const std::string& path, Engine& engine, const Batch& batch) {
  std::vector<TensorEntry> entries;
  std::deque<std::vector<float>> copies;  // the entries' bytes
  for (const TensorInfo& t : engine.network().parameters) {
    copies.push_back(row_major(t, engine.values()));
    entries.push_back({t.name, "F32", t.shape, std::as_bytes(std::span(copies.back()))});
  }
  const auto n = static_cast<int64_t>(batch.count);
  entries.push_back({"images", "F32", {n, 32, 32, 3}, std::as_bytes(std::span(batch.images))});
  entries.push_back({"labels", "I64", {n}, std::as_bytes(std::span(batch.labels))});
  write_safetensors(path, entries, {});
}

}  // namespace

void describe(OptionList& list, BenchTrainOptions& o) {
  describe(list, o.network);
  list.group("Benchmark");
  list.integer("batch", o.batch, Range::closed(2, 65536), "images", "per step");
  list.integer("rounds", o.rounds, Range::closed(1, 1000), "", "alternating rounds");
  list.integer("steps", o.steps, Range::closed(1, 1000), "", "training steps per side and round");
  describe(list, o.engine);
  list.text("python", o.python, "Python with PyTorch; empty: our side alone");
  list.text("pytorch_script", o.script, "the other side; empty: bench/pytorch_resnet.py of the source tree");
}

double BenchTrainResult::ratio() const {
  std::vector<double> ratios;
  for (size_t i = 0; i < theirs.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  return median(ratios);
}

BenchTrainResult bench_train(const BenchTrainOptions& options, const std::function<void(const std::string&)>& say) {
  const Network network = make_network(options.network, 3, 10);
  const EngineChoice choice = choose_engine(cli::engines(), options.engine, network);
  Learner learner(choice.make(network), make_rule(OptimizerOptions()));
  Engine& engine = learner.engine();
  initialize(engine.network(), 1, engine.values(), engine.buffers());
  // As the program's loader hands a batch over: in bytes where the engine renders them, as PyTorch's side has pinned
  // floats.
  const auto count = static_cast<size_t>(options.batch);
  const TwoBatches both =
      engine.renders() ? random_bytes_batch(count) : TwoBatches{.raw = {}, .rendered = random_batch(count, {})};
  const Batch& batch = engine.renders() ? both.raw : both.rendered;
  const double images = static_cast<double>(options.batch * options.steps);

  BenchTrainResult result;
  result.engine = engine.description();
  std::unique_ptr<Subprocess> other;
  if (!options.python.empty()) {
    const PrivateFolder folder("bench");
    const std::string problem = folder.path("problem.safetensors");
    write_problem(problem, engine, both.rendered);
    const bool bf16 = choice.options.precision == Precision::kBf16, cuda = choice.options.device == Device::kCuda;
    other = std::make_unique<Subprocess>(
        std::vector<std::string>{options.python, options.script, "--file", problem, "--norm",
                                 network.options.norm == NormKind::kBatch ? "batch" : "group", "--threads",
                                 std::to_string(engine.executor().threads()), "--precision", bf16 ? "bf16" : "fp32",
                                 "--device", cuda ? "cuda" : "cpu"});
    const auto hello = nlohmann::json::parse(other->read_line(), nullptr, false);
    if (!hello.is_object())
      throw EnvironmentError(
          fmt::format("the PyTorch side did not answer with JSON; what it said stands above; check --python {} and "
                      "--pytorch-script {}, or give --python '' for our side alone",
                      options.python, options.script));
    result.pytorch = fmt::format("PyTorch {}, {}{}, {} threads", hello.value("torch", "?"), bf16 ? "bf16" : "fp32",
                                 cuda ? ", cuda, compiled" : "", hello.value("threads", 0));
    result.their_loss = hello.value("loss", std::nan(""));
  }
  result.our_loss = learner.step(batch).batch.loss;
  say(fmt::format("ours    {}", result.engine));
  if (other) {
    say(fmt::format("theirs  {}", result.pytorch));
    say(fmt::format("loss at the same weights and batch: ours {:.4f}, theirs {:.4f}", result.our_loss,
                    result.their_loss));
    if (!(std::abs(result.our_loss - result.their_loss) <= 0.02 * std::abs(result.their_loss))) {
      throw EnvironmentError(
          "the two losses differ by more than 2 %, so the two sides do not compute the same; nothing was timed");
    }
  }
  for (int64_t round = 0; round <= options.rounds; ++round) {
    const Stopwatch watch;
    for (int64_t i = 0; i < options.steps; ++i) learner.step(batch);
    const double seconds = watch.seconds();
    double their_seconds = 0;
    if (other) {
      other->write_line(std::to_string(options.steps));
      their_seconds = std::strtod(other->read_line().c_str(), nullptr);
    }
    if (round == 0) continue;  // both sides warm up
    result.ours.push_back(images / seconds);
    if (other) result.theirs.push_back(images / their_seconds);
    say(other ? fmt::format("round {:2}  ours {:8.1f}  theirs {:8.1f} images/s", round, result.ours.back(),
                            result.theirs.back())
              : fmt::format("round {:2}  ours {:8.1f} images/s", round, result.ours.back()));
  }
  return result;
}

}  // namespace signstep
