// Exact widening of a stored element to W and its one rounding back, to nearest even, in integers: no conversion
// instruction that flushes denormals, no double rounding through float32, every NaN written as the canonical one.
#pragma once

#include <type_traits>

#include "../dtype.h"
#include "element.h"

namespace theta {

template <typename Stored, typename W>
THETA_HD W widen(typename Stored::Storage bits) {
  if constexpr (std::is_same_v<Stored, F64>) {
    return static_cast<W>(std::bit_cast<double>(bits));
  } else if constexpr (std::is_same_v<Stored, F32>) {
    return static_cast<W>(std::bit_cast<float>(bits));
  } else if constexpr (std::is_same_v<Stored, Bf16>) {
    return static_cast<W>(std::bit_cast<float>(static_cast<uint32_t>(bits) << 16));
  } else {
    constexpr int kShift = F32::kFractionBits - Stored::kFractionBits;
    constexpr uint32_t kRebias = uint32_t{F32::kBias - Stored::kBias} << F32::kFractionBits;
    constexpr uint32_t kSmallestNormal = kRebias + (uint32_t{1} << F32::kFractionBits);
    const uint32_t sign = static_cast<uint32_t>(bits & Stored::kSign) << (F32::kBits - Stored::kBits);
    const uint32_t magnitude = static_cast<uint32_t>(bits & Stored::kMagnitude) << kShift;
    // A denormal becomes the fraction of the smallest normal number, which is then taken away again: exact, and no
    // float32 denormal.
    const uint32_t denormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude + kSmallestNormal) -
                                                      std::bit_cast<float>(kSmallestNormal));
    const uint32_t finite = magnitude + kRebias;
    const uint32_t not_finite = Stored::kHasInfinity ? finite + kRebias : uint32_t{F32::kNan};
    const uint32_t normal = magnitude >= (uint32_t{Stored::kInfinity} << kShift) ? not_finite : finite;
    const bool is_denormal = magnitude < (uint32_t{1} << F32::kFractionBits);
    return static_cast<W>(std::bit_cast<float>(sign | (is_denormal ? denormal : normal)));
  }
}

/// Rounds the float64 `x` to a format of 16 or 8 bits.
template <typename Stored>
THETA_HD typename Stored::Storage narrow_double(double x) {
  constexpr int kLost = F64::kFractionBits - Stored::kFractionBits;
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  const uint64_t magnitude = bits & F64::kMagnitude;
  const int64_t biased = static_cast<int64_t>(magnitude >> F64::kFractionBits);
  const int64_t exponent = (biased > 1 ? biased : 1) - F64::kBias;
  const uint64_t implicit = biased > 0 ? uint64_t{1} << F64::kFractionBits : 0;
  const uint64_t significand = (magnitude & ((uint64_t{1} << F64::kFractionBits) - 1)) | implicit;
  // Bits lost besides kLost below the smallest normal number; at a shift of 54 everything rounds to zero.
  const int64_t below = 1 - Stored::kBias - exponent;
  const int64_t denormal = below > 0 ? below : 0;
  const int64_t shift = kLost + denormal < 54 ? kLost + denormal : 54;
  const uint64_t half = uint64_t{1} << (shift - 1);
  const uint64_t odd = (significand >> shift) & 1;
  const uint64_t quotient = (significand + half - 1 + odd) >> shift;
  // The quotient's implicit bit adds 1 to the exponent field, and so does a carry out of the fraction.
  const int64_t field = denormal > 0 ? 0 : exponent + Stored::kBias - 1;
  const uint64_t rounded = quotient + (static_cast<uint64_t>(field) << Stored::kFractionBits);
  const uint64_t clamped = rounded < Stored::kInfinity ? rounded : Stored::kInfinity;
  const uint64_t sign = (bits >> 63) << (Stored::kBits - 1);
  const bool is_nan = magnitude > F64::kInfinity || (!Stored::kHasInfinity && clamped == Stored::kInfinity);
  return static_cast<typename Stored::Storage>(is_nan ? uint64_t{Stored::kNan} : clamped | sign);
}

template <typename Stored, typename W>
THETA_HD typename Stored::Storage narrow(W x) {
  if constexpr (std::is_same_v<Stored, F64>) {
    const uint64_t bits = std::bit_cast<uint64_t>(static_cast<double>(x));
    return (bits & F64::kMagnitude) > F64::kInfinity ? F64::kNan : bits;
  } else if constexpr (std::is_same_v<Stored, F32>) {
    const uint32_t bits = std::bit_cast<uint32_t>(static_cast<float>(x));
    return (bits & F32::kMagnitude) > F32::kInfinity ? F32::kNan : bits;
  } else if constexpr (std::is_same_v<W, double> || Stored::kBits == 8) {
    return narrow_double<Stored>(static_cast<double>(x));
  } else if constexpr (std::is_same_v<Stored, Bf16>) {
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return static_cast<uint16_t>((bits & F32::kMagnitude) > F32::kInfinity ? uint32_t{Bf16::kNan} : rounded);
  } else {
    static_assert(std::is_same_v<Stored, F16>);
    constexpr uint32_t kRebias = uint32_t{F32::kBias - F16::kBias} << F32::kFractionBits;
    constexpr uint32_t kSmallestNormal = kRebias + (uint32_t{1} << F32::kFractionBits);
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    const uint32_t magnitude = bits & F32::kMagnitude;
    // Half has ulp 2^-24, that of F16's denormals: adding it rounds there.
    const uint32_t denormal =
        std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<uint32_t>(0.5f);
    const uint32_t rebiased = magnitude - kRebias;
    const uint32_t normal = (rebiased + 0xfff + ((rebiased >> 13) & 1)) >> 13;
    const uint32_t clamped = normal < F16::kInfinity ? normal : uint32_t{F16::kInfinity};
    const uint32_t finite = magnitude < kSmallestNormal ? denormal : clamped;
    const uint32_t sign = (bits >> 16) & F16::kSign;
    return static_cast<uint16_t>(magnitude > F32::kInfinity ? uint32_t{F16::kNan} : finite | sign);
  }
}

template <typename Stored>
THETA_HD bool is_not_finite(typename Stored::Storage bits) {
  return (bits & Stored::kMagnitude) >= Stored::kInfinity;
}

template <typename Stored>
THETA_HD bool is_nan(typename Stored::Storage bits) {
  return (bits & Stored::kMagnitude) >= Stored::kInfinity + static_cast<int>(Stored::kHasInfinity);
}

}  // namespace theta
