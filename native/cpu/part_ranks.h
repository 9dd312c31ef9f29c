// Ranks the elements of a group part by part, each in memory, and writes to every element's record what belongs to its
// rank. A part that came out larger than there is room for, because a sample misled, is distributed over smaller ones.
#pragma once

#include <algorithm>
#include <utility>

#include "../error.h"
#include "../formula/philox.h"
#include "order_parts.h"
#include "part_writer.h"
#include "ranking.h"

namespace theta {

/// What the ranks of a part's elements are turned into: thresholds that follow from ranks alone, or ranks within the
/// part, which stand for places in groups of any size.
struct ThresholdsOfRanks {
  RankThresholds thresholds;

  void begin(PartList&) {}
  uint32_t next() { return thresholds.next(); }
};
class RanksWithinParts {
 public:
  void begin(PartList& list) {
    list.first_rank = ranked_;
    ranked_ += list.elements;
    rank_ = 0;
  }
  uint32_t next() { return rank_++; }

 private:
  int64_t ranked_ = 0;
  uint32_t rank_ = 0;
};

/// Room for ranking one part; shared by all masks of a task.
template <typename W>
struct RankRoom {
  using Key = Bits<W>;

  /// For parts of `capacity` elements of groups of at most `most_tiles`.
  RankRoom(int64_t capacity, int64_t most_tiles, const PartLayout<W>& layout, const KernelTable& kernels,
           Carver& memory)
      : capacity(capacity),
        ranking(capacity, kernels, memory),
        keys(memory.take<Key>(capacity + 1)),
        unmixed(memory.take<uint64_t>(capacity + 1)),
        places(memory.take<uint16_t>(capacity + most_tiles)),
        block(memory.take<std::byte>(layout.block_bytes())),
        tile_ties(memory.take<uint64_t>(most_tiles + 1)) {}

  const int64_t capacity;
  Ranking<W> ranking;
  Key* const keys;
  /// What mix64 makes an element's tie of.
  uint64_t* const unmixed;
  uint16_t* const places;
  std::byte* const block;
  /// By tile: what mix64 makes the tie of its first element of. Set before a group is ranked.
  uint64_t* const tile_ties;

  /// Of an element of the capacity, and besides.
  static constexpr int64_t bytes_per_element =
      Ranking<W>::bytes_per_element + sizeof(Key) + sizeof(uint64_t) + sizeof(uint16_t);
  static constexpr int64_t bytes_of_counters = Ranking<W>::bytes_of_counters;
};

template <typename W>
class PartRanks {
 public:
  using Key = Bits<W>;

  PartRanks(const PartLayout<W>& layout, ScratchBlocks& blocks, OrderParts<W>& parts, PartWriter<W>& writer,
            RankRoom<W>& room)
      : layout_(layout), blocks_(blocks), parts_(parts), writer_(writer), room_(room) {}

  /// Part of what a room holds that a part is meant to fill: a sample is not exact.
  static constexpr double kFill = 0.8;
  static int64_t parts_wanted(int64_t elements, int64_t capacity) {
    if (elements <= capacity) return 1;
    return static_cast<int64_t>(static_cast<double>(elements) / (kFill * static_cast<double>(capacity))) + 1;
  }

  /// Ranks the `count` parts in `lists`, which are in order and all that the group has. Further ones that it takes come
  /// behind them, at most `most` altogether; → how many there are then. The room knows the ties of the group's tiles,
  /// and `values` those of ranks 0, 1, … Of elements with one key and one tie, the first to come has the lowest rank.
  template <typename Values>
  int64_t run(PartList* lists, int64_t count, int64_t most, Values values) {
    lists_ = lists;
    count_ = count;
    most_ = most;
    for (int64_t i = 0; i < count; ++i) settle(i, values, 0);
    return count_;
  }

 private:
  /// No sample misleads so often.
  static constexpr int kMostSplits = 32;

  template <typename Values>
  void settle(int64_t number, Values& values, int splits) {
    blocks_.space().stop_if_cancelled();
    PartList& list = lists_[number];
    if (list.elements == 0) return;
    if (list.elements <= room_.capacity) {
      values.begin(list);
      rank(list, values);
      return;
    }
    const int64_t begin = count_;
    split(number, splits);
    const int64_t end = count_;
    for (int64_t i = begin; i < end; ++i) settle(i, values, splits + 1);
  }

  /// Calls `body(block's bytes, records, block)` for each block, of which the bytes are the list's own where it is
  /// resident, and a copy where it is not or `copies`.
  template <typename Body>
  void for_each_block(const PartList& list, bool copies, Body&& body) {
    for (ScratchBlocks::Id block = list.first; block != ScratchBlocks::kNone;) {
      const ScratchBlocks::Id next = blocks_.next(block);
      const int64_t records = layout_.records_in(blocks_, list, block);
      std::byte* const resident = blocks_.resident(block);
      if (resident && copies) std::copy_n(resident, layout_.block_bytes(), room_.block);
      if (!resident && records > 0) {
        blocks_.read(block, 0, bytes_into(room_.block, records * static_cast<int64_t>(sizeof(Key))));
        blocks_.read(block, layout_.places_at(), bytes_into(layout_.places(room_.block), records));
      }
      body(resident && !copies ? resident : room_.block, records, block);
      block = next;
    }
  }

