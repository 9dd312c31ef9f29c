// What belongs to the rank of each element of a group that lies in cache. Elements are spread over buckets by where
// they are expected in the order, about four to each; within a bucket all are compared with all. No step depends on how
// many keys are equal. Whether every rank was told apart is counted, so that what is returned is exact.
#pragma once

#include "carver.h"
#include "expected_ranks.h"
#include "kernels.h"

namespace theta {

template <typename W>
class GroupRanks {
 public:
  using Key = Bits<W>;

  /// For groups of at most `room` elements.
  GroupRanks(int64_t room, const KernelTable& kernels, Carver& memory);

  /// to[i] = by_rank[rank of element i], for `count` elements whose ties are mix64(tie + i). `expected` is learned anew
  /// when the group is not like those before. by_rank needs kRankSlots more elements than there are ranks. → false, and
  /// nothing is written, where elements crowd or agree in all that is compared: they need to be sorted.
  bool run(const Key* keys, int64_t count, uint64_t tie, ExpectedRanks<W>& expected, const uint32_t* by_rank,
           uint32_t* to);

 private:
  void learn(const Key* keys, int64_t count, KeyRange<Key> range, ExpectedRanks<W>& expected);
  bool spread(const Key* keys, int64_t count, uint64_t tie, ExpectedRanks<W>& expected, int64_t most_spilled);
  bool spread_block(const uint64_t* __restrict expectations, int64_t count, uint32_t* __restrict places,
                    int64_t most_spilled);
  bool settle(const uint32_t* by_rank);
  bool settle_crowded(CrowdedBucket crowded, const uint32_t* by_rank);

  /// A bucket holds no more.
  static constexpr int64_t kMostInBucket = 255;

  const KernelTable& kernels_;
  /// By element, among the slots.
  uint32_t* const places_;
  /// Of the buckets, kRankSlots to each; behind them what found its bucket full. Those of one bucket are a chain.
  uint32_t* const slots_;
  uint8_t* const fill_;
  uint32_t* const chains_;
  uint32_t* const next_;
  CrowdedBucket* const crowded_;
  int64_t buckets_ = 0, spilled_ = 0;
};

extern template class GroupRanks<float>;
extern template class GroupRanks<double>;

}  // namespace theta
