// Widening and rounding, against arithmetic that is written another way.

#include "formula/rounding.h"

#include <cmath>
#include <limits>

#include "../check.h"
#include "samples.h"

namespace {

using namespace theta;

/// The value of a pattern of 16 or 8 bits, from its fields.
template <typename Format>
double value_of(uint32_t bits) {
  const int exponent = (bits & Format::kMagnitude) >> Format::kFractionBits;
  const int fraction = bits & ((1 << Format::kFractionBits) - 1);
  const double sign = bits & Format::kSign ? -1 : 1;
  if (!Format::kHasInfinity && (bits & Format::kMagnitude) == Format::kMagnitude) return NAN;
  if (Format::kHasInfinity && exponent == (1 << Format::kExponentBits) - 1) {
    return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  }
  const int significand = exponent ? fraction | 1 << Format::kFractionBits : fraction;
  return sign * std::ldexp(significand, (exponent ? exponent : 1) - Format::kBias - Format::kFractionBits);
}

template <typename Format>
void widens_every_pattern() {
  for (uint32_t bits = 0; bits < uint32_t{1} << Format::kBits; ++bits) {
    const double expected = value_of<Format>(bits);
    const float single = widen<Format, float>(static_cast<typename Format::Storage>(bits));
    const double wide = widen<Format, double>(static_cast<typename Format::Storage>(bits));
    if (std::isnan(expected)) {
      CHECK(std::isnan(single) && std::isnan(wide));
    } else {
      CHECK(single == expected && wide == expected && std::signbit(single) == std::signbit(expected));
    }
  }
}

/// Between each two neighbours: the middle goes to the even one, what is next to the middle to the nearer one.
template <typename Format>
void rounds_around_every_middle() {
  for (uint32_t low = 0; low + 1 < Format::kInfinity; ++low) {
    const double a = value_of<Format>(low), b = value_of<Format>(low + 1);
    const double middle = (a + b) / 2;
    const uint16_t even = static_cast<uint16_t>(low & 1 ? low + 1 : low);
    const auto rounds = [](double x, uint16_t expected) {
      CHECK((narrow<Format, double>(x) == expected));
      CHECK((narrow<Format, double>(-x) == (expected | Format::kSign)));
    };
    rounds(middle, even);
    rounds(std::nextafter(middle, 0), static_cast<uint16_t>(low));
    rounds(std::nextafter(middle, 1e300), static_cast<uint16_t>(low + 1));
    rounds(a, static_cast<uint16_t>(low));
    const float single = static_cast<float>(middle);
    if (single != middle) continue;
    CHECK((narrow<Format, float>(single) == even));
    CHECK((narrow<Format, float>(-single) == (even | Format::kSign)));
    CHECK((narrow<Format, float>(std::nextafterf(single, 0)) == low));
    CHECK((narrow<Format, float>(std::nextafterf(single, INFINITY)) == low + 1));
  }
}

template <typename Format>
void rounds_at_the_end() {
  const double largest = value_of<Format>(Format::kLargest);
  const double below = value_of<Format>(Format::kLargest - 1);
  const double limit = largest + (largest - below) / 2;
  // A largest number of E4M3 is even: the middle above it goes back. Its NaN for infinities has no sign.
  CHECK((narrow<Format, double>(limit) == (Format::kHasInfinity ? Format::kInfinity : Format::kLargest)));
  CHECK((narrow<Format, double>(std::nextafter(limit, 1e300)) == Format::kInfinity));
  CHECK((narrow<Format, double>(std::nextafter(limit, 0)) == Format::kLargest));
  const auto sign = Format::kHasInfinity ? Format::kSign : 0;
  CHECK((narrow<Format, double>(-1.7e308) == (Format::kInfinity | sign)));
  CHECK((narrow<Format, double>(0x1p-1074) == 0));
  CHECK((narrow<Format, double>(-0x1p-1074) == Format::kSign));
  CHECK((narrow<Format, float>(std::numeric_limits<float>::infinity()) == Format::kInfinity));
  CHECK((narrow<Format, float>(-std::numeric_limits<float>::denorm_min()) == Format::kSign));
}

}  // namespace

TEST(widening_f16) { widens_every_pattern<F16>(); }
TEST(widening_bf16) { widens_every_pattern<Bf16>(); }
TEST(widening_f8) {
  widens_every_pattern<F8E5m2>();
  widens_every_pattern<F8E4m3>();
}
TEST(rounding_f16) { rounds_around_every_middle<F16>(); }
TEST(rounding_bf16) { rounds_around_every_middle<Bf16>(); }
TEST(rounding_f8) {
  rounds_around_every_middle<F8E5m2>();
  rounds_around_every_middle<F8E4m3>();
}
TEST(rounding_overflow) {
  rounds_at_the_end<F16>();
  rounds_at_the_end<Bf16>();
  rounds_at_the_end<F8E5m2>();
  rounds_at_the_end<F8E4m3>();
}

TEST(rounding_twice_would_differ) {
  // Through float32 this would become the middle of two bfloat16, and then the even one.
  CHECK((narrow<Bf16, double>(1 + 0x1p-8 + 0x1p-40) == 0x3f81));
  CHECK((narrow<F16, double>(1 + 0x1p-11 + 0x1p-40) == 0x3c01));
}

TEST(rounding_nan_is_canonical) {
  for (const uint32_t bits : {0x7f800001u, 0xffc12345u, 0x7fffffffu, 0xff800001u}) {
    const float nan = std::bit_cast<float>(bits);
    CHECK((narrow<Bf16, float>(nan) == 0x7fc0));
    CHECK((narrow<F16, float>(nan) == 0x7e00));
    CHECK((narrow<F8E5m2, float>(nan) == 0x7e));
    CHECK((narrow<F8E4m3, float>(nan) == 0x7f));
    CHECK((narrow<F32, float>(nan) == 0x7fc00000));
  }
  const double nan = std::bit_cast<double>(uint64_t{0xfff0000000000001});
  CHECK((narrow<Bf16, double>(nan) == 0x7fc0));
  CHECK((narrow<F64, double>(nan) == 0x7ff8000000000000));
}
