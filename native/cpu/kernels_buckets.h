// A group's elements are spread over small buckets, and these are sorted side by side. Included by kernels_body.h, once
// an instruction set; its rules hold here.
#pragma once

#include <bit>
#include <utility>

#include "kernels_match.h"
#include "kernels_ranking.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theta::THETA_ISA {
namespace {

template <typename Key>
int64_t spread_ranks(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, const uint32_t* places,
                     const BucketRows& rows) {
  uint32_t* const __restrict slots = rows.slots;
  uint32_t* const __restrict next = rows.next;
  const auto step = static_cast<uint32_t>(rows.stride), end = step * kBucketRows;
  int64_t found = 0;
  for (int64_t at = 0; at < n; at += kRanksAtOnce) {
    const int64_t some = n - at < kRanksAtOnce ? n - at : kRanksAtOnce;
    uint32_t buckets[kRanksAtOnce], items[kRanksAtOnce];
    rank_digits(keys + at, some, first + static_cast<uint64_t>(at), scale, buckets, items);
    interpolate_places(buckets, some, places, items);
    for (int64_t i = 0; i < some; ++i) {
      const uint32_t expected = items[i];
      buckets[i] = expected >> kOrderBits;
      items[i] = (expected << kOrderBits) + static_cast<uint32_t>(at + i);
    }
#pragma GCC unroll 8
    for (int64_t i = 0; i < some; ++i) {
      const uint64_t bucket = buckets[i];
      const uint32_t slot = next[bucket];
      next[bucket] = slot + step;
      if (slot >= end) [[unlikely]] {
        if (found == rows.room) return -1;
        rows.spilled[found++] = {buckets[i], items[i]};
        continue;
      }
      slots[slot] = items[i];
    }
  }
  return found;
}

/// Batcher's odd-even merge sort of kBucketRows numbers: pairs of which the smaller goes first.
struct SortingNetwork {
  struct Pair {
    int first, second;
  };
  Pair pairs[kBucketRows * kBucketRows] = {};
  int count = 0;

  constexpr SortingNetwork() {
    for (int sorted = 1; sorted < kBucketRows; sorted *= 2) {
      for (int step = sorted; step >= 1; step /= 2) {
        for (int begin = step % sorted; begin + step < kBucketRows; begin += 2 * step) {
          for (int i = begin; i < begin + step && i + step < kBucketRows; ++i) {
            if (i / (2 * sorted) == (i + step) / (2 * sorted)) pairs[count++] = {i, i + step};
          }
        }
      }
    }
  }
};
constexpr SortingNetwork kNetwork;

/// Items of kItemLanes buckets. order_items(): by lane, the smaller first. equal_orders(): a bit for each lane in which
/// two rows that follow each other have one order; free rows differ in nothing at all. store_columns(): the lower
/// halves of each lane, row by row.
#if defined(__AVX512F__)

constexpr int kItemLanes = 16;
using Items = __m512i;

THETA_HD Items load_items(const uint32_t* from) { return _mm512_loadu_si512(from); }
THETA_HD void order_items(Items& first, Items& second) {
  const Items least = _mm512_min_epu32(first, second);
  second = _mm512_max_epu32(first, second);
  first = least;
}

THETA_HD uint32_t equal_orders(const Items* rows) {
  const Items one = _mm512_set1_epi32(1);
  Items least = _mm512_set1_epi32(-1);
#pragma GCC unroll 16
  for (int row = 1; row < kBucketRows; ++row) {
    least = _mm512_min_epu32(least, _mm512_sub_epi32(_mm512_xor_si512(rows[row - 1], rows[row]), one));
  }
  return integer_of(_mm512_cmplt_epu32_mask(least, _mm512_set1_epi32(0xffff)));
}

THETA_HD void store_columns(const Items* rows, const uint32_t* starts, uint16_t* sorted) {
  // Pairs of rows, then four of these pairs, of each column of a quarter, then eight.
  Items pairs[8], twos[8], fours[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    pairs[i] = _mm512_mask_blend_epi16(0xaaaaaaaa, rows[2 * i], _mm512_slli_epi32(rows[2 * i + 1], 16));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    twos[2 * i] = _mm512_unpacklo_epi32(pairs[2 * i], pairs[2 * i + 1]);
    twos[2 * i + 1] = _mm512_unpackhi_epi32(pairs[2 * i], pairs[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const Items a = twos[4 * half + i], b = twos[4 * half + i + 2];
      fours[4 * half + 2 * i] = _mm512_unpacklo_epi64(a, b);
      fours[4 * half + 2 * i + 1] = _mm512_unpackhi_epi64(a, b);
    }
  }
  const Items front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  Items low[4], high[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    low[i] = _mm512_permutex2var_epi64(fours[i], front, fours[4 + i]);
    high[i] = _mm512_permutex2var_epi64(fours[i], back, fours[4 + i]);
  }
  const auto store = [&](int column, __m256i elements) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sorted + starts[column]), elements);
  };
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) store(i, _mm512_castsi512_si256(low[i]));
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) store(4 + i, _mm512_extracti64x4_epi64(low[i], 1));
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) store(8 + i, _mm512_castsi512_si256(high[i]));
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) store(12 + i, _mm512_extracti64x4_epi64(high[i], 1));
}

#elif defined(__AVX2__)

constexpr int kItemLanes = 8;
using Items = __m256i;

