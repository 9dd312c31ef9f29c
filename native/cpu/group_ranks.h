// What belongs to the rank of each element of a group that lies in cache: elements are spread over buckets by where
// they are expected in the order, and ranked there. No step depends on how many keys are equal.
#pragma once

#include "carver.h"
#include "expected_ranks.h"
#include "kernels.h"
#include "rank_buckets.h"

namespace theta {

template <typename W>
class GroupRanks {
 public:
  using Key = Bits<W>;

  /// Of an element in places, so that seven make a bucket and one bucket in a thousand is crowded.
  static constexpr int64_t kWidth = (int64_t{1} << kOrderBits) / 7;

  /// For groups of at most `room` elements.
  GroupRanks(int64_t room, const KernelTable& kernels, Carver& memory);

  /// to[i] = by_rank[rank of element i], for `count` elements, whose keys lie in this range and whose ties are
  /// mix64(tie + i). `expected` is learned anew when the group is not like those before. → false, and nothing is
  /// written, where elements crowd or agree in nearly all: they need to be sorted.
  bool run(const Key* keys, int64_t count, KeyRange<Key> range, uint64_t tie, ExpectedRanks<W>& expected,
           const uint32_t* by_rank, uint32_t* to);

 private:
  int64_t spread(const Key* keys, int64_t count, uint64_t tie, const ExpectedRanks<W>& expected, int64_t most_spilled);

  const WorkKernels<W>& kernels_;
  RankBuckets buckets_;
};

extern template class GroupRanks<float>;
extern template class GroupRanks<double>;

}  // namespace theta
