// The one inner loop that compilers do not vectorise: which of a few values lie where in an order, and appending those.
// Included by kernels_body.h, once an instruction set; plain code where an instruction set offers nothing.
#pragma once

#include <bit>
#include <cstddef>

#include "../formula/choose.h"
#include "../formula/order.h"
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theta::THETA_ISA {
namespace {

template <bool by_number, typename W>
THETA_HD Bits<W> ordered_key(W x) {
  if constexpr (by_number) {
    return number_key_of(x);
  } else {
    return key_of(x);
  }
}

/// Of kMatchGroup values, a bit each: whose keys lie above a range, and whose in it.
struct Matches {
  uint32_t above, inside;
};

/// Bounds of sizes that take in what has the keys of a range; both are read as signed. All sizes above infinity are of
/// NaN, which have one key: with the bounds moved, none need be made of them.
template <typename W>
THETA_HD KeyRange<Bits<W>> sizes_with_keys(Bits<W> low, Bits<W> high) {
  using Format = FormatOf<W>;
  using Signed = std::make_signed_t<Bits<W>>;
  constexpr auto kInfinity = static_cast<Signed>(Format::kInfinity), kNan = static_cast<Signed>(Format::kNan);
  const auto bound = [](Signed key) { return key > kInfinity ? Format::kInfinity : static_cast<Bits<W>>(key); };
  return {bound(static_cast<Signed>(low)) + (static_cast<Signed>(low) > kInfinity),
          static_cast<Signed>(high) >= kNan ? Format::kMagnitude : bound(static_cast<Signed>(high))};
}

/// match(): the range is [low, high], keys by size or by number; `low` is none above that of NaN.
#if defined(__AVX512F__)

/// A vector mask as an integer. Left to itself, g++ 12 may spill 16 bits of it and read back 32 (seen with -O1
/// -fsanitize=undefined): the upper half is then whatever lay there.
THETA_HD uint32_t integer_of(__mmask16 mask) {
  uint32_t bits;
  asm("kmovw %1, %0" : "=r"(bits) : "k"(mask));
  return bits;
}

template <bool by_number>
THETA_HD Matches match(const float* x, uint32_t low, uint32_t high) {
  static_assert(!by_number);
  const auto [least, most] = sizes_with_keys<float>(low, high);
  const __m512i size = _mm512_and_si512(_mm512_loadu_si512(x), _mm512_set1_epi32(F32::kMagnitude));
  const __m512i offset = _mm512_sub_epi32(size, _mm512_set1_epi32(static_cast<int>(least)));
  return {integer_of(_mm512_cmpgt_epi32_mask(size, _mm512_set1_epi32(static_cast<int>(most)))),
          integer_of(_mm512_cmple_epu32_mask(offset, _mm512_set1_epi32(static_cast<int>(most - least))))};
}

template <bool by_number>
THETA_HD __m512i eight_sizes(const double* x) {
  const __m512d value = _mm512_loadu_pd(x);
  const __m512i size = _mm512_and_si512(_mm512_castpd_si512(value), _mm512_set1_epi64(F64::kMagnitude));
  if (!by_number) return size;
  const __mmask8 negative = _mm512_cmp_pd_mask(value, _mm512_setzero_pd(), _CMP_LT_OQ);
  return _mm512_mask_sub_epi64(size, negative, _mm512_setzero_si512(), size);
}

template <bool by_number>
THETA_HD Matches match(const double* x, uint64_t low, uint64_t high) {
  const auto [from, to] = sizes_with_keys<double>(low, high);
  const __m512i front = eight_sizes<by_number>(x), back = eight_sizes<by_number>(x + 8);
  const __m512i most = _mm512_set1_epi64(static_cast<long long>(to));
  const __m512i least = _mm512_set1_epi64(static_cast<long long>(from));
  const __m512i width = _mm512_sub_epi64(most, least);
  return {integer_of(_mm512_kunpackb(_mm512_cmpgt_epi64_mask(back, most), _mm512_cmpgt_epi64_mask(front, most))),
          integer_of(_mm512_kunpackb(_mm512_cmple_epu64_mask(_mm512_sub_epi64(back, least), width),
                                     _mm512_cmple_epu64_mask(_mm512_sub_epi64(front, least), width)))};
}

#elif defined(__AVX2__)

template <bool by_number>
THETA_HD Matches match(const float* x, uint32_t low, uint32_t high) {
  static_assert(!by_number);
  const auto [from, to] = sizes_with_keys<float>(low, high);
  const __m256i least = _mm256_set1_epi32(static_cast<int>(from)), most = _mm256_set1_epi32(static_cast<int>(to));
  const auto bits = [](__m256i lanes) { return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(lanes))); };
  Matches matches{0, 0};
  for (int part = 0; part < 2; ++part) {
    const __m256i value = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + 8 * part));
    const __m256i size = _mm256_and_si256(value, _mm256_set1_epi32(F32::kMagnitude));
    const uint32_t above = bits(_mm256_cmpgt_epi32(size, most)), below = bits(_mm256_cmpgt_epi32(least, size));
    matches.above |= above << 8 * part;
    matches.inside |= (~(above | below) & 0xff) << 8 * part;
  }
  return matches;
}

