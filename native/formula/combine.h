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

/// All ones, or zero.
template <typename W>
THETA_HD Bits<W> lanes_of(bool condition) {
  return static_cast<Bits<W>>(0 - static_cast<Bits<W>>(condition));
}

/// `a` in lanes of ones, `b` in lanes of zeros. Compilers may make branches of ?: in loops, and these are foreseen by
/// nobody: whether terms agree is as good as random.
template <typename W>
THETA_HD W where(Bits<W> lanes, W a, W b) {
  return std::bit_cast<W>(
      static_cast<Bits<W>>((std::bit_cast<Bits<W>>(a) & lanes) | (std::bit_cast<Bits<W>>(b) & ~lanes)));
}

/// Lanes of ones where a term stays in under sign consensus; `sum` elects, and a sum of 0 elects plus. A NaN agrees
/// with no sign, and as a sum it elects minus.
template <typename W>
THETA_HD Bits<W> agrees(W term, W sum) {
  return lanes_of<W>(where(lanes_of<W>(sum >= 0), term, -term) > 0);
}

/// x where |x| ≤ t, t in its direction elsewhere. A NaN stays.
template <typename W>
THETA_HD W nearswapped(W x, W t) {
  const W size = x < 0 ? -x : x;
  return where(lanes_of<W>(size <= t), W{1}, t / size) * x;
}

/// Σw in float64, 0 when it counts as zero (METHODS.md, "Strategies on vectors").
THETA_HD double divisor_of(double total, double absolute) {
  const double magnitude = total < 0 ? -total : total;
  return magnitude <= 0x1p-40 * absolute ? 0.0 : total;
}

}  // namespace theta