  template <typename Values>
  void rank(const PartList& list, Values& values) {
    int64_t count = 0, seen = 0, tile = 0;
    for_each_block(list, false, [&](std::byte* at, int64_t records, ScratchBlocks::Id) {
      const Key* const keys = layout_.keys(at);
      const uint16_t* const places = layout_.places(at);
      std::copy_n(places, records, room_.places + seen);
      seen += records;
      // No choice depends on a record: one that ends a tile is overwritten by the next, or lies behind the last.
      for (int64_t i = 0; i < records; ++i) {
        const bool ends = places[i] == kEndOfTile;
        room_.keys[count] = keys[i];
        room_.unmixed[count] = room_.tile_ties[tile] + places[i];
        count += !ends;
        tile += ends;
      }
    });
    room_.ranking.run(
        room_.keys, count, [this](uint32_t element) { return mix64(room_.unmixed[element]); },
        [&](uint32_t element, int64_t) { room_.keys[element] = values.next(); });
    write_values(list);
  }

  void write_values(const PartList& list) {
    int64_t count = 0;
    const uint16_t* places = room_.places;
    for (ScratchBlocks::Id block = list.first; block != ScratchBlocks::kNone; block = blocks_.next(block)) {
      const int64_t records = layout_.records_in(blocks_, list, block);
      std::byte* const resident = blocks_.resident(block);
      uint32_t* const to = layout_.values(resident ? resident : room_.block);
      for (int64_t i = 0; i < records; ++i) {
        to[i] = static_cast<uint32_t>(room_.keys[count]);
        count += places[i] != kEndOfTile;
      }
      if (!resident) blocks_.write(block, 0, bytes_of(to, records));
      places += records;
    }
  }

  void split(int64_t number, int splits) {
    const PartList list = std::exchange(lists_[number], PartList{});
    sample(list, static_cast<uint64_t>(splits));
    const int64_t parts = parts_.cut(parts_wanted(list.elements, room_.capacity));
    if (count_ + parts > most_ || splits == kMostSplits) {
      throw Error(ErrorCode::memory, "the tensor's elements are spread too unevenly to be ranked in so little memory");
    }
    writer_.open(parts);
    int64_t tile = 0;
    for_each_block(list, true, [&](std::byte* at, int64_t records, ScratchBlocks::Id block) {
      blocks_.give_back(block, block);
      const Key* const keys = layout_.keys(at);
      const uint16_t* const places = layout_.places(at);
      for (int64_t i = 0; i < records; ++i) {
        if (places[i] == kEndOfTile) {
          blocks_.space().stop_if_cancelled();
          writer_.end_tile();
          ++tile;
          continue;
        }
        uint32_t part;
        parts_.parts_of(
            keys + i, 1, [&](int64_t) { return upper_tie(tile, places[i]); }, &part);
        writer_.put(part, keys[i], places[i]);
      }
    });
    writer_.close(lists_ + count_);
    count_ += parts;
  }

  /// One element of each stretch of the list, at a place that follows no pattern, another one each time.
  void sample(const PartList& list, uint64_t salt) {
    parts_.begin_sample();
    const int64_t stretch = list.elements / parts_.most_sampled() + 1;
    int64_t element = 0, wanted = 0, tile = 0;
    const auto choose = [&] {
      const uint64_t random = mix64(static_cast<uint64_t>(element / stretch) ^ salt << 56);
      wanted = element / stretch * stretch + static_cast<int64_t>(random % static_cast<uint64_t>(stretch));
    };
    choose();
    for_each_block(list, false, [&](std::byte* at, int64_t records, ScratchBlocks::Id) {
      const uint16_t* const places = layout_.places(at);
      for (int64_t i = 0; i < records; ++i) {
        if (places[i] == kEndOfTile) {
          ++tile;
          continue;
        }
        if (element == wanted) parts_.add(layout_.keys(at)[i], upper_tie(tile, places[i]));
        if (++element % stretch == 0) choose();
      }
    });
  }

  uint32_t upper_tie(int64_t tile, uint16_t place) const { return upper_mix64(room_.tile_ties[tile] + place); }

  const PartLayout<W> layout_;
  ScratchBlocks& blocks_;
  OrderParts<W>& parts_;
  PartWriter<W>& writer_;
  RankRoom<W>& room_;
  PartList* lists_ = nullptr;
  int64_t count_ = 0, most_ = 0;
};

}  // namespace theta
