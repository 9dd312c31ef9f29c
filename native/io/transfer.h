// Reading and writing whole ranges of descriptors: interrupted and partial calls are continued here and nowhere else.
#pragma once

#include <cstdint>

#include "sha256.h"

namespace theta {

using MutableBytes = std::span<std::byte>;

/// Fills `into` from byte `offset` of the file. Throws IoError, FileEnded when the file is too short.
void read_exactly(int fd, MutableBytes into, uint64_t offset);

/// Writes all of `bytes` at byte `offset`. Throws IoError.
void write_exactly(int fd, Bytes bytes, uint64_t offset);

}  // namespace theta
