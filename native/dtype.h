// Dtypes that arithmetic is served for, and their formats. Every other dtype is bytes to the core.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "error.h"

namespace theta {

enum class Dtype : uint8_t { f64, f32, f16, bf16, f8_e5m2, f8_e4m3 };
inline constexpr int kDtypes = 6;

/// An IEEE-like format: sign, exponent and fraction, of `kBits` bits together.
template <typename StorageType, int ExponentBits, int FractionBits>
struct Format {
  using Storage = StorageType;
  static constexpr int kExponentBits = ExponentBits;
  static constexpr int kFractionBits = FractionBits;
  static constexpr int kBits = 1 + ExponentBits + FractionBits;
  static constexpr int kBias = (1 << (ExponentBits - 1)) - 1;
  static constexpr bool kHasInfinity = true;
  /// Bits of +infinity, or where there is none of the NaN: the first magnitude that is not finite.
  static constexpr Storage kInfinity = static_cast<Storage>(((Storage{1} << ExponentBits) - 1) << FractionBits);
  static constexpr Storage kMagnitude = static_cast<Storage>((Storage{1} << (kBits - 1)) - 1);
  static constexpr Storage kSign = static_cast<Storage>(Storage{1} << (kBits - 1));
  /// The NaN that every NaN is written as.
  static constexpr Storage kNan = static_cast<Storage>(kInfinity | (Storage{1} << (FractionBits - 1)));
  static constexpr Storage kLargest = static_cast<Storage>(kInfinity - 1);
};

using F64 = Format<uint64_t, 11, 52>;
using F32 = Format<uint32_t, 8, 23>;
using F16 = Format<uint16_t, 5, 10>;
using Bf16 = Format<uint16_t, 8, 7>;
using F8E5m2 = Format<uint8_t, 5, 2>;
/// Of the patterns with all exponent bits set only the last is not a number: 448 is the largest finite one.
struct F8E4m3 : Format<uint8_t, 4, 3> {
  static constexpr bool kHasInfinity = false;
  static constexpr Storage kInfinity = 0x7f;
  static constexpr Storage kNan = 0x7f;
  static constexpr Storage kLargest = 0x7e;
};

constexpr int64_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64:
      return 8;
    case Dtype::f32:
      return 4;
    case Dtype::f16:
    case Dtype::bf16:
      return 2;
    case Dtype::f8_e5m2:
    case Dtype::f8_e4m3:
      return 1;
  }
  return 0;
}

/// Of all dtypes, in bytes; a multiple of every other.
inline constexpr int64_t kWidestElement = 8;

/// As safetensors spells it; nothing for a dtype that is only copied.
inline std::optional<Dtype> dtype_of(std::string_view name) {
  if (name == "F64") return Dtype::f64;
  if (name == "F32") return Dtype::f32;
  if (name == "F16") return Dtype::f16;
  if (name == "BF16") return Dtype::bf16;
  if (name == "F8_E5M2") return Dtype::f8_e5m2;
  if (name == "F8_E4M3") return Dtype::f8_e4m3;
  return std::nullopt;
}

/// Calls `body` with an object of the dtype's Format: turns a dtype into a template argument.
template <typename Body>
decltype(auto) dispatch_dtype(Dtype dtype, Body&& body) {
  switch (dtype) {
    case Dtype::f64:
      return body(F64{});
    case Dtype::f32:
      return body(F32{});
    case Dtype::f16:
      return body(F16{});
    case Dtype::bf16:
      return body(Bf16{});
    case Dtype::f8_e5m2:
      return body(F8E5m2{});
    case Dtype::f8_e4m3:
      return body(F8E4m3{});
  }
  throw Error(ErrorCode::input, "unknown dtype");
}

}  // namespace theta
