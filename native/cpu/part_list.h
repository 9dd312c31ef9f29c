// The elements of a group that lie in one part of its canonical order, as records in blocks: an element's key and where
// in its tile it lies. Tiles are stretches of the group; records stand in the order of indices, and behind those of
// each tile stands one that ends it. Once a part is ranked, what belongs to an element's rank takes its key's place.
#pragma once

#include <algorithm>

#include "../formula/order.h"
#include "scratch_blocks.h"

namespace theta {

/// Elements of a tile: they are numbered in 16 bits, and the last number is no element. A multiple of a block's, so
/// that few blocks lie in two tiles.
inline constexpr int64_t kTile = 65024;
inline constexpr uint16_t kEndOfTile = 0xffff;

constexpr int64_t tiles_of(int64_t group_size) { return (group_size + kTile - 1) / kTile; }

struct PartList {
  ScratchBlocks::Id first = ScratchBlocks::kNone, last = ScratchBlocks::kNone;
  /// All blocks but the last are full.
  int64_t records_in_last = 0;
  /// Without those records that end tiles.
  int64_t elements = 0;
  /// Where records hold ranks within the part: the rank of its first element.
  int64_t first_rank = 0;
};

/// How a block holds `records` records, a multiple of 32: keys, or values of 32 bits in their place, then places.
template <typename W>
struct PartLayout {
  using Key = Bits<W>;
  static constexpr int64_t kRecordBytes = sizeof(Key) + sizeof(uint16_t);

  int64_t records;

  int64_t block_bytes() const { return records * kRecordBytes; }
  int64_t places_at() const { return records * static_cast<int64_t>(sizeof(Key)); }
  static Key* keys(std::byte* block) { return reinterpret_cast<Key*>(block); }
  static uint32_t* values(std::byte* block) { return reinterpret_cast<uint32_t*>(block); }
  uint16_t* places(std::byte* block) const { return reinterpret_cast<uint16_t*>(block + places_at()); }
  int64_t records_in(const ScratchBlocks& blocks, const PartList& list, ScratchBlocks::Id block) const {
    return blocks.next(block) == ScratchBlocks::kNone ? list.records_in_last : records;
  }
};

/// `count` objects as the bytes that they are.
template <typename T>
std::span<const std::byte> bytes_of(const T* from, int64_t count) {
  return std::as_bytes(std::span(from, static_cast<size_t>(count)));
}
template <typename T>
std::span<std::byte> bytes_into(T* to, int64_t count) {
  return std::as_writable_bytes(std::span(to, static_cast<size_t>(count)));
}

}  // namespace theta
