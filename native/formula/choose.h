// Arithmetic of one element for strategies that choose elements: which are active, which is larger, how much one
// matters.
#pragma once

#include "../dtype.h"
#include "combine.h"
#include "math.h"
#include "order.h"

namespace theta {

template <typename W>
THETA_HD W absolute(W x) {
  return std::bit_cast<W>(static_cast<Bits<W>>(std::bit_cast<Bits<W>>(x) & FormatOf<W>::kMagnitude));
}

/// x in lanes of ones, +0 in lanes of zeros.
template <typename W>
THETA_HD W kept(W x, Bits<W> lanes) {
  return std::bit_cast<W>(static_cast<Bits<W>>(std::bit_cast<Bits<W>>(x) & lanes));
}

/// The product is rounded before it is added.
THETA_HD double add_square(double sum, double x) { return sum + x * x; }

/// Lanes of ones where |x| > ε; of a NaN zeros.
template <typename W>
THETA_HD Bits<W> is_active(W x, W epsilon) {
  return lanes_of<W>(absolute(x) > epsilon);
}

/// The one that is larger in size, `x` where they are equal; a NaN is never chosen.
template <typename W>
THETA_HD W larger(W best, W x) {
  return where(lanes_of<W>(absolute(x) >= absolute(best)), x, best);
}

/// Whether a task's element is large beside what the others make of it; no NaN is.
template <typename W>
THETA_HD Bits<W> is_tall(W x, W merged, W lambda) {
  return lanes_of<W>(absolute(x) >= lambda * absolute(merged - x));
}

/// p × log(p ÷ q), p and q one element's shares of a softmax, and a little.
THETA_HD double divergence_term(double p_exponential, double p_sum, double q_exponential, double q_sum) {
  const double p = p_exponential / p_sum + 1e-8;
  const double q = q_exponential / q_sum + 1e-8;
  return p * logarithm(p / q);
}

/// |τ| × the divergence of its row.
template <typename W>
THETA_HD double importance_of(W tau, double divergence) {
  return static_cast<double>(absolute(tau)) * divergence;
}

}  // namespace theta
