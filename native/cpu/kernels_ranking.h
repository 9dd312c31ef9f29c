// Ranks of the elements of a group: digits of their keys and ties, and comparisons within buckets. Included by
// kernels_body.h, once an instruction set; its rules hold here.
#pragma once

#include <type_traits>

#include "../formula/order.h"
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theta::THETA_ISA {
namespace {

/// Of what a digit leaves of a key: few enough that in most keys of bfloat16 vectors nothing follows them, so that ties
/// do.
constexpr int kCoarseBits = 5;

template <typename Key>
THETA_HD void rank_digits(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, uint32_t* __restrict digits,
                          uint32_t* __restrict fractions) {
  constexpr int kKeyBits = 8 * sizeof(Key), kFineBits = 32 - kCoarseBits;
  constexpr uint32_t kFine = uint32_t{1} << (kFineBits - 1), kCoarse = ~uint32_t{0} << kFineBits;
  for (int64_t i = 0; i < n; ++i) fractions[i] = upper_mix64(first + static_cast<uint64_t>(i));
  using Signed = std::make_signed_t<Key>;
  const int shift = scale.shift;
  const auto base = static_cast<Signed>(scale.base);
  for (int64_t i = 0; i < n; ++i) {
    const Key key = keys[i];
    const uint32_t tie = fractions[i];
    // What the digit leaves of the key, from the highest bit on, and what the first few bits of that leave.
    const Key rest = key << (kKeyBits - shift), fine = rest << kCoarseBits;
    // As signed numbers: the base may be -1.
    const auto head = static_cast<Signed>(key >> shift), above = static_cast<Signed>(head > base ? head - base : 0);
    const auto even = static_cast<uint32_t>(2 * above);
    digits[i] = rest != 0 ? even + 1 : even;
    const uint32_t coarse = static_cast<uint32_t>(rest >> (kKeyBits - 32)) & kCoarse;
    const uint32_t by_fine = kFine | static_cast<uint32_t>(fine >> (kKeyBits - 32)) >> (kCoarseBits + 1) |
                             static_cast<uint32_t>(Key{tie} >> (shift + 1));
    const uint32_t by_rest = coarse | (fine != 0 ? by_fine : tie >> (kCoarseBits + 1));
    fractions[i] = rest != 0 ? by_rest : tie;
  }
}

/// interpolate_most(): fractions in `to` become places, of as many elements as make whole vectors; → their number.
#if defined(__AVX2__)

/// Where two digits begin and end.
THETA_HD __m128i two_steps(const uint32_t* places, uint32_t first, uint32_t second) {
  const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(places + first));
  return _mm_castps_si128(_mm_loadh_pi(_mm_castsi128_ps(low), reinterpret_cast<const __m64*>(places + second)));
}

/// In the lower half of each lane; the fractions too.
THETA_HD __m256i within(__m256i steps, __m256i fractions) {
  const __m256i width = _mm256_sub_epi64(_mm256_srli_epi64(steps, 32), steps);
  return _mm256_add_epi64(steps, _mm256_srli_epi64(_mm256_mul_epu32(width, fractions), 32));
}

THETA_HD int64_t interpolate_most(const uint32_t* digits, int64_t n, const uint32_t* places, uint32_t* to) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const uint32_t* const d = digits + i;
    const __m256i even = _mm256_set_m128i(two_steps(places, d[4], d[5]), two_steps(places, d[0], d[1]));
    const __m256i odd = _mm256_set_m128i(two_steps(places, d[6], d[7]), two_steps(places, d[2], d[3]));
    const __m256i fractions = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(to + i));
    const __m256 low = _mm256_castsi256_ps(within(even, _mm256_unpacklo_epi32(fractions, fractions)));
    const __m256 high = _mm256_castsi256_ps(within(odd, _mm256_unpackhi_epi32(fractions, fractions)));
    _mm256_storeu_ps(reinterpret_cast<float*>(to + i), _mm256_shuffle_ps(low, high, 0x88));
  }
  return i;
}

#else

THETA_HD int64_t interpolate_most(const uint32_t*, int64_t, const uint32_t*, uint32_t*) { return 0; }

#endif

THETA_HD void interpolate_places(const uint32_t* digits, int64_t n, const uint32_t* places, uint32_t* to) {
  for (int64_t i = interpolate_most(digits, n, places, to); i < n; ++i) {
    const uint32_t begin = places[digits[i]], end = places[digits[i] + 1];
    to[i] = begin + static_cast<uint32_t>(uint64_t{to[i]} * (end - begin) >> 32);
  }
}

template <typename Key>
void expect_ranks(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, const uint32_t* places,
                  uint32_t* __restrict to) {
  uint32_t digits[kRanksAtOnce];
  rank_digits(keys, n, first, scale, digits, to);
  interpolate_places(digits, n, places, to);
}

void count_buckets(const uint32_t* expected, int64_t n, uint16_t* __restrict buckets, uint32_t* __restrict counts) {
  for (int64_t i = 0; i < n; ++i) buckets[i] = static_cast<uint16_t>(expected[i] >> kOrderBits);
#pragma GCC unroll 4
  for (int64_t i = 0; i < n; ++i) ++counts[expected[i] >> kOrderBits];
}

}  // namespace
}  // namespace theta::THETA_ISA
