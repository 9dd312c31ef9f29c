// A group's elements in buckets of the order, about three to each, and their ranks. Within a bucket the orders of all
// are compared with all. Orders have sixteen bits, so that now and then two in a bucket are equal: then, and only
// there, the elements themselves are compared.
#pragma once

#include <algorithm>

#include "carver.h"
#include "kernels.h"

namespace theta {

/// `Place` counts the slots of a group.
template <typename Place>
class RankBuckets {
 public:
  /// For groups of at most `room` elements in at most `most_buckets`.
  RankBuckets(int64_t room, int64_t most_buckets, const KernelTable& kernels, Carver& memory);

  /// Whether Place counts so many slots.
  static constexpr bool can_count(int64_t room, int64_t most_buckets) {
    return slots(room, most_buckets) - 1 <= static_cast<int64_t>(static_cast<Place>(~Place{0}));
  }

  /// Begins a group: `buckets`, an even number, of which at most half a group finds its own full, and `most_spilled`.
  void clear(int64_t buckets, int64_t most_spilled);
  /// The next elements, at most kRanksAtOnce, of which bucket << kOrderBits | order is expected. → false where they
  /// crowd: the group is given up.
  bool put(const uint32_t* expected, int64_t count);
  /// Ranks all elements that were put; before(a, b) is asked of elements whose orders are equal. → false where that are
  /// too many.
  template <typename Before>
  bool settle(Before before);
  /// to[i] = by_rank[rank of element i]
  void values(const uint32_t* by_rank, uint32_t* to) const;

 private:
  /// A bucket with more elements than slots, and the orders of those that have one.
  struct Crowded {
    uint32_t bucket;
    uint16_t orders[kRankSlots];
  };
  /// A bucket in which orders are equal, and its first rank.
  struct Equal {
    uint32_t bucket;
    int first;
  };

  /// Of a group's elements, what may find its bucket full: one in so many.
  static constexpr int64_t kSpilledShare = 2;
  static constexpr int64_t kMostEqual = 32;

  static constexpr int64_t slots(int64_t room, int64_t most_buckets) {
    return most_buckets * kRankSlots + room / kSpilledShare;
  }

  Place spilled_place(uint32_t index) const { return static_cast<Place>(buckets_ * kRankSlots + index); }
  void rank();
  void place_spilled();
  void find_equal(int64_t begin, int64_t end, int first);
  void note_equal(uint32_t bucket, int first);
  void settle_crowded(const Crowded& crowded);
  int elements_of(uint32_t bucket, uint32_t* elements) const;

  const KernelTable& table_;
  const RankKernels<Place>& kernels_;
  /// By element, among the slots.
  Place* const places_;
  /// Of the buckets, kRankSlots to each; behind them what found its bucket full. They hold orders, then ranks.
  uint16_t* const slots_;
  uint8_t* const fill_;
  /// What found its bucket full, those of one bucket as a chain.
  SpilledElement* const spilled_;
  uint32_t* const next_;
  uint32_t* const chains_;
  Crowded* const crowded_;
  Equal equal_[kMostEqual];
  int64_t buckets_ = 0, count_ = 0, most_spilled_ = 0, spilled_count_ = 0, crowded_count_ = 0, equal_count_ = 0;
};

template <typename Place>
template <typename Before>
bool RankBuckets<Place>::settle(Before before) {
  rank();
  if (equal_count_ > kMostEqual) return false;
  for (int64_t i = 0; i < equal_count_; ++i) {
    uint32_t elements[kMostInBucket];
    const int count = elements_of(equal_[i].bucket, elements);
    std::sort(elements, elements + count, before);
    for (int j = 0; j < count; ++j) slots_[places_[elements[j]]] = static_cast<uint16_t>(equal_[i].first + j);
  }
  return true;
}

extern template class RankBuckets<uint16_t>;
extern template class RankBuckets<uint32_t>;

}  // namespace theta
