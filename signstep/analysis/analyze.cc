// SPDX-License-Identifier: Apache-2.0
#include "signstep/analysis/analyze.h"

#include <algorithm>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/base/stopwatch.h"
#include "signstep/data/loader.h"
#include "signstep/kernels/reduce.h"
#include "signstep/parallel/pieces.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

// Of gradients computed in bfloat16, in standard deviations of a draw: what even an exact mean may be off by.
constexpr double kRounding = 1.0 / 256;

// Gives the running statistics back when the analysis ends, however it ends.
class KeepBuffers {
 public:
  explicit KeepBuffers(Engine& engine) : engine_(engine), saved_(engine.buffers().begin(), engine.buffers().end()) {}
  ~KeepBuffers() { std::copy(saved_.begin(), saved_.end(), engine_.buffers().begin()); }
  KeepBuffers(const KeepBuffers&) = delete;
  KeepBuffers& operator=(const KeepBuffers&) = delete;

 private:
  Engine& engine_;
  std::vector<float> saved_;
};

double gradient(Engine& engine, const Batch& batch, const char* of, size_t number) {
  const double loss = engine.forward_backward(batch).loss;
  if (!std::isfinite(loss) || !std::isfinite(l1_norm(engine.gradients(), engine.executor()))) {
    throw DivergedError(
        fmt::format("the loss or gradient of {} {} is NaN or infinite; analyze an earlier checkpoint, or use "
                    "--precision fp32",
                    of, number));
  }
  return loss;
}

// Batches weighted by their images: without batch norm this is the gradient of the mean loss over all images.
std::vector<float> epoch_reference(Engine& engine, const AnalyzeData& data, const LoaderOptions& base, uint64_t epoch,
                                   const AnalyzeProgress& progress, size_t& batches) {
  LoaderOptions options = base;
  options.shuffle = true;
  options.prefetch = 4;
  Loader loader(data.images, data.indices, data.normalization, options);
  std::vector<double> sum(engine.gradients().size(), 0.0);
  Batch batch;
  batches = loader.batches_per_epoch();
  size_t done = 0;
  for (loader.start_epoch(epoch); loader.next(batch); ++done) {
    progress("reference", done, batches);
    gradient(engine, batch, "reference batch", done);
    const std::span<const float> g = engine.gradients();
    const auto weight = static_cast<double>(batch.count) / static_cast<double>(data.indices.size());
    for_each_piece(g.size(), engine.executor(), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) sum[i] += weight * g[i];
    });
  }
  return {sum.begin(), sum.end()};
}

std::vector<TensorRange> ranges(const Network& network) {
  std::vector<TensorRange> out;
  for (const TensorInfo& t : network.parameters) out.push_back({t.offset, t.size});
  return out;
}

// The images of draw k are a function of (seed, k); with augmentation so are their windows.
void draw_images(const AnalyzeData& data, const AnalyzeOptions& o, const LoaderOptions& loader_options, size_t k,
                 Batch& batch) {
  SequentialRandom random(Stream(o.seed, Purpose::kSample, k + 1));
  std::vector<uint32_t> images(loader_options.batch);
  for (uint32_t& image : images) image = data.indices[random.below(static_cast<uint32_t>(data.indices.size()))];
  Loader loader(data.images, std::move(images), data.normalization, loader_options);
  loader.start_epoch(k);
  loader.next(batch);
}

const TensorInfo* dumped(const Network& network, const std::string& name) {
  if (name.empty()) return nullptr;
  std::vector<std::string> names;
  for (const TensorInfo& t : network.parameters) {
    if (t.name == name) return &t;
    names.push_back(t.name);
  }
  const std::string near = nearest_name(name, names);
  throw OptionError(fmt::format("--dump {}: the network has no such tensor{}", name,
                                near.empty() ? ", see the names in analysis.json" : "; did you mean " + near + "?"));
}

}  // namespace

void describe(OptionList& list, AnalyzeOptions& o) {
  list.group("Analysis");
  list.integer("draws", o.draws, Range::closed(4, 4096), "", "mini-batches, drawn with replacement");
  list.choice("reference", o.reference, {"epoch", "draws"},
              "gradient that draws are held against: mean over a whole epoch, or of the draws themselves");
  list.choice("images", o.images, {"trained", "plain"},
              "as the run trained on them, with its crop, flip and cutout, or without");
  list.integer("sample", o.sample, Range::closed(2, 65536), "", "coordinates of each tensor that keep their draws");
  list.seed("seed", o.seed, "of draws and sample");
  list.text("dump", o.dump, "name of a tensor whose draws are written to a safetensors file");
}

