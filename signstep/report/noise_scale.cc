// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/noise_scale.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "signstep/base/number.h"
#include "signstep/report/mean_sd.h"

namespace signstep {
namespace {

constexpr double kErrors = 2;  // that the signal must be above

struct Samples {
  std::vector<double> signal, single;  // g1.g2, and an estimate of tr(Sigma)
};

std::optional<double> number_in(const RunSummary& run, const char* option) {
  const auto found = run.config.find(option);
  return found == run.config.end() ? std::nullopt : parse_number(found->second);
}

// Of one rank's batch, whose gradients are compared.
std::optional<double> batch_of(const RunSummary& run) {
  const auto batch = number_in(run, "batch");
  return batch ? std::optional(*batch / number_in(run, "workers").value_or(1)) : std::nullopt;
}

void add_probes(const RunSummary& run, const EpochRecord& epoch, Samples& samples) {
  const auto batch = batch_of(run);
  if (!batch || !run.record.data.train_images) return;
  const auto images = static_cast<double>(*run.record.data.train_images);
  const double steps = run.steps_per_epoch(), last = std::min(*batch, images - (steps - 1) * *batch);
  const ProbePairs& probe = epoch.course.probe;
  for (size_t i = 0; i < std::min({probe.step.size(), probe.signal.size(), probe.noise.size()}); ++i) {
    const double size = probe.step[i] == epoch.step ? last : *batch;
    if (!(size > 0 && size < images) || !std::isfinite(probe.signal[i]) || !std::isfinite(probe.noise[i])) continue;
    samples.signal.push_back(probe.signal[i]);
    samples.single.push_back(size * probe.noise[i] * (images - 1) / (images - size));
  }
}

double scale_of(const Samples& samples) {
  const MeanSd signal = mean_sd(samples.signal);
  const double error = signal.sd / std::sqrt(static_cast<double>(signal.n));
  return signal.n > 1 && signal.mean > kErrors * error ? mean_sd(samples.single).mean / signal.mean : std::nan("");
}

}  // namespace

GroupCurve noise_scale_curve(const RunGroup& group) {
  std::map<uint64_t, Samples> epochs;
  for (const RunSummary& run : group.runs)
    for (const EpochRecord& epoch : run.epochs)
      if (!epoch.course.probe.empty()) add_probes(run, epoch, epochs[epoch.epoch]);
  GroupCurve curve;
  for (const auto& [epoch, samples] : epochs) {
    curve.x.push_back(static_cast<double>(epoch));
    curve.mean.push_back(scale_of(samples));
  }
  return curve;
}

}  // namespace signstep
