// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/problems.h"

#include <cmath>
#include <numeric>

#include "signstep/random/random.h"

namespace signstep {
namespace {

constexpr size_t kDimension = 10;

using Matrix = std::vector<std::vector<double>>;  // square, symmetric

std::vector<double> absolute_row_sums(const Matrix& h) {
  std::vector<double> sums;
  for (const std::vector<double>& row : h)
    sums.push_back(std::accumulate(row.begin(), row.end(), 0.0, [](double s, double v) { return s + std::fabs(v); }));
  return sums;
}

// Solves h y = b for positive definite h by Cholesky's method, in place.
std::vector<double> solve(Matrix h, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t j = 0; j < n; ++j) {
    for (size_t k = 0; k < j; ++k) h[j][j] -= h[j][k] * h[j][k];
    h[j][j] = std::sqrt(h[j][j]);
    for (size_t i = j + 1; i < n; ++i) {
      for (size_t k = 0; k < j; ++k) h[i][j] -= h[i][k] * h[j][k];
      h[i][j] /= h[j][j];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= h[i][k] * b[k];
    b[i] /= h[i][i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= h[k][i] * b[k];
    b[i] /= h[i][i];
  }
  return b;
}

class Quadratic final : public Problem {
 public:
  Quadratic() : h_(kDimension, std::vector<double>(kDimension, 0.0)) {
    const auto diagonal = [](size_t i) { return 0.5 * std::pow(4.0, static_cast<double>(i) / (kDimension - 1)); };
    for (size_t i = 0; i < kDimension; ++i) {
      h_[i][i] = diagonal(i);
      if (i + 1 < kDimension) h_[i][i + 1] = h_[i + 1][i] = -0.3 * std::sqrt(diagonal(i) * diagonal(i + 1));
      start_.push_back(i % 2 == 0 ? 1.0 : -1.5);
    }
    smoothness_ = absolute_row_sums(h_);
    sigma_.assign(kDimension, 1.0);
  }
  std::string name() const override { return "quadratic"; }
  double gap(std::span<const double> x) const override {
    std::vector<double> g(x.size());
    gradient(x, g);
    return 0.5 * std::inner_product(x.begin(), x.end(), g.begin(), 0.0);
  }
  void gradient(std::span<const double> x, std::span<double> out) const override {
    for (size_t i = 0; i < x.size(); ++i) out[i] = std::inner_product(x.begin(), x.end(), h_[i].begin(), 0.0);
  }

 private:
  Matrix h_;
};

class Logistic final : public Problem {
 public:
  Logistic() {
    SequentialRandom random(Stream(1, Purpose::kProblem));
    Matrix bound(kDimension, std::vector<double>(kDimension, 0.0));
    std::vector<double> truth;
    for (size_t i = 0; i < kDimension; ++i) truth.push_back(random.normal());
    for (size_t n = 0; n < kPoints; ++n) {
      std::vector<double> a;
      for (size_t i = 0; i < kDimension; ++i) a.push_back(random.normal());
      const double margin = std::inner_product(a.begin(), a.end(), truth.begin(), 0.0);
      const double label = random.uniform() < 1 / (1 + std::exp(-margin)) ? 1 : -1;
      for (size_t i = 0; i < kDimension; ++i) {
        for (size_t j = 0; j < kDimension; ++j) bound[i][j] += std::fabs(a[i] * a[j]) / 4 / kPoints;
      }
      for (double& v : a) v *= label;
      points_.push_back(a);
    }
    for (size_t i = 0; i < kDimension; ++i) bound[i][i] += kL2;
    smoothness_ = absolute_row_sums(bound);
    sigma_.assign(kDimension, 1.0);
    start_.assign(kDimension, 3.0);
    least_ = minimum();
  }
  std::string name() const override { return "logistic"; }
  double gap(std::span<const double> x) const override { return value(x) - least_; }
  void gradient(std::span<const double> x, std::span<double> out) const override {
    for (size_t i = 0; i < x.size(); ++i) out[i] = kL2 * x[i];
    for (const std::vector<double>& a : points_) {
      const double p = wrong(a, x);
      for (size_t i = 0; i < x.size(); ++i) out[i] -= p * a[i] / kPoints;
    }
  }

 private:
  static constexpr size_t kPoints = 200;
  static constexpr double kL2 = 0.1;

  // 1 / (1 + exp(margin)): the probability of the other label.
  static double wrong(const std::vector<double>& a, std::span<const double> x) {
    return 1 / (1 + std::exp(std::inner_product(a.begin(), a.end(), x.begin(), 0.0)));
  }
  double value(std::span<const double> x) const {
    double sum = 0;
    for (const std::vector<double>& a : points_) {
      const double margin = std::inner_product(a.begin(), a.end(), x.begin(), 0.0);
      sum += margin > 0 ? std::log1p(std::exp(-margin)) : -margin + std::log1p(std::exp(margin));
    }
    return sum / kPoints + kL2 / 2 * std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
  }
  // f is strongly convex (kL2), so Newton from 0 on this well-conditioned problem ends at rounding level in a few
  // steps.
  double minimum() const {
    std::vector<double> x(kDimension, 0.0), g(kDimension);
    for (int step = 0; step < 20; ++step) {
      gradient(x, g);
      Matrix h(kDimension, std::vector<double>(kDimension, 0.0));
      for (size_t i = 0; i < kDimension; ++i) h[i][i] = kL2;
      for (const std::vector<double>& a : points_) {
        const double p = wrong(a, x);
        for (size_t i = 0; i < kDimension; ++i)
          for (size_t j = 0; j < kDimension; ++j) h[i][j] += p * (1 - p) * a[i] * a[j] / kPoints;
      }
      const std::vector<double> newton = solve(h, g);
      for (size_t i = 0; i < kDimension; ++i) x[i] -= newton[i];
    }
    return value(x);
  }

  Matrix points_;  // times their label
  double least_ = 0;
};

class Valley final : public Problem {
 public:
  Valley() {
    start_.assign(kDimension, 4.0);
    smoothness_.assign(kDimension, 0.25);
    sigma_.assign(kDimension, 1.25 * std::sqrt(3.0));
  }
  std::string name() const override { return "valley"; }
  double gap(std::span<const double> x) const override {
    double sum = 0;
    for (const double v : x) sum += (std::sqrt(1 + v * v) - 1) / 4;
    return sum;
  }
  void gradient(std::span<const double> x, std::span<double> out) const override {
    for (size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(1 + x[i] * x[i]) / 4;
  }
};

}  // namespace

double Problem::l1_smoothness() const { return std::accumulate(smoothness_.begin(), smoothness_.end(), 0.0); }

std::unique_ptr<Problem> quadratic_problem() { return std::make_unique<Quadratic>(); }
std::unique_ptr<Problem> logistic_problem() { return std::make_unique<Logistic>(); }
std::unique_ptr<Problem> valley_problem() { return std::make_unique<Valley>(); }

}  // namespace signstep