template <bool by_number>
THETA_HD Matches match(const double* x, uint64_t low, uint64_t high) {
  const auto [from, to] = sizes_with_keys<double>(low, high);
  const __m256i least = _mm256_set1_epi64x(static_cast<long long>(from));
  const __m256i most = _mm256_set1_epi64x(static_cast<long long>(to));
  const auto bits = [](__m256i lanes) { return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(lanes))); };
  Matches matches{0, 0};
  for (int part = 0; part < 4; ++part) {
    const __m256d value = _mm256_loadu_pd(x + 4 * part);
    __m256i size = _mm256_and_si256(_mm256_castpd_si256(value), _mm256_set1_epi64x(F64::kMagnitude));
    if (by_number) {
      const __m256i negative = _mm256_castpd_si256(_mm256_cmp_pd(value, _mm256_setzero_pd(), _CMP_LT_OQ));
      size = _mm256_blendv_epi8(size, _mm256_sub_epi64(_mm256_setzero_si256(), size), negative);
    }
    const uint32_t above = bits(_mm256_cmpgt_epi64(size, most)), below = bits(_mm256_cmpgt_epi64(least, size));
    matches.above |= above << 4 * part;
    matches.inside |= (~(above | below) & 0xf) << 4 * part;
  }
  return matches;
}

#else

#if defined(__SSE2__)

template <bool by_number>
THETA_HD Matches match(const float* x, uint32_t low, uint32_t high) {
  static_assert(!by_number);
  const auto [from, to] = sizes_with_keys<float>(low, high);
  const __m128i least = _mm_set1_epi32(static_cast<int>(from)), most = _mm_set1_epi32(static_cast<int>(to));
  __m128i above[4], below[4];
  for (int part = 0; part < 4; ++part) {
    const __m128i value = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + 4 * part));
    const __m128i size = _mm_and_si128(value, _mm_set1_epi32(F32::kMagnitude));
    above[part] = _mm_cmpgt_epi32(size, most);
    below[part] = _mm_cmpgt_epi32(least, size);
  }
  const auto bits = [](const __m128i* lanes) {
    const __m128i front = _mm_packs_epi32(lanes[0], lanes[1]), back = _mm_packs_epi32(lanes[2], lanes[3]);
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(front, back)));
  };
  return {bits(above), ~(bits(above) | bits(below)) & 0xffff};
}

#endif

template <bool by_number, typename W>
THETA_HD Matches match(const W* x, Bits<W> low, Bits<W> high) {
  using Signed = std::make_signed_t<Bits<W>>;
  Matches matches{0, 0};
  for (int j = 0; j < kMatchGroup; ++j) {
    const Bits<W> key = ordered_key<by_number>(x[j]);
    matches.above |= uint32_t{static_cast<Signed>(key) > static_cast<Signed>(high)} << j;
    // The distance from `low` wraps around for keys below it.
    matches.inside |= uint32_t{key - low <= high - low} << j;
  }
  return matches;
}

#endif

/// Appends the positions of the matches, `first` for the lowest bit; → their number. May write kMatchGroup of them.
/// Vector code always writes: whether a few values hold one that matches is a branch that processors cannot foresee.
#if defined(__AVX512F__) && defined(__AVX512VL__)

// Into a register first: compressing stores are slow on some processors.
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

