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
    : kernels_(kernels_of<W>(kernels)), buckets_(make_buckets(room, kernels, memory)) {}

template <typename W>
typename GroupRanks<W>::Buckets GroupRanks<W>::make_buckets(int64_t room, const KernelTable& kernels, Carver& memory) {
  const int64_t buckets = ExpectedRanks<W>::most_buckets(room);
  if (RankBuckets<uint16_t>::can_count(room, buckets)) return RankBuckets<uint16_t>(room, buckets, kernels, memory);
  return RankBuckets<uint32_t>(room, buckets, kernels, memory);
}

template <typename W>
bool GroupRanks<W>::run(const Key* keys, int64_t count, uint64_t tie, ExpectedRanks<W>& expected,
                        const uint32_t* by_rank, uint32_t* to) {
  if (count < kSmallest) return false;
  return std::visit([&](auto& buckets) { return run_in(buckets, keys, count, tie, expected, by_rank, to); }, buckets_);
}

template <typename W>
template <typename Place>
bool GroupRanks<W>::run_in(RankBuckets<Place>& buckets, const Key* keys, int64_t count, uint64_t tie,
                           ExpectedRanks<W>& expected, const uint32_t* by_rank, uint32_t* to) {
  const KeyRange<Key> range = kernels_.key_range(keys, count);
  const bool covers = expected.covers(range);
  bool is_spread = covers && spread(keys, count, tie, expected, count / kSpilledOfLike, buckets);
  if (!is_spread) {
    if (covers) expected.distrust();
    expected.cover(range);
    expected.learn(keys, count, tie, kernels_);
    is_spread = spread(keys, count, tie, expected, count / kSpilledOfSame, buckets);
  } else if (expected.is_learning()) {
    expected.learn(keys, count, tie, kernels_);
  }
  const auto before = [keys, tie](uint32_t a, uint32_t b) {
    return std::pair(keys[a], mix64(tie + a)) < std::pair(keys[b], mix64(tie + b));
  };
  if (!is_spread || !buckets.settle(before)) return false;
  buckets.values(by_rank, to);
  return true;
}

template <typename W>
template <typename Place>
bool GroupRanks<W>::spread(const Key* keys, int64_t count, uint64_t tie, const ExpectedRanks<W>& expected,
                           int64_t most_spilled, RankBuckets<Place>& buckets) {
  buckets.clear(expected.buckets(), most_spilled);
  uint32_t places[kRanksAtOnce];
  for (int64_t at = 0; at < count; at += kRanksAtOnce) {
    const int64_t some = std::min(kRanksAtOnce, count - at);
    kernels_.expect_ranks(keys + at, some, tie + static_cast<uint64_t>(at), expected.scale(), expected.places(),
                          places);
    if (!buckets.put(places, some)) return false;
  }
  return true;
}

template class GroupRanks<float>;
template class GroupRanks<double>;

}  // namespace theta
