// SPDX-License-Identifier: Apache-2.0
// The simple noise scale of a group's runs from their probes (train --analyze-every).
#pragma once

#include "signstep/report/run_group.h"

namespace signstep {

// By epoch, in images: tr(Sigma) / |g|^2, Sigma the covariance of one image's gradient (McCandlish et al. 2018, arXiv
// 1812.06162). A probe's batches of B hold each of N images at most once, so its noise is tr(Sigma) / B times (N - B) /
// (N - 1), which is undone, at each probe's own B. Ratio of means over all probes of the epoch and of the runs
// together: a mean of ratios would be drawn upwards by those whose signal came out small. NaN where there are fewer
// than two probes, or where the mean signal is not above two of its standard errors. No band.
GroupCurve noise_scale_curve(const RunGroup& group);

}  // namespace signstep
