// Canonical order of the elements of a group: by key, then by tie, both descending (METHODS.md, "Canonical order").
#pragma once

#include <type_traits>

#include "../dtype.h"
#include "element.h"

namespace theta {

template <typename W>
using FormatOf = std::conditional_t<std::is_same_v<W, double>, F64, F32>;

/// Bits of |x|, 31 or 63 of them; every NaN has the canonical NaN's.
template <typename W>
THETA_HD Bits<W> key_of(W x) {
  using Format = FormatOf<W>;
  const Bits<W> magnitude = std::bit_cast<Bits<W>>(x) & Format::kMagnitude;
  return magnitude > Format::kInfinity ? Format::kNan : magnitude;
}

/// An integer that, read as signed, is ordered as numbers are; NaN has key_of's, above all numbers, and −0 that of +0.
THETA_HD uint64_t number_key_of(double x) {
  const uint64_t magnitude = key_of(x);
  return x < 0 ? 0 - magnitude : magnitude;
}

/// The number with this key.
THETA_HD double number_of_key(uint64_t key) {
  const bool negative = key >> 63;
  return std::bit_cast<double>(negative ? (0 - key) | F64::kSign : key);
}

/// All but the last step of mix64.
THETA_HD uint64_t almost_mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  return (z ^ (z >> 27)) * 0x94d049bb133111ebu;
}

/// The finaliser of splitmix64: a bijection.
THETA_HD uint64_t mix64(uint64_t z) {
  z = almost_mix64(z);
  return z ^ (z >> 31);
}

/// Its upper half; the last step needs no more than that either.
THETA_HD uint32_t upper_mix64(uint64_t z) {
  const auto upper = static_cast<uint32_t>(almost_mix64(z) >> 32);
  return upper ^ (upper >> 31);
}

/// The number that mix64 makes this of.
THETA_HD uint64_t unmix64(uint64_t z) {
  // Each step undone, the last first; the factors are inverses of mix64's modulo 2^64.
  z = (z ^ (z >> 31) ^ (z >> 62)) * 0x319642b2d24d8ec3u;
  z = (z ^ (z >> 27) ^ (z >> 54)) * 0x96de1b173f119089u;
  return z ^ (z >> 30) ^ (z >> 60);
}

/// `index` is linear in the tensor.
THETA_HD uint64_t tie_of(int64_t index, uint64_t stream) { return mix64(static_cast<uint64_t>(index) + stream); }
/// The index that has this tie.
THETA_HD int64_t index_of_tie(uint64_t tie, uint64_t stream) { return static_cast<int64_t>(unmix64(tie) - stream); }

/// Where a group's canonical order is cut: an element lies before the cut when its key is above `key`, or equal to it
/// and its tie is at least `tie`.
template <typename Key>
struct Cut {
  Key key;
  uint64_t tie;

  /// Before it lies nothing: no key has all bits set.
  static constexpr Cut nothing() { return {static_cast<Key>(~Key{0}), 0}; }
  static constexpr Cut everything() { return {0, 0}; }
};

}  // namespace theta
