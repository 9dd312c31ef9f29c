// A group's elements in buckets of the order, about seven to each, and sorted within them. They are compared by orders
// of sixteen bits, so that now and then two in a bucket are equal: then, and only there, the elements themselves are
// compared.
#pragma once

#include <algorithm>

#include "carver.h"
#include "kernels.h"

namespace theta {

class RankBuckets {
 public:
  /// For groups of at most `room` elements, which sixteen bits count, in at most `most_buckets`.
  RankBuckets(int64_t room, int64_t most_buckets, const KernelTable& kernels, Carver& memory);

  /// Empties so many buckets for a group, of whose elements at most `most_spilled`, or half, may find theirs full.
  BucketRows clear(int64_t buckets, int64_t most_spilled);
  /// Sorts what lies in them and what was spilled; before(a, b) is asked of elements whose orders are equal. → false
  /// where that are too many.
  template <typename Before>
  bool sort(int64_t spilled, Before before);
  /// By rank.
  const uint16_t* elements() const { return sorted_; }

 private:
  /// Of a group's elements, what may find its bucket full: one in so many.
  static constexpr int64_t kSpilledShare = 2;
  static constexpr int64_t kMostEqual = 32;

  static int64_t stride_of(int64_t buckets);
  void sort_by_order(int64_t spilled);
  void sort_crowded(int64_t spilled);
  void note_equal(uint32_t bucket);

  const KernelTable& kernels_;
  /// As in BucketRows; of buckets that are full, next_ is their first rank, and behind the last that of another.
  uint32_t* const slots_;
  uint32_t* const next_;
  uint16_t* const sorted_;
  /// What found its bucket full.
  SpilledItem* const spilled_;
  /// All items of a bucket with more of them than rows.
  uint32_t* const crowded_;
  /// Buckets in which orders are equal.
  uint32_t equal_[kMostEqual];
  int64_t buckets_ = 0, stride_ = 0, equal_count_ = 0;
};

template <typename Before>
bool RankBuckets::sort(int64_t spilled, Before before) {
  sort_by_order(spilled);
  if (equal_count_ > kMostEqual) return false;
  for (int64_t i = 0; i < equal_count_; ++i) {
    std::sort(sorted_ + next_[equal_[i]], sorted_ + next_[equal_[i] + 1], before);
  }
  return true;
}

}  // namespace theta
