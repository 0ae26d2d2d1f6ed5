// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/start_checks.h"

#include "signstep/base/error.h"

namespace signstep {

void require_storable_probes(int64_t analyze_every, uint64_t total_steps) {
  constexpr uint64_t kMost = 500'000;  // of some 130 bytes; the format allows a header of 100 MB
  if (analyze_every <= 0) return;
  const auto every = static_cast<uint64_t>(analyze_every);
  if (total_steps / every <= kMost) return;
  throw OptionError(fmt::format(
      "analyze_every is {}, which measures {} gradients in {} steps; a checkpoint holds {}: take at least {}", every,
      total_steps / every, total_steps, kMost, (total_steps + kMost - 1) / kMost));
}

void require_batch_statistics(const Network& network, int64_t height, int64_t width, const EpochSize& epoch,
                              size_t batch, size_t ranks) {
  if (network.options.norm != NormKind::kBatch) return;
  for (const Layer& layer : network.layers) {
    if (layer.kind != Layer::Kind::kConv || layer.shortcut) continue;
    height = (height - 1) / layer.stride + 1;
    width = (width - 1) / layer.stride + 1;
  }
  const size_t rest = epoch.samples % batch, least = (rest == 0 ? batch : rest) / ranks;
  if (height * width > 1 || least > 1) return;
  throw OptionError(fmt::format(
      "batch norm would see one value a channel: the last maps are 1x1 pixel and the {} batch has one image{}; take "
      "another batch size, larger images or norm group",
      rest == 0 ? "smallest" : "last", ranks > 1 ? " for each rank" : ""));
}

}  // namespace signstep
