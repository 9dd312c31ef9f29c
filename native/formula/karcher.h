// The barycentre of several tensors' directions on the sphere as a sum of the tensors (METHODS.md, "Merges of models").
// The iteration stays in their span, u = Σ βᵢ x̂ᵢ, so their dot products are all that it needs.
#pragma once

#include <cstddef>
#include <vector>

#include "combine.h"
#include "gram.h"

namespace theta {

struct KarcherRule {
  std::vector<double> weights;
  int64_t max_iterations;
  /// An angle.
  double tolerance;
};

struct KarcherResult {
  /// The barycentre is Σ cᵢxᵢ.
  std::vector<double> c;
  /// A step had no direction: tensors cancel each other, or one is opposite to the point reached and was left out.
  bool antiparallel = false;
};

/// Directions x̂ᵢ of the tensors that are not zero, and points Σ βᵢ x̂ᵢ of their span.
class Directions {
 public:
  explicit Directions(const Gram& gram) : cosines_(static_cast<size_t>(gram.count * gram.count)) {
    for (int64_t i = 0; i < gram.count; ++i) {
      norms_.push_back(gram.norm(i));
      // A norm that is NaN is no zero: what it spoils must be seen.
      if (norms_.back() != 0) present_.push_back(static_cast<size_t>(i));
    }
    for (const size_t i : present_) {
      for (const size_t j : present_) {
        const double norms = norms_[i] * norms_[j];
        const double dot = gram.dot(static_cast<int64_t>(i), static_cast<int64_t>(j));
        cosines_[i * norms_.size() + j] = i == j ? 1.0 : norms == 0 ? 0.0 : dot / norms;
      }
    }
  }

  const std::vector<double>& norms() const { return norms_; }
  const std::vector<size_t>& present() const { return present_; }

  double dot(const std::vector<double>& point, size_t i) const {
    double sum = 0;
    for (const size_t j : present_) sum = sum + point[j] * cosines_[j * norms_.size() + i];
    return sum;
  }
  double length(const std::vector<double>& point) const {
    double sum = 0;
    for (const size_t i : present_) sum = sum + point[i] * dot(point, i);
    return square_root(sum < 0 ? 0.0 : sum);
  }

 private:
  std::vector<double> norms_;
  /// In order.
  std::vector<size_t> present_;
  /// Of present ones, by rows.
  std::vector<double> cosines_;
};

/// Σ w over these, 0 when it counts as zero.
inline double sum_of_weights(const std::vector<double>& weights, const std::vector<size_t>& present) {
  double total = 0, absolute = 0;
  for (const size_t i : present) {
    total = total + weights[i];
    absolute = absolute + (weights[i] < 0 ? -weights[i] : weights[i]);
  }
  return divisor_of(total, absolute);
}

/// Where weights of tensors that are not zero sum to zero there is no barycentre, and c is NaN.
inline KarcherResult karcher_coefficients(const Gram& gram, const KarcherRule& rule) {
  constexpr double kPi = 3.14159265358979311600e+00;
  const Directions directions(gram);
  const size_t count = rule.weights.size();
  KarcherResult result{std::vector<double>(count, 0.0)};
  if (directions.present().empty()) return result;

  double total = 0;
  for (const double weight : rule.weights) total = total + weight;
  const double present_total = sum_of_weights(rule.weights, directions.present());
  std::vector<double> share(count, 0.0), u(count, 0.0), step(count);
  for (const size_t i : directions.present()) share[i] = rule.weights[i] / present_total;
  const double start = directions.length(share);
  if (start < rule.tolerance) {
    u[directions.present().front()] = 1.0;
    result.antiparallel = true;
  } else {
    for (size_t i = 0; i < count; ++i) u[i] = share[i] / start;
  }

  for (int64_t iteration = 0; iteration < rule.max_iterations; ++iteration) {
    step.assign(count, 0.0);
    for (const size_t i : directions.present()) {
      // A NaN passes the clamp.
      double cosine_to = directions.dot(u, i);
      cosine_to = cosine_to < -1.0 ? -1.0 : cosine_to > 1.0 ? 1.0 : cosine_to;
      const double angle = arccosine(cosine_to);
      if (angle < rule.tolerance) continue;
      if (kPi - angle < rule.tolerance) {
        result.antiparallel = true;
        continue;
      }
      const double factor = share[i] * (angle / sine(angle));
      for (size_t j = 0; j < count; ++j) step[j] = step[j] - (factor * cosine_to) * u[j];
      step[i] = step[i] + factor;
    }
    const double length = directions.length(step);
    if (length < rule.tolerance) break;
    const double along = cosine(length), across = sine(length) / length;
    for (size_t j = 0; j < count; ++j) u[j] = along * u[j] + across * step[j];
    const double rescale = 1.0 / directions.length(u);
    for (double& value : u) value = rescale * value;
  }

  double radius = 0;
  for (size_t i = 0; i < count; ++i) radius = radius + rule.weights[i] / total * directions.norms()[i];
  for (const size_t i : directions.present()) result.c[i] = radius * u[i] / directions.norms()[i];
  return result;
}

}  // namespace theta
