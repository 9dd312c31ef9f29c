// The block functions of SHA-256. Which of them this processor can run is decided once, in sha256.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theta {

/// One of the messages that are advanced together: its state, and its next blocks of 64 bytes.
struct Sha256Lane {
  uint32_t* state;
  const uint8_t* data;
};

inline constexpr size_t kMostSha256Lanes = 4;

struct Sha256Kernel {
  const char* name;
  /// Messages that it advances together, at most.
  size_t lanes;
  /// By the number of messages less one; each is advanced by `blocks` blocks.
  void (*advance[kMostSha256Lanes])(const Sha256Lane* lanes, size_t blocks);
};

extern const uint32_t kSha256Constants[64];

extern const Sha256Kernel kSha256Plain;

#if defined(__x86_64__)
/// Needs SHA, SSSE3 and SSE4.1.
extern const Sha256Kernel kSha256Ni;
/// Needs AVX-512F and AVX-512VL besides.
extern const Sha256Kernel kSha256Avx512;
#endif

}  // namespace theta
