// Brings the values of a group's elements together again, tile by tile, from the lists of its parts: thresholds, or
// ranks.
#pragma once

#include "part_list.h"

namespace theta {

/// `Value` is uint32_t for what records hold, int64_t for ranks in the group where they hold those within the part.
template <typename W, typename Value = uint32_t>
class TileReader {
 public:
  TileReader(int64_t most_lists, const PartLayout<W>& layout, ScratchBlocks& blocks, Carver& memory)
      : layout_(layout), blocks_(blocks), cursors_(memory.take<Cursor>(most_lists)), tile_(memory.take<Value>(kTile)) {}

  /// Before the first tile of a group. `buffers` is all that is used to read blocks that are not resident.
  void start(std::span<const PartList> lists, std::span<std::byte> buffers) {
    lists_ = lists;
    tile_number_ = -1;
    const auto share = static_cast<int64_t>(buffers.size() / std::max<size_t>(lists.size(), 1));
    window_ = std::min(layout_.records, share / kBytes / 2 * 2);
    for (size_t i = 0; i < lists.size(); ++i) {
      std::byte* const buffer = buffers.data() + static_cast<int64_t>(i) * window_ * kBytes;
      cursors_[i] = Cursor{};
      cursors_[i].block = lists[i].first;
      cursors_[i].base = static_cast<Value>(lists[i].first_rank);
      cursors_[i].values_read = reinterpret_cast<uint32_t*>(buffer);
      cursors_[i].places_read = reinterpret_cast<uint16_t*>(buffer + window_ * static_cast<int64_t>(sizeof(uint32_t)));
    }
  }

  int64_t tile_number() const { return tile_number_; }
  /// By place.
  const Value* tile() const { return tile_; }

  void read_next() {
    for (size_t i = 0; i < lists_.size(); ++i) {
      if (lists_[i].elements > 0) read_from(lists_[i], cursors_[i]);
    }
    ++tile_number_;
  }

 private:
  static constexpr int64_t kBytes = sizeof(uint32_t) + sizeof(uint16_t);

  struct Cursor {
    ScratchBlocks::Id block;
    Value base;
    /// What lies at hand: records of the block up to `read`, of which those from `at` on are to come.
    const uint32_t* values;
    const uint16_t* places;
    int64_t at, end, read;
    uint32_t* values_read;
    uint16_t* places_read;
  };

  void read_from(const PartList& list, Cursor& cursor) {
    while (true) {
      int64_t at = cursor.at;
      for (; at < cursor.end && cursor.places[at] != kEndOfTile; ++at) {
        tile_[cursor.places[at]] = cursor.base + cursor.values[at];
      }
      cursor.at = at + 1;
      if (at < cursor.end) return;
      read_more(list, cursor);
    }
  }

  void read_more(const PartList& list, Cursor& cursor) {
    if (cursor.read == layout_.records) {
      cursor.block = blocks_.next(cursor.block);
      cursor.read = 0;
    }
    const int64_t records = layout_.records_in(blocks_, list, cursor.block);
    cursor.at = 0;
    if (std::byte* const resident = blocks_.resident(cursor.block)) {
      cursor.values = layout_.values(resident);
      cursor.places = layout_.places(resident);
      cursor.end = cursor.read = records;
      return;
    }
    cursor.end = std::min(window_, records - cursor.read);
    blocks_.read(cursor.block, cursor.read * static_cast<int64_t>(sizeof(uint32_t)),
                 bytes_into(cursor.values_read, cursor.end));
    blocks_.read(cursor.block, layout_.places_at() + cursor.read * static_cast<int64_t>(sizeof(uint16_t)),
                 bytes_into(cursor.places_read, cursor.end));
    cursor.values = cursor.values_read;
    cursor.places = cursor.places_read;
    cursor.read += cursor.end;
  }

  const PartLayout<W> layout_;
  ScratchBlocks& blocks_;
  Cursor* const cursors_;
  Value* const tile_;
  std::span<const PartList> lists_;
  int64_t window_ = 0, tile_number_ = -1;
};

}  // namespace theta
