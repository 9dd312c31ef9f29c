// The one inner loop that compilers do not vectorise: which of a few keys lie in a range, and appending those. Included
// by kernels_body.h, once an instruction set; plain code where an instruction set offers nothing.
#pragma once

#include "../formula/order.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theta::THETA_ISA {
namespace {

/// Keys that are looked at together.
constexpr int64_t kMatchGroup = 16;

/// match(): bit j is set where low <= keys[j] <= high, read as signed.
#if defined(__AVX512F__)

/// A vector mask as an integer. Left to itself, g++ 12 may spill 16 bits of it and read back 32 (seen with -O1
/// -fsanitize=undefined): the upper half is then whatever lay there.
THETA_HD uint32_t integer_of(__mmask16 mask) {
  uint32_t bits;
  asm("kmovw %1, %0" : "=r"(bits) : "k"(mask));
  return bits;
}

THETA_HD uint32_t match(const uint32_t* keys, uint32_t low, uint32_t high) {
  const __m512i offset = _mm512_sub_epi32(_mm512_loadu_si512(keys), _mm512_set1_epi32(static_cast<int>(low)));
  return integer_of(_mm512_cmple_epu32_mask(offset, _mm512_set1_epi32(static_cast<int>(high - low))));
}

THETA_HD uint32_t match(const uint64_t* keys, uint64_t low, uint64_t high) {
  const __m512i first = _mm512_set1_epi64(static_cast<long long>(low));
  const __m512i width = _mm512_set1_epi64(static_cast<long long>(high - low));
  const __mmask8 lower = _mm512_cmple_epu64_mask(_mm512_sub_epi64(_mm512_loadu_si512(keys), first), width);
  const __mmask8 upper = _mm512_cmple_epu64_mask(_mm512_sub_epi64(_mm512_loadu_si512(keys + 8), first), width);
  return integer_of(_mm512_kunpackb(upper, lower));
}

#elif defined(__AVX2__)

THETA_HD uint32_t match(const uint32_t* keys, uint32_t low, uint32_t high) {
  const __m256i first = _mm256_set1_epi32(static_cast<int>(low)), last = _mm256_set1_epi32(static_cast<int>(high));
  uint32_t matches = 0;
  for (int part = 0; part < 2; ++part) {
    const __m256i key = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys + 8 * part));
    const __m256i outside = _mm256_or_si256(_mm256_cmpgt_epi32(first, key), _mm256_cmpgt_epi32(key, last));
    matches |= (~static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(outside))) & 0xff) << 8 * part;
  }
  return matches;
}

THETA_HD uint32_t match(const uint64_t* keys, uint64_t low, uint64_t high) {
  const __m256i first = _mm256_set1_epi64x(static_cast<long long>(low));
  const __m256i last = _mm256_set1_epi64x(static_cast<long long>(high));
  uint32_t matches = 0;
  for (int part = 0; part < 4; ++part) {
    const __m256i key = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys + 4 * part));
    const __m256i outside = _mm256_or_si256(_mm256_cmpgt_epi64(first, key), _mm256_cmpgt_epi64(key, last));
    matches |= (~static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(outside))) & 0xf) << 4 * part;
  }
  return matches;
}

#else

#if defined(__SSE2__)

THETA_HD uint32_t match(const uint32_t* keys, uint32_t low, uint32_t high) {
  const __m128i first = _mm_set1_epi32(static_cast<int>(low)), last = _mm_set1_epi32(static_cast<int>(high));
  __m128i outside[4];
  for (int part = 0; part < 4; ++part) {
    const __m128i key = _mm_loadu_si128(reinterpret_cast<const __m128i*>(keys + 4 * part));
    outside[part] = _mm_or_si128(_mm_cmpgt_epi32(first, key), _mm_cmpgt_epi32(key, last));
  }
  const __m128i lower = _mm_packs_epi32(outside[0], outside[1]), upper = _mm_packs_epi32(outside[2], outside[3]);
  return ~static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(lower, upper))) & 0xffff;
}

