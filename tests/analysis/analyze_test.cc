// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/analyze.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "signstep/analysis/analyze_report.h"
#include "signstep/analysis/analyze_tables.h"
#include "signstep/base/error.h"
#include "signstep/data/catalog.h"
#include "signstep/data/loader.h"
#include "signstep/theory/bounds.h"
#include "signstep/theory/dither_law.h"
#include "tests/data/fixtures.h"
#include "tests/train/engines_here.h"

namespace signstep {
namespace {

using testing::HasSubstr;

std::unique_ptr<Engine> engine_of(NormKind norm) {
  const Network network = make_network({.width = 4, .norm = norm}, 3, 10);
  auto engine = choose_engine(engines_here(), {.precision = Precision::kFp32, .threads = 1}, network).make(network);
  initialize(engine->network(), 1, engine->values(), engine->buffers());
  return engine;
}

std::vector<float> copy(std::span<const float> s) { return {s.begin(), s.end()}; }
bool same_bytes(std::span<const float> a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), 4 * b.size()) == 0;
}

class AnalyzeTest : public testing::Test {
 protected:
  AnalyzeTest()
      : images_(fixture_images(3, 32, 10, 150, 1)), data_{images_, {}, find_dataset("cifar10").normalization} {
    data_.indices.resize(150);
    std::iota(data_.indices.begin(), data_.indices.end(), 0u);
  }
  BatchAnalysis run(Engine& engine, size_t batch, const AnalyzeOptions& o) {
    return analyze(engine, data_, batch, o, [](const char*, size_t, size_t) {});
  }
  // The gradient of the mean loss over all images, in one batch.
  std::vector<float> full_gradient(Engine& engine) {
    Loader loader(images_, data_.indices, data_.normalization, {.batch = 150});
    Batch batch;
    loader.start_epoch(0);
    loader.next(batch);
    engine.forward_backward(batch);
    return copy(engine.gradients());
  }

  ImageSet images_;
  AnalyzeData data_;
};

TEST_F(AnalyzeTest, LeavesParametersAndRunningStatisticsByteIdentical) {
  const auto engine = engine_of(NormKind::kBatch);
  full_gradient(*engine);  // moves the running statistics off their start
  const auto values = copy(engine->values()), buffers = copy(engine->buffers());
  for (const Reference reference : {Reference::kEpoch, Reference::kDraws}) {
    run(*engine, 16, {.draws = 12, .reference = reference, .sample = 4});
    EXPECT_TRUE(same_bytes(engine->values(), values));
    EXPECT_TRUE(same_bytes(engine->buffers(), buffers));
  }
}

// Without batch norm the weighted mean over an epoch's batches, a short last one included, is the gradient over all
// images.
TEST_F(AnalyzeTest, TheEpochReferenceIsTheFullGradient) {
  const auto engine = engine_of(NormKind::kGroup);
  const auto full = full_gradient(*engine);
  for (const char* name : {"conv1.weight", "layer3.0.bn1.bias", "fc.weight"}) {
    const BatchAnalysis a = run(*engine, 32, {.draws = 4, .sample = 2, .dump = name});
    EXPECT_EQ(a.reference_batches, 5u);
    for (const TensorInfo& t : engine->network().parameters) {
      if (t.name != name) continue;
      ASSERT_EQ(a.dump.reference.size(), t.size);
      float largest = 0;
      for (size_t i = 0; i < t.size; ++i) largest = std::max(largest, std::fabs(full[t.offset + i]));
      for (size_t i = 0; i < t.size; ++i) ASSERT_NEAR(a.dump.reference[i], full[t.offset + i], 2e-5 * largest) << name;
    }
  }
}

TEST_F(AnalyzeTest, TheTablesAreFiniteAndAddUp) {
  const auto engine = engine_of(NormKind::kBatch);
  const BatchAnalysis a = run(*engine, 16, {.draws = 24, .sample = 8});
  ASSERT_EQ(a.tensors.size(), engine->network().parameters.size());
  EXPECT_EQ(a.network.coordinates, static_cast<double>(engine->network().parameter_count()));
  double counted = a.network.silent + a.network.below_floor;
  for (const SnrBin& bin : a.network.bins) counted += bin.count;
  EXPECT_EQ(counted, a.network.coordinates);
  EXPECT_GT(a.network.l1, a.network.weighted);
  EXPECT_GT(a.network.weighted, 0);
  EXPECT_GT(a.network.density(), 0);
  EXPECT_LE(a.network.density(), 1);
  EXPECT_LE(a.reference_error, a.reference_at_most + 1e-12);
  EXPECT_LE(a.reference_at_most, 1 / std::sqrt(10) + 1e-12);
  EXPECT_EQ(a.loss.n, 24u);
  double blocks = 0;
  for (const BlockAnalysis& block : by_block(a)) blocks += block.profile.coordinates;
  EXPECT_EQ(blocks, a.network.coordinates);
  EXPECT_EQ(by_block(a).front().name, "conv1");
  EXPECT_EQ(by_block(a)[2].name, "layer1.0");
  const std::string json = to_json(a).dump();
  EXPECT_THAT(json, HasSubstr("\"verdict\""));
  for (const NamedChart& chart : analyze_charts({a, a}))
    for (const Series& s : chart.chart.series) EXPECT_EQ(s.x.size(), s.y.size()) << chart.file;
}

