// The block functions of SHA-256. Which of them this processor can run is decided once, in sha256.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theta {

/// Advances `state` by `blocks` blocks of 64 bytes.
using Sha256Blocks = void (*)(uint32_t* state, const uint8_t* data, size_t blocks);

/// The same for two independent messages with equally many blocks.
using Sha256BlockPairs = void (*)(uint32_t* state_a, const uint8_t* data_a, uint32_t* state_b, const uint8_t* data_b,
                                  size_t blocks);

extern const uint32_t kSha256Constants[64];

void sha256_blocks_plain(uint32_t* state, const uint8_t* data, size_t blocks);

#if defined(__x86_64__)
// Need SHA, SSSE3 and SSE4.1.
void sha256_blocks_ni(uint32_t* state, const uint8_t* data, size_t blocks);
void sha256_block_pairs_ni(uint32_t* state_a, const uint8_t* data_a, uint32_t* state_b, const uint8_t* data_b,
                           size_t blocks);
#endif

}  // namespace theta
