#include "group_ranks.h"

#include <algorithm>

namespace theta {

namespace {

/// Elements whose digits are made at a time.
constexpr int64_t kAtOnce = 256;
/// Of smaller groups sorting is as fast.
constexpr int64_t kSmallest = 64;
/// Parts of a group that may find their bucket full: where it was learned from another group, and from itself.
constexpr int64_t kSpilledOfLike = 16, kSpilledOfSame = 2;

}  // namespace

template <typename W>
GroupRanks<W>::GroupRanks(int64_t room, const KernelTable& kernels, Carver& memory)
    : kernels_(kernels),
      places_(memory.take<uint32_t>(room)),
      slots_(memory.take<uint32_t>(ExpectedRanks<W>::most_buckets(room) * kRankSlots + room / kSpilledOfSame)),
      fill_(memory.take<uint8_t>(ExpectedRanks<W>::most_buckets(room))),
      chains_(memory.take<uint32_t>(ExpectedRanks<W>::most_buckets(room))),
      next_(memory.take<uint32_t>(room / kSpilledOfSame)),
      crowded_(memory.take<CrowdedBucket>(ExpectedRanks<W>::most_buckets(room))) {}

template <typename W>
bool GroupRanks<W>::run(const Key* keys, int64_t count, uint64_t tie, ExpectedRanks<W>& expected,
                        const uint32_t* by_rank, uint32_t* to) {
  if (count < kSmallest) return false;
  const WorkKernels<W>& kernels = kernels_of<W>(kernels_);
  const KeyRange<Key> range = kernels.key_range(keys, count);
  const bool covers = expected.covers(range);
  bool is_spread = covers && spread(keys, count, tie, expected, count / kSpilledOfLike);
  if (!is_spread) {
    if (covers) expected.distrust();
    learn(keys, count, range, expected);
    is_spread = spread(keys, count, tie, expected, count / kSpilledOfSame);
  }
  if (!is_spread || !settle(by_rank)) return false;
  for (int64_t i = 0; i < count; ++i) to[i] = slots_[places_[i]];
  return true;
}

template <typename W>
void GroupRanks<W>::learn(const Key* keys, int64_t count, KeyRange<Key> range, ExpectedRanks<W>& expected) {
  uint32_t digits[kAtOnce], fractions[kAtOnce];
  expected.cover(range);
  for (int64_t at = 0; at < count; at += kAtOnce) {
    const int64_t some = std::min(kAtOnce, count - at);
    kernels_of<W>(kernels_).rank_digits(keys + at, some, 0, expected.scale(), digits, fractions);
    expected.count(digits, some);
  }
  expected.end_group();
}

template <typename W>
bool GroupRanks<W>::spread(const Key* keys, int64_t count, uint64_t tie, ExpectedRanks<W>& expected,
                           int64_t most_spilled) {
  const int64_t buckets = expected.buckets();
  buckets_ = buckets;
  spilled_ = 0;
  for (int64_t bucket = 0; bucket < buckets; ++bucket) fill_[bucket] = 0;
  for (int64_t bucket = 0; bucket < buckets; ++bucket) {
    for (int64_t slot = 0; slot < kRankSlots; ++slot) {
      slots_[bucket * kRankSlots + slot] = kEmptySlot + static_cast<uint32_t>(slot);
    }
  }
  // A few at a time: what lies in the first-level cache should be the slots.
  uint32_t digits[kAtOnce], fractions[kAtOnce];
  uint64_t expectations[kAtOnce];
  for (int64_t at = 0; at < count; at += kAtOnce) {
    const int64_t some = std::min(kAtOnce, count - at);
    kernels_of<W>(kernels_).rank_digits(keys + at, some, tie + static_cast<uint64_t>(at), expected.scale(), digits,
                                        fractions);
    if (expected.is_learning()) expected.count(digits, some);
    expected.expect(digits, fractions, some, expectations);
    if (!spread_block(expectations, some, places_ + at, most_spilled)) return false;
  }
  if (expected.is_learning()) expected.end_group();
  return true;
}

template <typename W>
bool GroupRanks<W>::spread_block(const uint64_t* __restrict expectations, int64_t count, uint32_t* __restrict places,
                                 int64_t most_spilled) {
  constexpr int kBucketBits = ExpectedRanks<W>::kBucketBits;
  uint32_t* __restrict const slots = slots_;
  uint8_t* __restrict const fill = fill_;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t bucket = expectations[i] >> kBucketBits;
    const int64_t slot = fill[bucket];
    fill[bucket] = static_cast<uint8_t>(slot + 1);
    auto place = static_cast<int64_t>(bucket) * kRankSlots + slot;
    if (slot >= kRankSlots) [[unlikely]] {
      if (slot == kMostInBucket || spilled_ == most_spilled) return false;
      // The end of a chain follows from the number of its elements.
      next_[spilled_] = chains_[bucket];
      chains_[bucket] = static_cast<uint32_t>(spilled_);
      place = buckets_ * kRankSlots + spilled_++;
    }
    // Thirty bits within the bucket: below kEmptySlot.
    slots[place] = static_cast<uint32_t>(expectations[i] >> (kBucketBits - 30)) & (kEmptySlot - 1);
    places[i] = static_cast<uint32_t>(place);
  }
  return true;
}

template <typename W>
bool GroupRanks<W>::settle(const uint32_t* by_rank) {
  const int64_t crowded = kernels_.rank_buckets(slots_, fill_, buckets_, by_rank, crowded_);
  if (crowded < 0) return false;
  for (int64_t i = 0; i < crowded; ++i) {
    if (!settle_crowded(crowded_[i], by_rank)) return false;
  }
  return true;
}

template <typename W>
bool GroupRanks<W>::settle_crowded(CrowdedBucket crowded, const uint32_t* by_rank) {
  uint32_t places[kMostInBucket], order[kMostInBucket];
  const int64_t count = fill_[crowded.bucket];
  uint32_t link = chains_[crowded.bucket];
  for (int64_t i = 0; i < count; ++i) {
    if (i < kRankSlots) {
      places[i] = static_cast<uint32_t>(crowded.bucket * kRankSlots + i);
    } else {
      places[i] = static_cast<uint32_t>(buckets_ * kRankSlots + link);
      link = next_[link];
    }
    order[i] = slots_[places[i]];
  }
  int64_t sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t rank = 0;
    for (int64_t j = 0; j < count; ++j) rank += order[j] < order[i];
    sum += rank;
    slots_[places[i]] = by_rank[crowded.rank + rank];
  }
  return sum == count * (count - 1) / 2;
}

template class GroupRanks<float>;
template class GroupRanks<double>;

}  // namespace theta