TEST_F(AnalyzeTest, TheSameSeedGivesTheSameNumbers) {
  const auto engine = engine_of(NormKind::kBatch);
  const AnalyzeOptions o{.draws = 10, .augment = {.crop = true, .flip = true}, .sample = 2, .dump = "fc.weight"};
  const BatchAnalysis a = run(*engine, 8, o), b = run(*engine, 8, o);
  EXPECT_EQ(a.dump.draws, b.dump.draws);
  EXPECT_EQ(std::memcmp(&a.network, &b.network, sizeof a.network), 0);
  AnalyzeOptions plain = o, other = o;
  plain.augment = {};
  other.seed = 2;
  EXPECT_NE(run(*engine, 8, plain).dump.draws, a.dump.draws);
  EXPECT_NE(run(*engine, 8, other).dump.draws, a.dump.draws);
}

TEST_F(AnalyzeTest, ReferenceFromTheDrawsTakesOffItsFloor) {
  const auto engine = engine_of(NormKind::kGroup);
  const BatchAnalysis a = run(*engine, 4, {.draws = 25, .reference = Reference::kDraws, .sample = 4});
  EXPECT_DOUBLE_EQ(a.reference_error, 0.2);
  EXPECT_DOUBLE_EQ(a.judged_from(), 1.0);
  for (size_t bin = 0; bin < kSnrBins && snr_bin_edge(bin) < 1.0; ++bin) {
    EXPECT_STREQ(a.verdict(bin), a.network.bins[bin].count > 0 ? "floor" : "");
  }
  EXPECT_THAT(dither_advice(a), HasSubstr("--reference epoch"));
  EXPECT_TRUE(to_json(a)["dither"][0]["measured_descent"].is_null());
}

// More images in a batch, less noise in its gradient: the ratio of two noise variances is that of the batch sizes.
TEST_F(AnalyzeTest, NoiseFallsWithTheBatchSize) {
  const auto engine = engine_of(NormKind::kGroup);
  const BatchAnalysis small = run(*engine, 4, {.draws = 100, .sample = 2}),
                      large = run(*engine, 16, {.draws = 100, .sample = 2});
  EXPECT_NEAR(small.network.noise / large.network.noise, 4, 1);
  EXPECT_NEAR(small.network.squares / large.network.squares, 1, 0.2);
  EXPECT_LT(small.network.weight, large.network.weight);
}

// Without batch norm and augmentation an epoch's mean is the gradient, and no error of it is taken off.
TEST_F(AnalyzeTest, AnExactReferenceHasNoError) {
  const auto group = engine_of(NormKind::kGroup);
  const BatchAnalysis exact = run(*group, 8, {.draws = 16, .sample = 4});
  EXPECT_EQ(exact.reference_error, 0);
  EXPECT_EQ(exact.network.below_floor, 0);
  EXPECT_LT(exact.judged_from(), 0.01);
  EXPECT_GT(run(*group, 8, {.draws = 16, .augment = {.flip = true}, .sample = 4}).reference_at_most, 0.05);
  EXPECT_GT(run(*engine_of(NormKind::kBatch), 8, {.draws = 16, .sample = 4}).reference_at_most, 0.05);
}

// A made-up analysis of one bin from 1.8 on, with that failure rate and error, all of 1000 coordinates in it.
BatchAnalysis one_bin(double rate, double error, double bound) {
  BatchAnalysis a;
  a.batch = 4;
  a.draws = 100;
  SnrBin& bin = a.network.bins[17];
  bin = {.count = 1000, .failures = 1000 * rate, .bound = 1000 * bound, .magnitude = 3};
  a.network.coordinates = 1250;
  a.network.silent = 250;
  a.network.l1 = 4;
  a.sample.failure_error[17] = error;
  return a;
}