const char* BatchAnalysis::verdict(size_t bin) const {
  const SnrBin& b = network.bins[bin];
  if (b.count == 0) return "";
  const double excess = (b.failures - b.bound) / b.count, error = sample.failure_error[bin];
  if (snr_bin_edge(bin) < judged_from() || std::isnan(error) || draws < kLeastDraws) return "floor";
  // The sample failed in no draw, or in every one: then the rate, the draws being the units, is within 6.6 / K of that,
  // as (1 - 6.6 / K)^K is the one-sided level of three standard errors.
  const double three = error > 0 ? 3 * error : 6.6 / static_cast<double>(draws);
  return excess > three ? "over" : excess < -three ? "under" : "undecided";
}

BatchAnalysis analyze(Engine& engine, const AnalyzeData& data, size_t batch, const AnalyzeOptions& o,
                      const AnalyzeProgress& progress) {
  const Stopwatch watch;
  if (batch > data.indices.size()) {
    throw OptionError(
        fmt::format("batch {} is larger than the {} training images that it is drawn from; choose a smaller one "
                    "with --batches",
                    batch, data.indices.size()));
  }
  const TensorInfo* dump = dumped(engine.network(), o.dump);
  const KeepBuffers keep(engine);
  const size_t n = engine.gradients().size();
  const std::vector<TensorRange> tensors = ranges(engine.network());
  const LoaderOptions loader{.batch = batch, .seed = o.seed, .augment = o.augment, .prefetch = 1};
  BatchAnalysis out;
  out.batch = batch;
  out.draws = static_cast<size_t>(o.draws);
  out.reference = o.reference;

  std::vector<float> reference(n);
  if (o.reference == Reference::kEpoch)
    reference = epoch_reference(engine, data, loader, out.draws, progress, out.reference_batches);
  CoordinateMoments moments(n);
  SignCounts signs(n);
  CoordinateSample sample(tensors, static_cast<size_t>(o.sample), out.draws, o.seed);
  Batch images;
  for (size_t k = 0; k < out.draws; ++k) {
    progress("draws", k, out.draws);
    draw_images(data, o, loader, k, images);
    out.loss.add(gradient(engine, images, "draw", k));
    const std::span<const float> g = engine.gradients();
    moments.add(g, engine.executor());
    signs.add(g, engine.executor());
    sample.add(g);
    if (dump) {
      const auto part = g.subspan(dump->offset, dump->size);
      out.dump.draws.insert(out.dump.draws.end(), part.begin(), part.end());
    }
  }
  if (o.reference == Reference::kDraws)
    for (size_t i = 0; i < n; ++i) reference[i] = static_cast<float>(moments.at(i).mean);
  progress("statistics", 0, 0);
  if (dump) {
    out.dump.name = dump->name;
    const auto part = std::span(reference).subspan(dump->offset, dump->size);
    out.dump.reference.assign(part.begin(), part.end());
  }

  const Draws drawn{reference, moments, signs, o.reference == Reference::kEpoch};
  const bool exact = drawn.independent && engine.network().options.norm != NormKind::kBatch && !o.augment.crop &&
                     !o.augment.flip && o.augment.cutout == 0;
  double variance = exact ? 0 : reference_variance(drawn, tensors, engine.executor());
  if (drawn.independent) variance = std::min(variance, 1 / static_cast<double>(out.reference_batches));
  const std::vector<double> rms = gradient_rms(drawn, tensors, engine.executor());
  const std::vector<SnrProfile> profiles = snr_profiles(drawn, tensors, variance, rms, engine.executor());
  out.reference_error = std::sqrt(variance);
  out.sample = sample_profile(sample, reference, tensors.size(), variance, rms, engine.executor());
  out.reference_at_most =
      exact ? kRounding / std::sqrt(static_cast<double>(out.reference_batches)) : out.reference_error;
  if (drawn.independent && !exact) {
    const double likely = variance + 2 * out.sample.reference_variance_error;
    out.reference_at_most = std::sqrt(std::min(likely, 1 / static_cast<double>(out.reference_batches)));
  }
  out.power = shape_power(out.draws);
  for (size_t t = 0; t < tensors.size(); ++t) {
    out.tensors.push_back({engine.network().parameters[t].name, profiles[t], out.sample.tensors[t], rms[t]});
    out.network += profiles[t];
    out.shapes.tested += out.sample.tensors[t].tested;
    out.shapes.symmetric += out.sample.tensors[t].symmetric;
    out.shapes.unimodal += out.sample.tensors[t].unimodal;
  }
  out.seconds = watch.seconds();
  return out;
}

}  // namespace signstep
