// Ranks of the elements of a group: digits of their keys and ties, and comparisons within buckets. Included by
// kernels_body.h, once an instruction set; its rules hold here.
#pragma once

#include "../formula/order.h"
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theta::THETA_ISA {
namespace {

template <typename Key>
void rank_digits(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, uint32_t* __restrict digits,
                 uint32_t* __restrict fractions) {
  constexpr int kKeyBits = 8 * sizeof(Key);
  for (int64_t i = 0; i < n; ++i) fractions[i] = static_cast<uint32_t>(mix64(first + static_cast<uint64_t>(i)) >> 32);
  const auto [shift, base] = scale;
  for (int64_t i = 0; i < n; ++i) {
    const Key key = keys[i];
    const uint32_t tie = fractions[i];
    // What the digit leaves of the key, from the highest bit on.
    const Key rest = key << (kKeyBits - shift);
    const auto digit = static_cast<uint32_t>(2 * ((key >> shift) - base));
    const uint32_t even = key == 0 ? 0 : digit;
    digits[i] = rest != 0 ? even + 1 : even;
    const auto by_rest = static_cast<uint32_t>(rest >> (kKeyBits - 32)) | static_cast<uint32_t>(Key{tie} >> shift);
    fractions[i] = rest != 0 ? by_rest : tie;
  }
}

/// rank_bucket(): ranks of what stands in the slots of one bucket; by_rank[0] is of its first. → the ranks, to be
/// added up: their sum tells whether all were different.
#if defined(__AVX2__)

struct RankSums {
  __m256i lanes = _mm256_setzero_si256();

  int64_t total() const {
    uint32_t sums[kRankSlots];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), lanes);
    int64_t total = 0;
    for (const uint32_t sum : sums) total += sum;
    return total;
  }
};

THETA_HD void rank_bucket(uint32_t* slots, const uint32_t* by_rank, RankSums& sums) {
  auto* const lanes = reinterpret_cast<__m256i*>(slots);
  const __m256i order = _mm256_loadu_si256(lanes);
  // Two sums, which do not wait for each other.
  __m256i even = _mm256_setzero_si256(), odd = even;
  for (int64_t i = 0; i < kRankSlots; i += 2) {
    const __m256i first = _mm256_set1_epi32(static_cast<int>(slots[i]));
    const __m256i second = _mm256_set1_epi32(static_cast<int>(slots[i + 1]));
#if defined(__AVX512VL__)
    const __m256i one = _mm256_set1_epi32(1);
    even = _mm256_mask_add_epi32(even, _mm256_cmpgt_epi32_mask(order, first), even, one);
    odd = _mm256_mask_add_epi32(odd, _mm256_cmpgt_epi32_mask(order, second), odd, one);
#else
    even = _mm256_sub_epi32(even, _mm256_cmpgt_epi32(order, first));
    odd = _mm256_sub_epi32(odd, _mm256_cmpgt_epi32(order, second));
#endif
  }
  const __m256i ranks = _mm256_add_epi32(even, odd);
  sums.lanes = _mm256_add_epi32(sums.lanes, ranks);
  const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(by_rank));
  _mm256_storeu_si256(lanes, _mm256_permutevar8x32_epi32(values, ranks));
}

#else

struct RankSums {
  int64_t sum = 0;
  int64_t total() const { return sum; }
};

THETA_HD void rank_bucket(uint32_t* slots, const uint32_t* by_rank, RankSums& sums) {
  int32_t order[kRankSlots], ranks[kRankSlots] = {};
  for (int64_t j = 0; j < kRankSlots; ++j) order[j] = static_cast<int32_t>(slots[j]);
  for (int64_t i = 0; i < kRankSlots; ++i) {
    for (int64_t j = 0; j < kRankSlots; ++j) ranks[j] += order[j] > order[i];
  }
  for (int64_t j = 0; j < kRankSlots; ++j) {
    sums.sum += ranks[j];
    slots[j] = by_rank[ranks[j]];
  }
}

#endif

int64_t rank_buckets(uint32_t* __restrict slots, const uint8_t* fill, int64_t buckets, const uint32_t* by_rank,
                     CrowdedBucket* __restrict crowded) {
  RankSums sums;
  int64_t rank = 0, found = 0;
  for (int64_t bucket = 0; bucket < buckets; ++bucket) {
    if (fill[bucket] <= kRankSlots) [[likely]] {
      rank_bucket(slots + bucket * kRankSlots, by_rank + rank, sums);
    } else {
      crowded[found++] = {bucket, rank};
    }
    rank += fill[bucket];
  }
  constexpr int64_t kSumOfRanks = kRankSlots * (kRankSlots - 1) / 2;
  return sums.total() == kSumOfRanks * (buckets - found) ? found : -1;
}

}  // namespace
}  // namespace theta::THETA_ISA
