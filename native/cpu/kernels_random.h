// Random words and what is made of them. Included by kernels_body.h, once an instruction set; its rules hold here.
#pragma once

#include "../formula/philox.h"
#include "kernels_match.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theta::THETA_ISA {
namespace {

/// Blocks of four words that are made together: those of as many vectors as there are registers for, since each step
/// waits for the one before.
#if defined(__AVX512F__)
constexpr int64_t kBlocksAtOnce = 32;
#else
constexpr int64_t kBlocksAtOnce = 8;
#endif

/// philox(): words of kBlocksAtOnce blocks, `first` and those behind it. A lane of 64 bits holds one word of a block;
/// what stands above it is left there, because multiplications read the lower half alone. Lanes stand in the order in
/// which pairs of words interleave to blocks in sequence.
#if defined(__AVX512F__)

THETA_HD void philox(uint64_t seed, uint64_t stream, uint64_t first, uint32_t* words) {
  constexpr int kVectors = kBlocksAtOnce / 8;
  const __m512i m0 = _mm512_set1_epi64(Philox::kMultiplyFirst), m2 = _mm512_set1_epi64(Philox::kMultiplyThird);
  __m512i x0[kVectors], x1[kVectors], x2[kVectors], x3[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    x0[v] = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(first) + 8 * v),
                             _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7));
    x1[v] = _mm512_srli_epi64(x0[v], 32);
    x2[v] = _mm512_set1_epi64(static_cast<long long>(stream));
    x3[v] = _mm512_srli_epi64(x2[v], 32);
  }
  auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < Philox::kRounds; ++round) {
    const __m512i k0 = _mm512_set1_epi64(low), k1 = _mm512_set1_epi64(high);
    for (int v = 0; v < kVectors; ++v) {
      const __m512i p0 = _mm512_mul_epu32(x0[v], m0), p2 = _mm512_mul_epu32(x2[v], m2);
      x0[v] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p2, 32), x1[v], k0, 0x96);
      x2[v] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), x3[v], k1, 0x96);
      x1[v] = p2;
      x3[v] = p0;
    }
    low += Philox::kStepLow;
    high += Philox::kStepHigh;
  }
  for (int v = 0; v < kVectors; ++v) {
    const __m512i front = _mm512_mask_blend_epi32(0xaaaa, x0[v], _mm512_slli_epi64(x1[v], 32));
    const __m512i back = _mm512_mask_blend_epi32(0xaaaa, x2[v], _mm512_slli_epi64(x3[v], 32));
    _mm512_storeu_si512(words + 32 * v, _mm512_unpacklo_epi64(front, back));
    _mm512_storeu_si512(words + 32 * v + 16, _mm512_unpackhi_epi64(front, back));
  }
}

#elif defined(__AVX2__)

THETA_HD void philox(uint64_t seed, uint64_t stream, uint64_t first, uint32_t* words) {
  const __m256i m0 = _mm256_set1_epi64x(Philox::kMultiplyFirst), m2 = _mm256_set1_epi64x(Philox::kMultiplyThird);
  __m256i x0[2], x1[2], x2[2], x3[2];
  for (int half = 0; half < 2; ++half) {
    x0[half] =
        _mm256_add_epi64(_mm256_set1_epi64x(static_cast<long long>(first) + 4 * half), _mm256_setr_epi64x(0, 2, 1, 3));
    x1[half] = _mm256_srli_epi64(x0[half], 32);
    x2[half] = _mm256_set1_epi64x(static_cast<long long>(stream));
    x3[half] = _mm256_srli_epi64(x2[half], 32);
  }
  auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < Philox::kRounds; ++round) {
    const __m256i k0 = _mm256_set1_epi64x(low), k1 = _mm256_set1_epi64x(high);
    for (int half = 0; half < 2; ++half) {
      const __m256i p0 = _mm256_mul_epu32(x0[half], m0), p2 = _mm256_mul_epu32(x2[half], m2);
      x0[half] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p2, 32), x1[half]), k0);
      x2[half] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), x3[half]), k1);
      x1[half] = p2;
      x3[half] = p0;
    }
    low += Philox::kStepLow;
    high += Philox::kStepHigh;
  }
  for (int half = 0; half < 2; ++half) {
    const __m256i front = _mm256_blend_epi32(x0[half], _mm256_slli_epi64(x1[half], 32), 0xaa);
    const __m256i back = _mm256_blend_epi32(x2[half], _mm256_slli_epi64(x3[half], 32), 0xaa);
    auto* const to = reinterpret_cast<__m256i*>(words + 16 * half);
    _mm256_storeu_si256(to, _mm256_unpacklo_epi64(front, back));
    _mm256_storeu_si256(to + 1, _mm256_unpackhi_epi64(front, back));
  }
}

#else

