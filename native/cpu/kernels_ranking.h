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
void rank_digits(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, uint32_t* __restrict digits,
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

template <typename Place>
int64_t fill_buckets(const uint32_t* expected, int64_t n, int64_t first, uint16_t* __restrict slots,
                     uint8_t* __restrict fill, Place* __restrict places, SpilledElement* __restrict spilled,
                     int64_t room) {
  int64_t found = 0;
#pragma GCC unroll 4
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t order = expected[i];
    const uint64_t bucket = order >> kOrderBits;
    const uint64_t slot = fill[bucket];
    fill[bucket] = static_cast<uint8_t>(slot + 1);
    if (slot >= kRankSlots) [[unlikely]] {
      if (slot == kMostInBucket || found == room) return -1;
      spilled[found++] = {static_cast<uint32_t>(first + i), expected[i]};
      continue;
    }
    const uint64_t place = bucket * kRankSlots + slot;
    slots[place] = static_cast<uint16_t>(order);
    places[i] = static_cast<Place>(place);
  }
  return found;
}

template <typename Place>
void of_places(const Place* places, int64_t n, const uint16_t* ranks, const uint32_t* by_rank,
               uint32_t* __restrict to) {
#pragma GCC unroll 4
  for (int64_t i = 0; i < n; ++i) to[i] = by_rank[ranks[places[i]]];
}

/// What the ranks of all slots add up to, counted from 0 in each bucket, where no two orders are equal.
THETA_HD int64_t sum_of_ranks(const uint8_t* fill, int64_t buckets) {
  int64_t sum = 0;
  for (int64_t i = 0; i < buckets; ++i) {
    const int count = fill[i] < kRankSlots ? fill[i] : kRankSlots;
    sum += count * (2 * kRankSlots - 1 - count) / 2;
  }
  return sum;
}

/// Orders compare as signed numbers with their highest bit flipped.
constexpr int16_t kSign = -0x8000;

#if defined(__AVX2__)

bool rank_buckets(uint16_t* slots, const uint8_t* fill, int64_t buckets, uint32_t rank) {
  // A bucket to a half of a vector. broadcast[i] takes its element i to all lanes of the half.
  __m256i broadcast[kRankSlots];
  for (int i = 0; i < kRankSlots; ++i) broadcast[i] = _mm256_set1_epi16(static_cast<int16_t>(0x0100 + 0x0202 * i));
  const __m256i halves = _mm256_setr_m128i(_mm_set1_epi16(0x0100), _mm_set1_epi16(0x0302));
  const __m256i before = _mm256_set1_epi16(-kRankSlots), sign = _mm256_set1_epi16(kSign);
  __m256i sums = _mm256_setzero_si256();
  for (int64_t bucket = 0; bucket < buckets; bucket += 2) {
    auto* const lanes = reinterpret_cast<__m256i*>(slots + bucket * kRankSlots);
    const __m256i order = _mm256_xor_si256(_mm256_loadu_si256(lanes), sign);
    // Two sums, which do not wait for each other; a lane that is true is -1.
    __m256i even = _mm256_setzero_si256(), odd = even;
    for (int i = 0; i < kRankSlots; i += 2) {
      even = _mm256_add_epi16(even, _mm256_cmpgt_epi16(order, _mm256_shuffle_epi8(order, broadcast[i])));
      odd = _mm256_add_epi16(odd, _mm256_cmpgt_epi16(order, _mm256_shuffle_epi8(order, broadcast[i + 1])));
    }
    const __m256i smaller = _mm256_add_epi16(even, odd);
    sums = _mm256_sub_epi16(sums, smaller);
    const uint32_t middle = rank + fill[bucket], end = middle + fill[bucket + 1];
    const __m256i ends = _mm256_set1_epi32(static_cast<int>((middle & 0xffff) | end << 16));
    const __m256i first = _mm256_add_epi16(_mm256_shuffle_epi8(ends, halves), before);
    _mm256_storeu_si256(lanes, _mm256_sub_epi16(first, smaller));
    rank = end;
  }
  uint16_t of_lanes[2 * kRankSlots];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(of_lanes), sums);
  int64_t sum = 0;
  for (const uint16_t lane : of_lanes) sum += lane;
  return sum == sum_of_ranks(fill, buckets);
}

#else

bool rank_buckets(uint16_t* __restrict slots, const uint8_t* fill, int64_t buckets, uint32_t rank) {
  // Of such loops compilers make no vectors.
  using Lanes = int16_t __attribute__((vector_size(kRankSlots * sizeof(int16_t))));
  Lanes sums{};
  for (int64_t bucket = 0; bucket < buckets; ++bucket) {
    Lanes order, smaller{};
    __builtin_memcpy(&order, slots + bucket * kRankSlots, sizeof order);
    order ^= kSign;
    for (int i = 0; i < kRankSlots; ++i) smaller -= order > order[i];
    sums += smaller;
    rank += fill[bucket];
    smaller += static_cast<int16_t>(rank - kRankSlots);
    __builtin_memcpy(slots + bucket * kRankSlots, &smaller, sizeof smaller);
  }
  int64_t sum = 0;
  for (int i = 0; i < kRankSlots; ++i) sum += static_cast<uint16_t>(sums[i]);
  return sum == sum_of_ranks(fill, buckets);
}

#endif

}  // namespace
}  // namespace theta::THETA_ISA