#endif

template <typename Key>
THETA_HD uint32_t match(const Key* keys, Key low, Key high) {
  uint32_t matches = 0;
  for (int j = 0; j < kMatchGroup; ++j) matches |= uint32_t{keys[j] - low <= high - low} << j;
  return matches;
}

#endif

/// Appends the keys that match and their positions, `first` for keys[0], or the positions alone; → their number. May
/// write kMatchGroup of each. Vector code always writes: whether a few keys hold one that matches is a branch that
/// processors cannot foresee.
#if defined(__AVX512F__) && defined(__AVX512VL__)

// Into a register first: compressing stores are slow on some processors.
THETA_HD int64_t append(uint32_t matches, const uint32_t* keys, uint32_t first, uint32_t* to, uint32_t* positions) {
  const auto mask = static_cast<__mmask16>(matches);
  const __m512i order = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i position = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)), order);
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(mask, _mm512_loadu_si512(keys)));
  _mm512_storeu_si512(positions, _mm512_maskz_compress_epi32(mask, position));
  return __builtin_popcount(matches);
}

THETA_HD int64_t append(uint32_t matches, uint32_t first, uint32_t* positions) {
  const __m512i order = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i position = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)), order);
  _mm512_storeu_si512(positions, _mm512_maskz_compress_epi32(static_cast<__mmask16>(matches), position));
  return __builtin_popcount(matches);
}

#elif defined(__AVX2__)

/// By the set of matches among eight lanes: their numbers, a byte each, in order.
struct PackedLanes {
  uint64_t of[256];
};

constexpr PackedLanes packed_lanes() {
  PackedLanes lanes{};
  for (uint32_t set = 0; set < 256; ++set) {
    int at = 0;
    for (uint64_t lane = 0; lane < 8; ++lane) {
      if (set >> lane & 1) lanes.of[set] |= lane << (8 * at++);
    }
  }
  return lanes;
}

alignas(64) constexpr PackedLanes kPackedLanes = packed_lanes();

THETA_HD int64_t append(uint32_t matches, const uint32_t* keys, uint32_t first, uint32_t* to, uint32_t* positions) {
  int64_t count = 0;
  for (int part = 0; part < 2; ++part) {
    const uint32_t set = matches >> (8 * part) & 0xff;
    const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(kPackedLanes.of[set])));
    const __m256i key = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys + 8 * part));
    const __m256i base = _mm256_set1_epi32(static_cast<int>(first) + 8 * part);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + count), _mm256_permutevar8x32_epi32(key, lanes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(positions + count), _mm256_add_epi32(base, lanes));
    count += __builtin_popcount(set);
  }
  return count;
}

THETA_HD int64_t append(uint32_t matches, uint32_t first, uint32_t* positions) {
  int64_t count = 0;
  for (int part = 0; part < 2; ++part) {
    const uint32_t set = matches >> (8 * part) & 0xff;
    const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(kPackedLanes.of[set])));
    const __m256i base = _mm256_set1_epi32(static_cast<int>(first) + 8 * part);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(positions + count), _mm256_add_epi32(base, lanes));
    count += __builtin_popcount(set);
  }
  return count;
}

#else

THETA_HD int64_t append(uint32_t matches, uint32_t first, uint32_t* positions) {
  int64_t count = 0;
  for (; matches; matches &= matches - 1) positions[count++] = first + static_cast<uint32_t>(__builtin_ctz(matches));
  return count;
}

#endif

template <typename Key>
THETA_HD int64_t append(uint32_t matches, const Key* keys, uint32_t first, Key* to, uint32_t* positions) {
  int64_t count = 0;
  for (; matches; matches &= matches - 1) {
    const int j = __builtin_ctz(matches);
    to[count] = keys[j];
    positions[count++] = first + static_cast<uint32_t>(j);
  }
  return count;
}

}  // namespace
}  // namespace theta::THETA_ISA
