// SPDX-License-Identifier: Apache-2.0
// Predictions, and which classes are taken for which.
#include "signstep/train/confusion.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/data/fixtures.h"
#include "tests/support/softmax_engine.h"

namespace signstep {
namespace {

using testing::ElementsAre;

Predictions example() {
  return {.classes = 3,
          .labels = {0, 0, 1, 1, 1},
          .predicted = {0, 1, 1, 0, 0},
          .probabilities = {.5f, .25f, .25f, 0, 1, 0, .25f, .75f, 0, .5f, .5f, 0, 1, 0, 0}};
}

TEST(ConfusionTest, CountsWhatIsTakenForWhat) {
  const Confusion c = confusion_of(example(), {"a", "b", "c"}, "runs/x/checkpoints/step-00000007.safetensors");
  EXPECT_THAT(c.counts, ElementsAre(ElementsAre(1, 1, 0), ElementsAre(2, 1, 0), ElementsAre(0, 0, 0)));
  EXPECT_THAT(c.classes, ElementsAre("a", "b", "c"));
  EXPECT_EQ(c.checkpoint, "step-00000007.safetensors");
}

TEST(ConfusionTest, CsvNamesClassesAndQuotesThem) {
  EXPECT_EQ(predictions_csv(example(), {7, 8, 9, 10, 11}, {"cat, black", "=dog", "fox"}),
            "image,label,predicted,probability,label_probability\n"
            "7,\"cat, black\",\"cat, black\",0.5,0.5\n"
            "8,\"cat, black\",'=dog,1,0\n"
            "9,'=dog,'=dog,0.75,0.75\n"
            "10,'=dog,\"cat, black\",0.5,0.5\n"
            "11,'=dog,\"cat, black\",1,0\n");
}

TEST(ConfusionTest, PredictionsAgreeWithTheAccuracy) {
  const ImageSet set = fixture_images(3, 32, 10, 600, 1);  // more than a batch
  const auto engine = softmax_engine().make({}, make_network({.width = 4}, 3, 10));
  initialize(engine->network(), 1, engine->values(), engine->buffers());
  const Normalization normalization = find_dataset("cifar10").normalization;
  const TrainOptions options;
  const auto loader = evaluation_loader(set, {}, normalization, options);
  Predictions p;
  const Evaluation seen = evaluate(*engine, *loader, p), plain = evaluate(*engine, *loader);
  EXPECT_EQ(seen.loss, plain.loss);
  EXPECT_EQ(seen.accuracy, plain.accuracy);
  ASSERT_EQ(p.labels.size(), 600u);
  const Confusion c = confusion_of(p, std::vector<std::string>(10));
  uint64_t right = 0;
  double loss = 0;
  for (size_t k = 0; k < 10; ++k) right += c.counts[k][k];
  for (size_t i = 0; i < 600; ++i) {
    EXPECT_EQ(p.labels[i], set.labels[i]);
    loss -= std::log(p.probability(i, p.labels[i])) / 600;
  }
  EXPECT_DOUBLE_EQ(100.0 * static_cast<double>(right) / 600, seen.accuracy);
  EXPECT_NEAR(loss, seen.loss, 1e-5 * loss);
}

}  // namespace
}  // namespace signstep
