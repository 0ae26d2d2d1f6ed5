// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/dither.h"

#include <cmath>
#include <numbers>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// Post-sign noise is added to steps of length 1, whose rms is 1 already.
bool scales_by_rms(const DitherOptions& o) {
  return o.dither == DitherKind::kRelative && o.dither_on != DitherOn::kPost;
}

}  // namespace

DitherState make_dither_state(const DitherOptions& options, size_t tensors) {
  DitherState state;
  if (scales_by_rms(options)) state.rms.resize(tensors);
  return state;
}

void require_fit(const DitherState& state, const DitherOptions& options, size_t tensors) {
  const size_t seen = state.rms.size(), wanted = make_dither_state(options, tensors).rms.size();
  if (seen != wanted)
    throw CheckpointError(
        fmt::format("the saved dither_rms has {} entries, wanted {}; go on with the dither and the tensors that it was "
                    "saved with",
                    seen, wanted));
  for (size_t i = 0; i < seen; ++i)
    if (!(state.rms[i] >= 0 && std::isfinite(state.rms[i])))
      throw CheckpointError(fmt::format(
          "the saved dither_rms[{}] is {}; wanted a finite number of at least 0; it is damaged, use another", i,
          state.rms[i]));
}

double dither_level(const DitherOptions& o, uint64_t t, uint64_t total_steps) {
  if (o.dither == DitherKind::kNone) return 0;
  const double first = *o.dither_level, last = *o.dither_final;
  const double length = o.dither_until * static_cast<double>(total_steps);
  if (static_cast<double>(t) >= length) return last;  // exact, and free of 0 / 0 for a run of no steps
  if (t == 0) return first;
  const double tau = static_cast<double>(t) / length;
  switch (o.dither_shape) {
    case DitherShape::kConstant: return first;
    case DitherShape::kLinear: return first + (last - first) * tau;
    case DitherShape::kCosine: return last + (first - last) * 0.5 * (1 + std::cos(std::numbers::pi * tau));
    case DitherShape::kExponential: return first * std::pow(last / first, tau);
    case DitherShape::kInverseSqrt: {
      const double ratio = first / last;
      return first / std::sqrt(1 + (ratio * ratio - 1) * tau);
    }
  }
  return 0;
}

double rms_of(double sum_of_squares, uint64_t finite_count) {
  return finite_count == 0 ? 0 : std::sqrt(sum_of_squares / static_cast<double>(finite_count));
}

bool must_measure(const DitherOptions& options, double level, double stored_rms) {
  return scales_by_rms(options) && level > 0 && stored_rms == 0;
}

double sigma_for(const DitherOptions& options, double level, double rms) {
  return scales_by_rms(options) ? level * rms : level;
}

}  // namespace signstep
