// Weights of a strategy's values, and what the sum of those that are still in is divided by.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "../formula/combine.h"

namespace theta {

/// At most this many terms have their divisors in a table, by which of them are still in.
inline constexpr size_t kTableTerms = 8;

/// D over the terms in the set, rounded to W; 0 when it counts as zero.
template <typename W>
W divisor_in(const std::vector<double>& weights, uint64_t set) {
  double total = 0, absolute = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!(set >> i & 1)) continue;
    total = total + weights[i];
    absolute = absolute + std::abs(weights[i]);
  }
  return static_cast<W>(divisor_of(total, absolute));
}

/// Weights in float64 and in W, and the table of divisors of sign consensus if it is small enough.
template <typename W>
class TermWeights {
 public:
  TermWeights() = default;
  explicit TermWeights(std::vector<double> weights) : exact_(std::move(weights)) {
    for (const double weight : exact_) rounded_.push_back(static_cast<W>(weight));
    if (exact_.size() > kTableTerms) return;
    for (uint64_t set = 0; set >> exact_.size() == 0; ++set) {
      const W divisor = divisor_in<W>(exact_, set);
      divisors_.push_back(divisor == 0 ? W{1} : divisor);
    }
  }

  const double* exact() const { return exact_.data(); }
  const W* rounded() const { return rounded_.data(); }
  /// By the set of terms still in, as bits; null where there are too many terms for a table.
  const W* divisors() const { return divisors_.empty() ? nullptr : divisors_.data(); }

 private:
  std::vector<double> exact_;
  std::vector<W> rounded_, divisors_;
};

}  // namespace theta
