// The block functions of SHA-256. Which of them this processor can run is decided once, in sha256.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theta {

/** Advances `state` by `blocks` blocks of 64 bytes. */
using Sha256Blocks = void (*)(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks);

/** The same for two independent messages with equally many blocks. */
using Sha256BlockPairs = void (*)(std::uint32_t* state_a, const std::uint8_t* data_a, std::uint32_t* state_b,
                                  const std::uint8_t* data_b, std::size_t blocks);

extern const std::uint32_t sha256_constants[64];

void sha256_blocks_plain(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks);

#if defined(__x86_64__)
// Need SHA, SSSE3 and SSE4.1.
void sha256_blocks_ni(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks);
void sha256_block_pairs_ni(std::uint32_t* state_a, const std::uint8_t* data_a, std::uint32_t* state_b,
                           const std::uint8_t* data_b, std::size_t blocks);
#endif

}  // namespace theta
