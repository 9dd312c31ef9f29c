// SHA-256 blocks in plain C++ (FIPS 180-4, section 6.2.2), for processors without instructions for it.

#include <bit>

#include "sha256_kernels.h"

namespace theta {

alignas(16) const uint32_t kSha256Constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

namespace {

inline uint32_t big_endian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

inline uint32_t next_word(const uint32_t* w, int i) {
  const uint32_t early = w[(i + 1) & 15];
  const uint32_t late = w[(i + 14) & 15];
  return w[i & 15] + w[(i + 9) & 15] + (std::rotr(early, 7) ^ std::rotr(early, 18) ^ (early >> 3)) +
         (std::rotr(late, 17) ^ std::rotr(late, 19) ^ (late >> 10));
}

void advance(const Sha256Lane* lane, size_t blocks) {
  uint32_t* const state = lane->state;
  for (const uint8_t* data = lane->data; blocks > 0; --blocks, data += 64) {
    uint32_t w[16];
    uint32_t s[8];
    for (int i = 0; i < 8; ++i) s[i] = state[i];
    // The roles of s rotate by one a round instead of the values; unrolled by eight, the indices are constants.
    const auto round = [&](int i, uint32_t word) {
      const auto role = [&](int r) -> uint32_t& { return s[(r - i) & 7]; };
      const uint32_t a = role(0), e = role(4);
      const uint32_t t1 = role(7) + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                          ((e & role(5)) ^ (~e & role(6))) + kSha256Constants[i] + word;
      const uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                          ((a & role(1)) ^ (a & role(2)) ^ (role(1) & role(2)));
      role(3) += t1;
      role(7) = t1 + t2;
    };
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) round(i, w[i] = big_endian(data + 4 * i));
    for (int group = 16; group < 64; group += 16) {
#pragma GCC unroll 16
      for (int j = 0; j < 16; ++j) round(group + j, w[j] = next_word(w, j));
    }
    for (int i = 0; i < 8; ++i) state[i] += s[i];
  }
}

}  // namespace

const Sha256Kernel kSha256Plain = {"plain", 1, {advance}};

}  // namespace theta
