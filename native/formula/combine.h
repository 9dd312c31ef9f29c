// Arithmetic of one element that strategies share. Each operation is one IEEE operation, rounded to nearest even.
#pragma once

#include "element.h"

namespace theta {

/// θ ⊕ y: where y is 0 the result is θ itself, which keeps −0.
template <typename W>
THETA_HD W onto(W base, W vector) {
  return vector == 0 ? base : base + vector;
}

/// −1, 0, 1, or NaN of a NaN.
template <typename W>
THETA_HD W sign_of(W x) {
  return x > 0 ? W{1} : x < 0 ? W{-1} : x == 0 ? W{0} : x;
}

/// Whether a term stays in under sign consensus; `sum` elects, and a sum of 0 elects plus. A NaN agrees with no sign,
/// and as a sum it elects minus. Written without a choice between comparisons, which compilers do not vectorise.
template <typename W>
THETA_HD bool agrees(W term, W sum) {
  const W oriented = sum >= 0 ? term : -term;
  return oriented > 0;
}

/// Σw in float64, 0 when it counts as zero (METHODS.md, "Strategies on vectors").
THETA_HD double divisor_of(double total, double absolute) {
  const double magnitude = total < 0 ? -total : total;
  return magnitude <= 0x1p-40 * absolute ? 0.0 : total;
}

}  // namespace theta
