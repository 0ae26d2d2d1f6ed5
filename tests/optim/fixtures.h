// SPDX-License-Identifier: Apache-2.0
// The rules as equations, one coordinate at a time in double precision, for the library's float spans to be held
// against; and small helpers. Slow and obvious on purpose.
#pragma once

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/random/random.h"

namespace signstep {

inline double sign_of(double u) { return (u > 0) - (u < 0); }

struct NaiveSign {
  double lr, b1, b2, decay = 0, m = 0;
  double s = 0;  // of the last step
  double step(double x, double g) {
    const double u = b1 * m + (1 - b1) * g;
    m = b2 * m + (1 - b2) * g;
    s = sign_of(u);
    return (1 - lr * decay) * x - lr * s;
  }
};

struct NaiveSgd {
  double lr, momentum, l2, decay = 0, m = 0;
  bool nesterov = false;
  double step(double x, double g) {
    const double h = g + l2 * x;
    m = momentum * m + h;
    return (1 - lr * decay) * x - lr * (nesterov ? h + momentum * m : m);
  }
};

struct NaiveAdam {
  double lr, beta1, beta2, epsilon, l2, decay = 0, m = 0, v = 0;
  int t = 0;
  double step(double x, double g) {
    ++t;
    const double h = g + l2 * x;
    m = beta1 * m + (1 - beta1) * h;
    v = beta2 * v + (1 - beta2) * h * h;
    const double mean = m / (1 - std::pow(beta1, t)), square = v / (1 - std::pow(beta2, t));
    return (1 - lr * decay) * x - lr * mean / (std::sqrt(square) + epsilon);
  }
};

// Both phases after the switch: rate = Lambda lr, alpha the share of the sign step, d in the place of m.
struct NaiveBlend {
  double mu, b1, decay = 0, d = 0;
  double step(double x, double g, double lr, double rate, double alpha) {
    const double s = sign_of(b1 * d + (1 - b1) * g);
    d = mu * d + (1 - mu) * g;
    return (1 - lr * decay) * x - (alpha * lr * s + (1 - alpha) * rate * d);
  }
};

inline std::vector<float> normals(size_t count, uint64_t seed, double scale = 1) {
  SequentialRandom random(Stream(seed, Purpose::kProblem));
  std::vector<float> out(count);
  for (float& value : out) value = static_cast<float>(scale * random.normal());
  return out;
}

inline std::string option_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const OptionError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace signstep
