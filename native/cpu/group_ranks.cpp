#include "group_ranks.h"

#include <algorithm>
#include <utility>

namespace theta {

namespace {

/// Of smaller groups sorting is as fast.
constexpr int64_t kSmallest = 64;
/// Parts of a group that may find their bucket full: where it was learned from another group, and from itself.
constexpr int64_t kSpilledOfLike = 16, kSpilledOfSame = 2;

}  // namespace

template <typename W>
GroupRanks<W>::GroupRanks(int64_t room, const KernelTable& kernels, Carver& memory)
    : kernels_(kernels_of<W>(kernels)), buckets_(room, ExpectedRanks<W>::most_buckets(room, kWidth), kernels, memory) {}

template <typename W>
bool GroupRanks<W>::run(const Key* keys, int64_t count, KeyRange<Key> range, uint64_t tie, ExpectedRanks<W>& expected,
                        const uint32_t* by_rank, uint32_t* to) {
  if (count < kSmallest) return false;
  const bool covers = expected.covers(range);
  int64_t spilled = covers ? spread(keys, count, tie, expected, count / kSpilledOfLike) : -1;
  if (spilled < 0) {
    if (covers) expected.distrust();
    expected.cover(range);
    expected.learn(keys, count, tie, kernels_);
    spilled = spread(keys, count, tie, expected, count / kSpilledOfSame);
  } else if (expected.is_learning()) {
    expected.learn(keys, count, tie, kernels_);
  }
  const auto before = [keys, tie](uint32_t a, uint32_t b) {
    return std::pair(keys[a], mix64(tie + a)) < std::pair(keys[b], mix64(tie + b));
  };
  if (spilled < 0 || !buckets_.sort(spilled, before)) return false;
  const uint16_t* const elements = buckets_.elements();
#pragma GCC unroll 4
  for (int64_t rank = 0; rank < count; ++rank) to[elements[rank]] = by_rank[rank];
  return true;
}

/// → how many found their bucket full, or -1 where it would be more than these.
template <typename W>
int64_t GroupRanks<W>::spread(const Key* keys, int64_t count, uint64_t tie, const ExpectedRanks<W>& expected,
                              int64_t most_spilled) {
  const BucketRows rows = buckets_.clear(expected.buckets(), most_spilled);
  return kernels_.spread_ranks(keys, count, tie, expected.scale(), expected.places(), rows);
}

template class GroupRanks<float>;
template class GroupRanks<double>;

}  // namespace theta