THETA_HD Items load_items(const uint32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
THETA_HD void order_items(Items& first, Items& second) {
  const Items least = _mm256_min_epu32(first, second);
  second = _mm256_max_epu32(first, second);
  first = least;
}

THETA_HD uint32_t equal_orders(const Items* rows) {
  const Items one = _mm256_set1_epi32(1), most = _mm256_set1_epi32(0xfffe);
  Items least = _mm256_set1_epi32(-1);
#pragma GCC unroll 16
  for (int row = 1; row < kBucketRows; ++row) {
    least = _mm256_min_epu32(least, _mm256_sub_epi32(_mm256_xor_si256(rows[row - 1], rows[row]), one));
  }
  const Items are_equal = _mm256_cmpeq_epi32(_mm256_min_epu32(least, most), least);
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(are_equal)));
}

THETA_HD void store_columns(const Items* rows, const uint32_t* starts, uint16_t* sorted) {
  Items pairs[8], twos[8], fours[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    pairs[i] = _mm256_blend_epi16(rows[2 * i], _mm256_slli_epi32(rows[2 * i + 1], 16), 0xaa);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    twos[2 * i] = _mm256_unpacklo_epi32(pairs[2 * i], pairs[2 * i + 1]);
    twos[2 * i + 1] = _mm256_unpackhi_epi32(pairs[2 * i], pairs[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const Items a = twos[4 * half + i], b = twos[4 * half + i + 2];
      fours[4 * half + 2 * i] = _mm256_unpacklo_epi64(a, b);
      fours[4 * half + 2 * i + 1] = _mm256_unpackhi_epi64(a, b);
    }
  }
  const auto store = [&](int column, __m256i elements) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sorted + starts[column]), elements);
  };
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) store(i, _mm256_permute2x128_si256(fours[i], fours[4 + i], 0x20));
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) store(4 + i, _mm256_permute2x128_si256(fours[i], fours[4 + i], 0x31));
}

#else

constexpr int kItemLanes = 4;
/// Compared as signed, for which there are instructions everywhere.
using Items = int32_t __attribute__((vector_size(kItemLanes * sizeof(int32_t))));

THETA_HD Items load_items(const uint32_t* from) {
  Items items;
  __builtin_memcpy(&items, from, sizeof items);
  return items ^ INT32_MIN;
}
THETA_HD void order_items(Items& first, Items& second) {
  const Items changed = (first ^ second) & (first > second);
  first ^= changed;
  second ^= changed;
}

THETA_HD uint32_t equal_orders(const Items* rows) {
  Items found{};
  for (int row = 1; row < kBucketRows; ++row) {
    const Items differ = rows[row - 1] ^ rows[row];
    found |= (differ != 0) & (((differ >> kOrderBits) & 0xffff) == 0);
  }
  uint32_t bits = 0;
  for (int lane = 0; lane < kItemLanes; ++lane) bits |= uint32_t{found[lane] != 0} << lane;
  return bits;
}

THETA_HD void store_columns(const Items* rows, const uint32_t* starts, uint16_t* sorted) {
  int32_t items[kBucketRows][kItemLanes];
  for (int row = 0; row < kBucketRows; ++row) __builtin_memcpy(items[row], &rows[row], sizeof rows[row]);
  for (int column = 0; column < kItemLanes; ++column) {
    uint16_t* const to = sorted + starts[column];
    for (int row = 0; row < kBucketRows; ++row) to[row] = static_cast<uint16_t>(items[row][column]);
  }
}

#endif

template <size_t... i>
THETA_HD void sort_items(Items* rows, std::index_sequence<i...>) {
  (order_items(rows[kNetwork.pairs[i].first], rows[kNetwork.pairs[i].second]), ...);
}

/// Makes each bucket's first rank of where its next element would go; behind the last stands that of another.
void make_starts(uint32_t* next, int64_t stride) {
  // The quotient is a whole number; one in float32 comes close enough to tell which.
  const float ratio = 1 / static_cast<float>(stride);
  for (int64_t bucket = 0; bucket < stride; ++bucket) {
    const auto distance = static_cast<int32_t>(next[bucket]) - static_cast<int32_t>(bucket);
    next[bucket] = static_cast<uint32_t>(static_cast<int32_t>(static_cast<float>(distance) * ratio + 0.5f));
  }
  uint32_t rank = 0;
#pragma GCC unroll 8
  for (int64_t bucket = 0; bucket < stride; ++bucket) {
    const uint32_t count = next[bucket];
    next[bucket] = rank;
    rank += count;
  }
  next[stride] = rank;
}

int64_t sort_buckets(const BucketRows& buckets, int64_t count, uint16_t* __restrict sorted, uint32_t* equal,
                     int64_t room) {
  make_starts(buckets.next, buckets.stride);
  int64_t found = 0;
  for (int64_t at = 0; at < count; at += kItemLanes) {
    Items rows[kBucketRows];
#pragma GCC unroll 16
    for (int row = 0; row < kBucketRows; ++row) rows[row] = load_items(buckets.slots + at + row * buckets.stride);
    sort_items(rows, std::make_index_sequence<kNetwork.count>());
    uint32_t bits = equal_orders(rows);
    store_columns(rows, buckets.next + at, sorted);
    for (; bits != 0; bits &= bits - 1) {
      if (found < room) equal[found] = static_cast<uint32_t>(at + std::countr_zero(bits));
      ++found;
    }
  }
  return found;
}

}  // namespace
}  // namespace theta::THETA_ISA
