// SPDX-License-Identifier: Apache-2.0
// Does the small-batch theory's picture fit a real network? At fixed parameters, K mini-batches are drawn with
// replacement and each gradient is held against a reference gradient (docs/theory.md, "On a real network").
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signstep/data/augment.h"
#include "signstep/data/image_set.h"
#include "signstep/data/normalize.h"
#include "signstep/nn/engine.h"
#include "signstep/theory/sample_profile.h"

namespace signstep {

// kEpoch: the mean over a whole epoch's batches, independent of the draws. kDraws: the mean of the draws themselves,
// for where an epoch is too dear; it fakes signal of 1/sqrt(K), which is taken off, and signs are judged well above it
// only.
enum class Reference { kEpoch, kDraws };

// Which images the gradients are of.
enum class AnalyzedImages { kAsTrained, kPlain };

struct AnalyzeOptions {
  int64_t draws = 256;  // K, mini-batches
  Reference reference = Reference::kEpoch;
  AnalyzedImages images = AnalyzedImages::kAsTrained;  // for the caller, who knows the run
  AugmentOptions augment = {};                         // what analyze does
  int64_t sample = 64;                                 // coordinates of each tensor that keep their draws
  uint64_t seed = 1;                                   // of draws and sample
  std::string dump = {};                               // a tensor whose draws are written out; empty: none
};

void describe(OptionList& list, AnalyzeOptions& options);

struct AnalyzeData {
  const ImageSet& images;
  std::vector<uint32_t> indices;  // that batches are drawn from
  Normalization normalization;
};

struct TensorAnalysis {
  std::string name;
  SnrProfile profile;
  ShapeCounts shapes;
  double rms = 0;  // of the mini-batch gradient: what relative dither is relative to
};

// One tensor's draws, in the flat buffer's order.
struct TensorDump {
  std::string name;
  std::vector<float> reference, draws;  // n; K x n
};

struct BatchAnalysis {
  size_t batch = 0, draws = 0, reference_batches = 0;
  Reference reference = Reference::kEpoch;
  // rho: of the reference, in standard deviations of a draw; 0 where an epoch's mean is the gradient itself, without
  // batch norm and augmentation. And what it may be: two standard errors more, at most 1/sqrt(reference batches).
  double reference_error = 0, reference_at_most = 0;
  Moments loss;  // of the draws
  std::vector<TensorAnalysis> tensors;
  SnrProfile network;
  ShapeCounts shapes;
  SampleProfile sample;
  ShapePower power;
  TensorDump dump;
  double seconds = 0;

  double judged_from() const {
    return 5 * reference_at_most;
  }  // S below it says more of the reference than of the sign
  // Of a bin: "under" the bound or "over" it by more than 3 standard errors, "undecided" between, or "floor": not
  // judged; "" without coordinates.
  const char* verdict(size_t bin) const;
};

// Leaves parameters and running statistics as they were, to the bit; gradients are overwritten. Throws OptionError for
// a batch larger than the data or an unknown dump tensor, DivergedError when a loss or gradient is not finite. Cost: K
// forward and backward passes, and an epoch of them for the reference; 40 bytes a parameter.
using AnalyzeProgress = std::function<void(const char* phase, size_t done, size_t total)>;
BatchAnalysis analyze(Engine& engine, const AnalyzeData& data, size_t batch, const AnalyzeOptions& options,
                      const AnalyzeProgress& progress);

}  // namespace signstep