THETA_HD void philox(uint64_t seed, uint64_t stream, uint64_t first, uint32_t* words) {
  uint32_t x[Philox::kWords][kBlocksAtOnce];
  for (int64_t j = 0; j < kBlocksAtOnce; ++j) {
    x[0][j] = static_cast<uint32_t>(first + static_cast<uint64_t>(j));
    x[1][j] = static_cast<uint32_t>((first + static_cast<uint64_t>(j)) >> 32);
    x[2][j] = static_cast<uint32_t>(stream);
    x[3][j] = static_cast<uint32_t>(stream >> 32);
  }
  auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < Philox::kRounds; ++round) {
    for (int64_t j = 0; j < kBlocksAtOnce; ++j) {
      const uint64_t p0 = uint64_t{Philox::kMultiplyFirst} * x[0][j], p2 = uint64_t{Philox::kMultiplyThird} * x[2][j];
      x[0][j] = static_cast<uint32_t>(p2 >> 32) ^ x[1][j] ^ low;
      x[1][j] = static_cast<uint32_t>(p2);
      x[2][j] = static_cast<uint32_t>(p0 >> 32) ^ x[3][j] ^ high;
      x[3][j] = static_cast<uint32_t>(p0);
    }
    low += Philox::kStepLow;
    high += Philox::kStepHigh;
  }
  for (int64_t j = 0; j < kBlocksAtOnce; ++j) {
    for (int word = 0; word < Philox::kWords; ++word) words[Philox::kWords * j + word] = x[word][j];
  }
}

#endif

void random_words(uint64_t seed, uint64_t stream, int64_t first, int64_t n, uint32_t* words) {
  constexpr int64_t kTogether = kBlocksAtOnce * Philox::kWords;
  int64_t done = 0;
  // Whole blocks go where they belong; what begins or ends inside one takes a detour.
  for (int64_t skipped = first % Philox::kWords; done < n; skipped = 0) {
    const auto block = static_cast<uint64_t>((first + done) / Philox::kWords);
    if (skipped == 0 && n - done >= kTogether) {
      philox(seed, stream, block, words + done);
      done += kTogether;
      continue;
    }
    uint32_t some[kTogether];
    philox(seed, stream, block, some);
    const int64_t count = kTogether - skipped < n - done ? kTogether - skipped : n - done;
    for (int64_t i = 0; i < count; ++i) words[done + i] = some[skipped + i];
    done += count;
  }
}

/// Of kMatchGroup words: a bit for each that is below.
#if defined(__AVX512F__)

THETA_HD uint32_t bits_below(const uint32_t* words, uint32_t bound) {
  return _mm512_cmplt_epu32_mask(_mm512_loadu_si512(words), _mm512_set1_epi32(static_cast<int>(bound)));
}

#elif defined(__AVX2__)

THETA_HD uint32_t bits_below(const uint32_t* words, uint32_t bound) {
  const __m256i sign = _mm256_set1_epi32(static_cast<int>(0x80000000));
  const __m256i least = _mm256_xor_si256(_mm256_set1_epi32(static_cast<int>(bound)), sign);
  const auto bits = [&](const uint32_t* eight) {
    const __m256i lanes = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(eight)), sign);
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(least, lanes))));
  };
  return bits(words) | bits(words + 8) << 8;
}

#else

THETA_HD uint32_t bits_below(const uint32_t* words, uint32_t bound) {
  uint32_t bits = 0;
  for (int j = 0; j < kMatchGroup; ++j) bits |= uint32_t{words[j] < bound} << j;
  return bits;
}

#endif

int64_t words_between(const uint32_t* words, int64_t n, uint32_t low, uint32_t high, uint8_t* __restrict below,
                      uint32_t* positions) {
  for (int64_t i = 0; i < n; ++i) below[i] = words[i] < low;
  int64_t found = 0;
  for (int64_t at = 0; at < n; at += kMatchGroup) {
    const uint32_t some = n - at < kMatchGroup ? (uint32_t{1} << (n - at)) - 1 : 0xffff;
    const uint32_t between = bits_below(words + at, high) & ~bits_below(words + at, low) & some;
    found += append(between, static_cast<uint32_t>(at), positions + found);
  }
  return found;
}

template <typename Key>
void lanes_where(const uint8_t* holds, Key* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = holds[i] != 0 ? static_cast<Key>(~Key{0}) : 0;
}

template <typename Key>
void below(const uint32_t* words, uint32_t threshold, Key* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = words[i] < threshold ? static_cast<Key>(~Key{0}) : 0;
}

template <typename Key>
void below_each(const uint32_t* words, const uint32_t* thresholds, Key* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = words[i] < thresholds[i] ? static_cast<Key>(~Key{0}) : 0;
}

template <typename W>
THETA_HD W divide_by_threshold(W x, uint32_t threshold) {
  // A power of two only moves the exponent, so this rounds as the exact quotient by 2^32 would.
  return x / (static_cast<W>(threshold) * static_cast<W>(0x1p-32));
}

template <typename W>
void divide_by_thresholds(const W* x, const uint32_t* thresholds, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = divide_by_threshold(x[i], thresholds[i]);
}

template <typename W>
void divide_where(const W* x, const Bits<W>* mask, const uint32_t* thresholds, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    to[i] = std::bit_cast<W>(std::bit_cast<Bits<W>>(divide_by_threshold(x[i], thresholds[i])) & mask[i]);
  }
}

}  // namespace
}  // namespace theta::THETA_ISA
