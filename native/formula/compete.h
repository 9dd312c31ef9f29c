// Arithmetic of one element of pcb: how much an element counts beside those of its own vector, and beside those that
// the other vectors have in its place (METHODS.md, "Strategies that choose elements").
#pragma once

#include "choose.h"

namespace theta {

/// Where tanh needs no exponential.
THETA_HD bool is_near_zero(double x) { return absolute(x) < 0.5; }

/// tanh(x) where x is near zero.
THETA_HD double tangent_near_zero(double x) {
  const double magnitude = absolute(x);
  const double z = magnitude * magnitude;
  // Lambert's continued fraction, cut where it is off by 2^-53 of the value at ½.
  const double y =
      magnitude * ((135135.0 + z * (17325.0 + z * (378.0 + z))) / (135135.0 + z * (62370.0 + z * (3150.0 + z * 28.0))));
  return x < 0 ? -y : y;
}

/// At most 4 ulp off; no branch, so that loops over it are vectorised. tanh(±0) is +0, NaN gives NaN.
THETA_HD double hyperbolic_tangent(double x) {
  const double magnitude = absolute(x);
  const double far = 1.0 - 2.0 / (exponential(magnitude + magnitude) + 1.0);
  return is_near_zero(x) ? tangent_near_zero(x) : x < 0 ? -far : far;
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

// The balance of an element is exp(count × share²) × tanh(x × rivals), `rivals` being the sum of what all vectors have
// here, itself included.

/// Its first factor.
THETA_HD double power_of_share(double share, double count) { return exponential(count * (share * share)); }

/// Where a balance lies between `least`, 0, and `most`, 1, what is below being 0. Where these are one, those that reach
/// it count alike, but for an x of 0.
template <typename W>
THETA_HD double score_of(W x, double balance, double least, double most) {
  const double between = balance > least ? (balance - least) / (most - least) : 0.0;
  return most > least ? between : (balance >= least) & (x != 0) ? 1.0 : 0.0;
}

// Most elements are balanced too low to be of interest, which a bound made of rough numbers in W tells: it is not below
// the balance by more than 2^-11 + count × 2^-18 of it, and hardly above where changes are small. That holds for up to
// 64 vectors with ranges of usual size and for balances from 2^-100 on (competition.cpp asks for no others), for, with
// u = 2^-24 in float32 and less in float64:
//
// - A share is three roundings, so it is off by less than 4u, and at most 1 + 4u. What a denormal product loses besides
//   is below 2^-149.
// - To count shares, each off by that, come count − 1 sums of at most count, each rounded: count × (count + 3) × u, and
//   with `slack` a rounding more. `slack` is at least four times as much, so `along` is not below the rivals.
// - The exponent, at most 1.45 × count, is off by 12u of it: 8 of the share's square, 4 of products and constants. Its
//   power is so off by count × 2^-20, and the polynomial by 2^-13.7.
// - tanh y ≤ y, and where y is below 0 so is the balance. What is computed of either in float64 is off by some 2^-51.
// - Two products are left. Neither loses more than u: the power is about 1 at least and `slack` 2^-19, and |x| times
//   both is above 2^-101. If they overflow, an infinity is not below anything.
//
// An x, or rivals, of NaN give a NaN, which is looked at like what is above the floor.

/// 2^x for x from 0 to 100, off by 2^-13.7 of it.
template <typename W>
THETA_HD W rough_power_of_two(W x) {
  constexpr int kMantissa = sizeof(W) == sizeof(float) ? 23 : 52;
  constexpr W magic = sizeof(W) == sizeof(float) ? W(0x1.8p23) : W(0x1.8p52);
  const W shifted = x + magic;
  const W f = x - (shifted - magic);
  const W y = W(0x1.fff692p-1) + f * (W(0x1.62f31ap-1) + f * (W(0x1.f0de1ap-3) + f * W(0x1.c3f76p-5)));
  // The last bits of `shifted` are those of x's nearest integer.
  return std::bit_cast<W>(
      static_cast<Bits<W>>(std::bit_cast<Bits<W>>(y) + (std::bit_cast<Bits<W>>(shifted) << kMantissa)));
}

/// share_of_range, off by 2^-22: `slope` is 1 ÷ the range and `level` 0; or 0 and 1 where there is no range.
template <typename W>
THETA_HD W rough_share(W x, W low, W high, W slope, W level) {
  return (clipped_size(x, low, high) - low) * slope + level;
}

/// `share` with the sign of x; 0 where x is 0, NaN where it is NaN.
template <typename W>
THETA_HD W rough_signed(W x, W share) {
  const Bits<W> sign = std::bit_cast<Bits<W>>(x) & FormatOf<W>::kSign;
  return kept(std::bit_cast<W>(static_cast<Bits<W>>(std::bit_cast<Bits<W>>(share) | sign)), lanes_of<W>(x != 0));
}

/// `rivals` is the sum of signed rough shares, below the exact one by less than `slack` at most; `rate` is count ÷
/// ln 2. NaN where the balance is.
template <typename W>
THETA_HD W balance_bound(W x, W share, W rivals, W slack, W rate) {
  const W along = (x < 0 ? -rivals : rivals) + slack;
  // tanh y ≤ y. Last, since sizes may be too small for a product of two.
  return absolute(x) * (rough_power_of_two(rate * (share * share)) * (along < 0 ? W{0} : along));
}

}  // namespace theta
