// SPDX-License-Identifier: Apache-2.0
// Problems on which everything in the rate bound is known: the gap f - f*, the gradient, the standard deviation of one
// sample's gradient, and a coordinate-wise smoothness L, |f(y) - f(x) - f'(x) (y - x)| <= sum_i L_i (y_i - x_i)^2 / 2.
//
// L_i is the largest possible sum of |H_ij| over row i of the Hessian, not its diagonal: then diag(L) - H is diagonally
// dominant, so positive semidefinite. (The diagonal alone is not an upper bound as soon as coordinates interact.)
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace signstep {

class Problem {
 public:
  virtual ~Problem() = default;

  virtual std::string name() const = 0;
  virtual double gap(std::span<const double> x) const = 0;  // f(x) - f*
  virtual void gradient(std::span<const double> x, std::span<double> out) const = 0;

  size_t dimension() const { return start_.size(); }
  const std::vector<double>& start() const { return start_; }
  const std::vector<double>& smoothness() const { return smoothness_; }
  const std::vector<double>& sigma() const { return sigma_; }  // of one sample's gradient, per coordinate
  double l1_smoothness() const;
  double first_gap() const { return gap(start_); }

 protected:
  std::vector<double> start_, smoothness_, sigma_;
};

// f = (x - c)' H (x - c) / 2, H tridiagonal with diagonal h_i from 1/2 to 2 and H_i,i+1 = -0.3 sqrt(h_i h_{i+1}).
std::unique_ptr<Problem> quadratic_problem();

// Logistic regression with an L2 term on 200 seeded points in 10 dimensions, full gradient plus noise; f* by Newton's
// method. H_ij is at most the mean of |a_i a_j| / 4, plus the L2 term on the diagonal.
std::unique_ptr<Problem> logistic_problem();

// f = sum_i (sqrt(1 + x_i^2) - 1) / 4: slope 1/4 far out, L = 1/4, f* = 0. With noise of standard deviation 2.165 that
// is skewed, the gradient far out is design's counterexample: +4 with probability 1/4, -1 with 3/4.
std::unique_ptr<Problem> valley_problem();

}  // namespace signstep
