// SPDX-License-Identifier: Apache-2.0
// The functions of signstep.h that are about moments.
#include "signstep/theory/moments.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "signstep/base/error.h"
#include "signstep/c/boundary.h"
#include "signstep/c/shared_threads.h"
#include "signstep/c/signstep.h"
#include "signstep/parallel/pieces.h"
#include "signstep/theory/dither_law.h"

using namespace signstep;

struct signstep_moments {
  CoordinateMoments moments;
};

namespace {

const char* kMoments = "what signstep_moments_new gave";

void require_length(const signstep_moments* moments, uint64_t n) {
  if (const size_t wanted = moments->moments.coordinates(); n != wanted)
    throw OptionError(fmt::format("n is {}; wanted the {} coordinates that the moments were made for", n, wanted));
}

}  // namespace

int signstep_moments_new(uint64_t coordinates, signstep_moments** out) {
  return guarded([&] {
    require_pointer(out, "out", "where to put the moments");
    if (coordinates > SIZE_MAX / 64) throw OptionError(fmt::format("{} coordinates; wanted fewer", coordinates));
    *out = new signstep_moments{CoordinateMoments(coordinates)};
  });
}

void signstep_moments_free(signstep_moments* moments) { delete moments; }

int signstep_moments_add(signstep_moments* moments, const float* x, uint64_t n) {
  return guarded([&] {
    require_pointer(moments, "moments", kMoments);
    require_length(moments, n);
    if (n > 0) require_pointer(x, "x", "n values");
    with_executor([&](Executor& executor) {
      std::atomic<bool> finite{true};
      for_each_piece(n, executor, [&](size_t begin, size_t end) {
        if (!std::all_of(x + begin, x + end, [](float v) { return std::isfinite(v); })) finite = false;
      });
      if (!finite) throw DataError("a value is NaN or infinite; wanted finite ones; leave this vector out");
      moments->moments.add({x, n}, executor);
    });
  });
}

uint64_t signstep_moments_draws(const signstep_moments* moments) { return moments ? moments->moments.draws() : 0; }

int signstep_moments_read(const signstep_moments* moments, uint64_t n, double* mean, double* variance, double* skewness,
                          double* kurtosis) {
  return guarded([&] {
    require_pointer(moments, "moments", kMoments);
    require_length(moments, n);
    with_executor([&](Executor& executor) {
      for_each_piece(n, executor, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
          const Moments at = moments->moments.at(i);
          if (mean != nullptr) mean[i] = at.mean;
          if (variance != nullptr) variance[i] = at.variance();
          if (skewness != nullptr) skewness[i] = at.skewness();
          if (kurtosis != nullptr) kurtosis[i] = at.excess_kurtosis();
        }
      });
    });
  });
}

int signstep_expected_sign(uint64_t n, const double* gradient, const double* sigma, const double* skewness,
                           const double* kurtosis, double dither, double* out) {
  return guarded([&] {
    if (!(dither >= 0 && std::isfinite(dither)))
      throw OptionError(fmt::format("dither is {}; wanted a finite number of at least 0", dither));
    if (n == 0) return;
    require_pointer(gradient, "gradient", "n of them");
    require_pointer(sigma, "sigma", "n of them");
    require_pointer(skewness, "skewness", "n of them");
    require_pointer(kurtosis, "kurtosis", "n of them");
    require_pointer(out, "out", "room for n numbers");
    if (const double* low = std::find_if(sigma, sigma + n, [](double s) { return s < 0; }); low != sigma + n)
      throw OptionError(fmt::format("sigma[{}] is {}; wanted at least 0", low - sigma, *low));
    with_executor([&](Executor& executor) {
      for_each_piece(n, executor, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
          out[i] = expected_sign({gradient[i], sigma[i], skewness[i], kurtosis[i]}, dither);
      });
    });
  });
}