/// Marks: a bit an element, 64 to a word, the first one lowest. Sets kMatchGroup of them, from `at` on.
THETA_HD void put_marks(uint64_t* marks, int64_t at, uint32_t bits) {
  static_assert(std::endian::native == std::endian::little);
  const auto group = static_cast<uint16_t>(bits);
  __builtin_memcpy(reinterpret_cast<std::byte*>(marks) + at / 8, &group, sizeof group);
}

/// Marks that put_marks() set.
THETA_HD uint32_t get_marks(const uint64_t* marks, int64_t at) {
  uint16_t group;
  __builtin_memcpy(&group, reinterpret_cast<const std::byte*>(marks) + at / 8, sizeof group);
  return group;
}

/// spread(): lanes of ones where bits are set, for kMatchGroup elements.
#if defined(__AVX512F__)

THETA_HD void spread(uint32_t bits, uint32_t* to) {
  _mm512_storeu_si512(to, _mm512_maskz_set1_epi32(static_cast<__mmask16>(bits), -1));
}

THETA_HD void spread(uint32_t bits, uint64_t* to) {
  _mm512_storeu_si512(to, _mm512_maskz_set1_epi64(static_cast<__mmask8>(bits), -1));
  _mm512_storeu_si512(to + 8, _mm512_maskz_set1_epi64(static_cast<__mmask8>(bits >> 8), -1));
}

#else

template <typename Key>
THETA_HD void spread(uint32_t bits, Key* to) {
  // Compared in the width of a lane, which compilers make one instruction of for several lanes.
  const auto all = static_cast<Key>(bits);
  for (int j = 0; j < kMatchGroup; ++j) {
    const Key bit = Key{1} << j;
    to[j] = (all & bit) == bit ? static_cast<Key>(~Key{0}) : 0;
  }
}

#endif

/// value(i) where it is marked, +0 elsewhere.
template <typename W, typename Value>
THETA_HD void where_marked(const uint64_t* marks, W* __restrict to, int64_t n, Value value) {
  int64_t begin = 0;
  for (; begin + kMatchGroup <= n; begin += kMatchGroup) {
    const auto all = static_cast<Bits<W>>(get_marks(marks, begin));
    for (int j = 0; j < kMatchGroup; ++j) {
      const Bits<W> bit = Bits<W>{1} << j;
      to[begin + j] = kept(value(begin + j), lanes_of<W>((all & bit) == bit));
    }
  }
  for (; begin < n; ++begin) {
    to[begin] = kept(value(begin), lanes_of<W>(marks[begin / 64] >> (begin % 64) & 1));
  }
}

/// mark_heads_from(): a mark where heads[j] >= bound, of kHeadGroup heads.
#if defined(__AVX512BW__)

constexpr int64_t kHeadGroup = 32;

THETA_HD void mark_heads(const uint16_t* heads, uint16_t bound, uint64_t* marks, int64_t at) {
  const __mmask32 from =
      _mm512_cmpge_epi16_mask(_mm512_loadu_si512(heads), _mm512_set1_epi16(static_cast<short>(bound)));
  uint32_t bits;
  asm("kmovd %1, %0" : "=r"(bits) : "k"(from));
  __builtin_memcpy(reinterpret_cast<std::byte*>(marks) + at / 8, &bits, sizeof bits);
}

#elif defined(__SSE2__)

constexpr int64_t kHeadGroup = 16;

THETA_HD void mark_heads(const uint16_t* heads, uint16_t bound, uint64_t* marks, int64_t at) {
  const __m128i below = _mm_set1_epi16(static_cast<short>(bound - 1));
  const __m128i front = _mm_cmpgt_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(heads)), below);
  const __m128i back = _mm_cmpgt_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(heads + 8)), below);
  put_marks(marks, at, static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(front, back))));
}

#else

constexpr int64_t kHeadGroup = 16;

THETA_HD void mark_heads(const uint16_t* heads, uint16_t bound, uint64_t* marks, int64_t at) {
  uint32_t bits = 0;
  for (int j = 0; j < kHeadGroup; ++j) bits |= uint32_t{heads[j] >= bound} << j;
  put_marks(marks, at, bits);
}

#endif

}  // namespace
}  // namespace theta::THETA_ISA
