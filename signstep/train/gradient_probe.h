// SPDX-License-Identifier: Apache-2.0
// Signal and noise of the gradient while a run goes on: the step's own gradient is held against that of one more,
// independent batch at the same parameters (docs/theory.md, "While a run goes on").
#pragma once

#include <span>
#include <vector>

#include "signstep/data/loader.h"
#include "signstep/nn/engine.h"
#include "signstep/runs/epoch_record.h"

namespace signstep {

// Of two independent mini-batch gradients g1 and g2 of equal expectation g. NaN or infinite where an input is.
struct GradientPair {
  double signal = 0;        // g1.g2, unbiased for |g|^2; below 0 when noise hides it
  double squared_norm = 0;  // |g1|^2, whose expectation is |g|^2 and the sum of g1's variances
  double agreement = 0;     // share of equal signs, 0 to 1, where neither is 0; NaN: nowhere
  double density = 0;       // |g1|_1^2 / (n |g1|_2^2), 1/n to 1; NaN for a zero gradient

  double noise() const { return squared_norm - signal; }  // unbiased for the sum of g1's variances
};

// coordinates: n; both spans may hold zeros besides, as the gaps of the flat buffers are. Equal sizes. The same bits
// for any executor. Cost: six reads of a gradient.
GradientPair compare_gradients(std::span<const float> g1, std::span<const float> g2, size_t coordinates,
                               Executor& executor);

// Draws the second batch and leaves no trace in the engine. Memory: one gradient, the running statistics, two batches
// and 8 bytes per index.
class GradientProbe {
 public:
  // training: how the run's own batches are made; order, augmentation and seed are shared, the draws are not. Errors as
  // for Loader.
  GradientProbe(const ImageSet& set, std::vector<uint32_t> indices, const Normalization& normalization,
                LoaderOptions training);

  // The engine holds the gradient of a batch of `count` images at its parameters, and holds it again afterwards, with
  // the running statistics as they were, to the bit. The second batch has as many images, no image twice, and is a
  // function of (seed, step) alone; step < 2^47. Cost: one forward and backward pass, and about 10 reads or writes of
  // the parameters' size.
  GradientPair measure(Engine& engine, size_t count, uint64_t step);

 private:
  Loader loader_;
  Batch batch_;
  std::vector<float> gradient_, buffers_;
};

// step: counted from 1.
void append_pair(ProbePairs& pairs, uint64_t step, const GradientPair& pair, double seconds);

}  // namespace signstep
