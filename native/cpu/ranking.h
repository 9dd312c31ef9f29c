// The place of every element in a group's order, by distribution: keys are close to evenly spread over a few thousand
// counters when scaled to their range, and equal keys are spread by their ties, which are uniform. What shares a
// counter is few, and sorted by insertion. Linear, and exact for every distribution; one that spreads badly is only
// slower.
#pragma once

#include <algorithm>
#include <bit>
#include <utility>

#include "../formula/order.h"
#include "carver.h"
#include "kernels.h"

namespace theta {

template <typename W>
class Ranking {
  struct Item {
    Bits<W> key;
    uint32_t element;
  };
  struct Tied {
    uint64_t tie;
    uint32_t element;
  };

  /// One for keys below the range, the zeros, is among them.
  static constexpr int64_t kMostCounters = (int64_t{1} << 16) + 1;

 public:
  using Key = Bits<W>;

  /// That an element of the room takes, and what there is besides.
  static constexpr int64_t bytes_per_element = sizeof(Item) + sizeof(Tied);
  static constexpr int64_t bytes_of_counters = 2 * (kMostCounters + 1) * sizeof(uint32_t);

  /// For groups of at most `room` elements.
  Ranking(int64_t room, const KernelTable& kernels, Carver& memory)
      : kernels_(kernels_of<W>(kernels)),
        items_(memory.take<Item>(room)),
        tied_(memory.take<Tied>(room)),
        counters_(memory.take<uint32_t>(kMostCounters + 1)),
        tie_counters_(memory.take<uint32_t>(kMostCounters + 1)) {}

  /// Calls put(element, rank) for each of `count` elements, ranks 0, 1, … in order: they rise with the key, and among
  /// equal keys with tie_of(element), and where that is equal, too, with the element.
  template <typename TieOf, typename Put>
  void run(const Key* keys, int64_t count, TieOf tie_of, Put put) {
    const auto [low, high] = kernels_.key_range(keys, count);
    const int shift = std::max(0, static_cast<int>(std::bit_width(static_cast<Key>(high - low))) - counter_bits(count));
    const auto counter_of = [low, shift](Key key) -> Key { return key < low ? 0 : ((key - low) >> shift) + 1; };
    std::fill(counters_, counters_ + counter_of(high) + 1, 0);
    for (int64_t i = 0; i < count; ++i) ++counters_[counter_of(keys[i])];
    make_starts(counters_, static_cast<int64_t>(counter_of(high)) + 1);
    for (int64_t i = 0; i < count; ++i) {
      items_[counters_[counter_of(keys[i])]++] = {keys[i], static_cast<uint32_t>(i)};
    }
    // By now a counter says where its items end.
    for (int64_t at = 0; at < count;) {
      const int64_t end = counters_[counter_of(items_[at].key)];
      settle(at, end, tie_of, put);
      at = end;
    }
  }

 private:
  /// Items that are sorted by insertion.
  static constexpr int64_t kFew = 24;

  static int counter_bits(int64_t count) {
    return std::clamp(static_cast<int>(std::bit_width(static_cast<uint64_t>(count))), 4, 16);
  }

  static void make_starts(uint32_t* counters, int64_t count) {
    uint32_t start = 0;
    for (int64_t i = 0; i < count; ++i) start += std::exchange(counters[i], start);
  }

  template <typename TieOf, typename Put>
  void settle(int64_t begin, int64_t end, TieOf tie_of, Put put) {
    if (end - begin == 1) {
      put(items_[begin].element, begin);
    } else if (end - begin <= kFew) {
      settle_few(begin, end, tie_of, put);
    } else if (is_one_key(begin, end)) {
      settle_tied(begin, end, tie_of, put);
    } else {
      std::sort(items_ + begin, items_ + end,
                [](const Item& a, const Item& b) { return a.key != b.key ? a.key < b.key : a.element < b.element; });
      for (int64_t at = begin; at < end;) {
        int64_t same = at + 1;
        while (same < end && items_[same].key == items_[at].key) ++same;
        settle(at, same, tie_of, put);
        at = same;
      }
    }
  }

  bool is_one_key(int64_t begin, int64_t end) const {
    Key different = 0;
    for (int64_t i = begin + 1; i < end; ++i) different |= items_[i].key ^ items_[begin].key;
    return different == 0;
  }

  template <typename TieOf, typename Put>
  void settle_few(int64_t begin, int64_t end, TieOf tie_of, Put put) {
    Key keys[kFew];
    Tied tied[kFew];
    for (int64_t i = begin; i < end; ++i) {
      const Key key = items_[i].key;
      const Tied item{tie_of(items_[i].element), items_[i].element};
      int64_t at = i - begin;
      for (; at > 0 && (keys[at - 1] > key || (keys[at - 1] == key && tied[at - 1].tie > item.tie)); --at) {
        keys[at] = keys[at - 1];
        tied[at] = tied[at - 1];
      }
      keys[at] = key;
      tied[at] = item;
    }
    for (int64_t i = begin; i < end; ++i) put(tied[i - begin].element, i);
  }

  /// All have one key.
  template <typename TieOf, typename Put>
  void settle_tied(int64_t begin, int64_t end, TieOf tie_of, Put put) {
    const int shift = 64 - counter_bits(end - begin);
    std::fill(tie_counters_, tie_counters_ + (int64_t{1} << (64 - shift)), 0);
    for (int64_t i = begin; i < end; ++i) ++tie_counters_[tie_of(items_[i].element) >> shift];
    make_starts(tie_counters_, int64_t{1} << (64 - shift));
    Tied* const tied = tied_ + begin;
    for (int64_t i = begin; i < end; ++i) {
      const uint64_t tie = tie_of(items_[i].element);
      tied[tie_counters_[tie >> shift]++] = {tie, items_[i].element};
    }
    // Nearly in order: nothing moves out of its counter.
    for (int64_t i = 1; i < end - begin; ++i) {
      const Tied item = tied[i];
      int64_t at = i;
      for (; at > 0 && tied[at - 1].tie > item.tie; --at) tied[at] = tied[at - 1];
      tied[at] = item;
    }
    for (int64_t i = begin; i < end; ++i) put(tied_[i].element, i);
  }

  const WorkKernels<W>& kernels_;
  Item* const items_;
  Tied* const tied_;
  uint32_t* const counters_;
  uint32_t* const tie_counters_;
};

}  // namespace theta
