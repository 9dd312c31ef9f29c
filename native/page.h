// Buffers that lie in their pages of memory as their bytes lie in a file's pages: only such can go to a disk as they
// are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dtype.h"

namespace theta {

/// Of memory and of files; at least what any disk asks for.
inline constexpr int64_t kPage = 4096;

/// What to reserve for `bytes` that move_in_page() is to place.
constexpr int64_t room_to_move(int64_t bytes) { return bytes + kPage; }

/// Where in that room they begin when their first one comes to lie at byte `position` of a file. Elements of every size
/// stay aligned in memory: what a file holds at an odd place does not move, either.
inline std::byte* move_in_page(std::byte* room, int64_t position) {
  if (position % kWidestElement != 0) return room;
  const auto address = static_cast<int64_t>(reinterpret_cast<uintptr_t>(room));
  return room + ((position - address) & (kPage - 1));
}

}  // namespace theta
