// SHA-256 blocks with the x86 SHA instructions. `sha256rnds2` has a latency of several cycles and each needs the one
// before, so a single message leaves the unit idle most of the time: others fill the gaps. Included by a file for each
// number of registers that there are.
#pragma once

#include <immintrin.h>

#include <utility>

#include "sha256_kernels.h"

namespace theta {
namespace {

/// One message: the working variables as the instructions want them, the words of the schedule, the next bytes.
struct Lane {
  __m128i abef, cdgh;
  __m128i w[4];
  const uint8_t* data;

  explicit Lane(const Sha256Lane& from) : data(from.data) {
    const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.state));
    const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.state + 4));
    const __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    abef = _mm_alignr_epi8(cdab, efgh, 8);
    cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
  }

  void store(uint32_t* state) const {
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
  }
};

/// Rounds 4·step to 4·step + 3, and the schedule as far as these words allow.
template <int step>
[[gnu::always_inline]] inline void four_rounds(Lane& lane) {
  __m128i& now = lane.w[step & 3];
  if constexpr (step < 4) {
    const __m128i swap_bytes = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    now = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(lane.data + 16 * step)), swap_bytes);
  }
  __m128i words = _mm_add_epi32(now, _mm_load_si128(reinterpret_cast<const __m128i*>(kSha256Constants + 4 * step)));
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, words);
  if constexpr (step >= 3 && step < 15) {
    __m128i& next = lane.w[(step + 1) & 3];
    next = _mm_add_epi32(next, _mm_alignr_epi8(now, lane.w[(step + 3) & 3], 4));
    next = _mm_sha256msg2_epu32(next, now);
  }
  words = _mm_shuffle_epi32(words, 0x0E);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, words);
  if constexpr (step >= 1 && step < 13) {
    __m128i& last = lane.w[(step + 3) & 3];
    last = _mm_sha256msg1_epu32(last, now);
  }
}

/// Every step on every lane, lane by lane within a step: that order is the interleaving.
template <int step = 0, typename... Lanes>
[[gnu::always_inline]] inline void all_rounds(Lanes&... lanes) {
  (four_rounds<step>(lanes), ...);
  if constexpr (step < 15) all_rounds<step + 1>(lanes...);
}

template <typename... Lanes>
[[gnu::always_inline]] inline void hash_blocks(size_t blocks, Lanes&... lanes) {
  for (; blocks > 0; --blocks) {
    const __m128i before[][2] = {{lanes.abef, lanes.cdgh}...};
    all_rounds(lanes...);
    size_t i = 0;
    ((lanes.abef = _mm_add_epi32(lanes.abef, before[i][0]), lanes.cdgh = _mm_add_epi32(lanes.cdgh, before[i][1]),
      lanes.data += 64, ++i),
     ...);
  }
}

template <size_t... i>
[[gnu::always_inline]] inline void advance(const Sha256Lane* from, size_t blocks, std::index_sequence<i...>) {
  Lane lanes[] = {Lane(from[i])...};
  hash_blocks(blocks, lanes[i]...);
  (lanes[i].store(from[i].state), ...);
}

template <size_t count>
void advance(const Sha256Lane* lanes, size_t blocks) {
  advance(lanes, blocks, std::make_index_sequence<count>());
}

}  // namespace
}  // namespace theta
