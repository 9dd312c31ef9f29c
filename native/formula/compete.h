// Arithmetic of one element of pcb: how much an element counts beside those of its own vector, and beside those that
// the other vectors have in its place (METHODS.md, "Strategies that choose elements").
#pragma once

#include "choose.h"

namespace theta {

/// At most 4 ulp off; no branch, so that loops over it are vectorised. tanh(±0) is +0, NaN gives NaN.
THETA_HD double hyperbolic_tangent(double x) {
  const double magnitude = absolute(x);
  const double z = magnitude * magnitude;
  // Lambert's continued fraction, cut where it is off by 2^-53 of the value at ½.
  const double near =
      magnitude * ((135135.0 + z * (17325.0 + z * (378.0 + z))) / (135135.0 + z * (62370.0 + z * (3150.0 + z * 28.0))));
  const double far = 1.0 - 2.0 / (exponential(magnitude + magnitude) + 1.0);
  const double y = magnitude < 0.5 ? near : far;
  return x < 0 ? -y : y;
}

/// |x|, held within [low, high].
template <typename W>
THETA_HD W clipped_size(W x, W low, W high) {
  const W size = absolute(x);
  return size < low ? low : size > high ? high : size;
}

/// `size` with the sign of x; +0 where x is 0 or NaN.
template <typename W>
THETA_HD W signed_as(W x, W size) {
  return x > 0 ? size : x < 0 ? -size : W{0};
}

/// Where a clipped size lies between the least, 0, and the largest, 1; 1 where these are one.
template <typename W>
THETA_HD double share_of_range(W size, W low, W high) {
  const double least = static_cast<double>(low), range = static_cast<double>(high) - least;
  return range > 0 ? (static_cast<double>(size) - least) / range : 1.0;
}

/// exp(count × share²) × tanh(x × rivals): `rivals` is the sum of what all vectors have here, themselves included.
THETA_HD double balance_of(double x, double share, double rivals, double count) {
  return exponential(count * (share * share)) * hyperbolic_tangent(x * rivals);
}

/// Where a balance lies between `least`, 0, and `most`, 1, what is below being 0. Where these are one, those that reach
/// it count alike, but for an x of 0.
template <typename W>
THETA_HD double score_of(W x, double balance, double least, double most) {
  const double between = balance > least ? (balance - least) / (most - least) : 0.0;
  return most > least ? between : (balance >= least) & (x != 0) ? 1.0 : 0.0;
}

}  // namespace theta