TEST(AnalyzeVerdicts, ABinIsOverOrUnderByThreeErrorsOrUndecided) {
  EXPECT_STREQ(one_bin(0.10, 0.02, 0.20).verdict(17), "under");
  EXPECT_STREQ(one_bin(0.30, 0.02, 0.20).verdict(17), "over");
  EXPECT_STREQ(one_bin(0.15, 0.02, 0.20).verdict(17), "undecided");
  EXPECT_STREQ(one_bin(0.25, 0.02, 0.20).verdict(17), "undecided");
  EXPECT_STREQ(one_bin(0, 0, 0.20).verdict(17), "under");  // no failure in 100 draws
  EXPECT_STREQ(one_bin(0, 0, 0.05).verdict(17), "undecided");
  BatchAnalysis near = one_bin(0.10, 0.02, 0.20);
  near.reference_at_most = 0.5;
  EXPECT_STREQ(near.verdict(17), "floor");
}

TEST(AnalyzeVerdicts, TheHeadlineSaysHowMuchWasJudged) {
  EXPECT_EQ(
      picture_verdict(one_bin(0.10, 0.02, 0.20)),
      "Batch 4: the small-batch picture holds where it can be judged: signs fail less often than Gauss's bound allows "
      "in all of 1 range of S that can be judged (100.0 % of the coordinates, 75.0 % of the l1 norm).");
  EXPECT_THAT(picture_verdict(one_bin(0.25, 0.02, 0.20)),
              HasSubstr("nothing contradicts the small-batch picture: of 1 range of S that can be judged"));
  EXPECT_THAT(
      picture_verdict(one_bin(0.30, 0.02, 0.20)),
      HasSubstr("does not hold everywhere: signs fail more often than Gauss's bound allows in 1 of 1 range of S"));
  BatchAnalysis a = one_bin(0.10, 0.02, 0.20);
  a.network.promised[0] = 2;
  a.sample.descent[0].mean = 1;
  a.sample.descent_error[0] = 0.1;
  EXPECT_THAT(descent_verdict(a), HasSubstr("descends 0.2500 ± 0.0250 of the l1 norm, below the 0.5000"));
  a.sample.descent[0].mean = 1.8;
  EXPECT_THAT(descent_verdict(a), HasSubstr("within three standard errors of the 0.5000"));
  a.reference = Reference::kDraws;
  EXPECT_EQ(descent_verdict(a), "");
}

TEST(AnalyzeVerdicts, SignsOfAnAverageHaveOtherLevels) {
  BatchAnalysis a = one_bin(0.10, 0.02, 0.20);
  a.network.noise = 1;
  EXPECT_EQ(average_text(a, 1), "");
  EXPECT_THAT(
      average_text(a, average_noise(0.9, 0.9)),
      HasSubstr("noise is 0.229 of a mini-batch's: S is up to 4.36 times as large there, and level 1 here is level "
                "4.36"));
}

TEST(AnalyzeVerdicts, WhetherDitherPaysMayBeUnknown) {
  BatchAnalysis a = one_bin(0.10, 0.02, 0.20);
  a.network.promised = {2, 1.9, 1.8, 1.5, 1, 0.5, 0.2};
  a.sample.gain[3].mean = -0.2;
  a.sample.gain_error[3] = 0.1;
  EXPECT_THAT(dither_advice(a), HasSubstr("It cannot be told whether dither pays"));
  a.sample.gain_error[3] = 0.01;
  EXPECT_THAT(dither_advice(a), HasSubstr("Dither does not pay in first-order descent here: level 1"));
  a.sample.gain[4].mean = 0.2;
  a.sample.gain_error[4] = 0.01;
  EXPECT_THAT(dither_advice(a), HasSubstr("Dither pays here: at level 2"));
}

TEST_F(AnalyzeTest, BadInput) {
  const auto engine = engine_of(NormKind::kBatch);
  EXPECT_THAT(message_of<OptionError>([&] { run(*engine, 151, {}); }),
              HasSubstr("batch 151 is larger than the 150 training images"));
  EXPECT_THAT(message_of<OptionError>([&] { run(*engine, 8, {.dump = "fc.wieght"}); }),
              HasSubstr("did you mean fc.weight?"));
  const auto buffers = copy(engine->buffers());
  engine->values()[0] = NAN;
  EXPECT_THAT(message_of<DivergedError>([&] { run(*engine, 8, {.draws = 4}); }),
              HasSubstr("reference batch 0 is NaN or infinite"));
  EXPECT_TRUE(same_bytes(engine->buffers(), buffers)) << "given back after an error too";
  AnalyzeOptions one{.draws = 1};
  OptionList list;
  describe(list, one);
  EXPECT_THAT(message_of<OptionError>([&] { list.validate(); }),
              HasSubstr("draws is '1'; wanted a whole number in [4, 4096]"));
}

}  // namespace
}  // namespace signstep
