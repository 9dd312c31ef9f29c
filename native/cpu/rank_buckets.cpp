#include "rank_buckets.h"

#include <numeric>

namespace theta {

template <typename Place>
RankBuckets<Place>::RankBuckets(int64_t room, int64_t most_buckets, const KernelTable& kernels, Carver& memory)
    : table_(kernels),
      kernels_(rank_kernels_of<Place>(kernels)),
      places_(memory.take<Place>(room)),
      slots_(memory.take<uint16_t>(slots(room, most_buckets))),
      fill_(memory.take<uint8_t>(most_buckets)),
      spilled_(memory.take<SpilledElement>(room / kSpilledShare)),
      next_(memory.take<uint32_t>(room / kSpilledShare)),
      chains_(memory.take<uint32_t>(most_buckets)),
      crowded_(memory.take<Crowded>(most_buckets)) {}

template <typename Place>
void RankBuckets<Place>::clear(int64_t buckets, int64_t most_spilled) {
  buckets_ = buckets;
  most_spilled_ = most_spilled;
  count_ = 0;
  spilled_count_ = 0;
  std::fill_n(fill_, buckets, 0);
  std::fill_n(slots_, buckets * kRankSlots, 0);
}

template <typename Place>
bool RankBuckets<Place>::put(const uint32_t* expected, int64_t count) {
  const int64_t spilled = kernels_.fill_buckets(expected, count, count_, slots_, fill_, places_ + count_,
                                                spilled_ + spilled_count_, most_spilled_ - spilled_count_);
  count_ += count;
  spilled_count_ += spilled;
  return spilled >= 0;
}

template <typename Place>
void RankBuckets<Place>::values(const uint32_t* by_rank, uint32_t* to) const {
  kernels_.of_places(places_, count_, slots_, by_rank, to);
}

template <typename Place>
void RankBuckets<Place>::rank() {
  // Equal orders are looked for in few buckets.
  constexpr int64_t kAtOnce = 64;
  place_spilled();
  equal_count_ = 0;
  int first = 0;
  for (int64_t begin = 0; begin < buckets_; begin += kAtOnce) {
    const int64_t end = std::min(begin + kAtOnce, buckets_);
    if (!table_.rank_buckets(slots_ + begin * kRankSlots, fill_ + begin, end - begin, static_cast<uint32_t>(first))) {
      find_equal(begin, end, first);
    }
    first = std::accumulate(fill_ + begin, fill_ + end, first);
  }
  for (int64_t i = 0; i < crowded_count_; ++i) settle_crowded(crowded_[i]);
}

/// Gives them places behind the buckets, and keeps the orders of those that crowd with them.
template <typename Place>
void RankBuckets<Place>::place_spilled() {
  constexpr uint32_t kEnd = ~uint32_t{0};
  for (int64_t i = 0; i < spilled_count_; ++i) chains_[spilled_[i].expected >> kOrderBits] = kEnd;
  crowded_count_ = 0;
  for (uint32_t i = 0; i < spilled_count_; ++i) {
    const auto [element, expected] = spilled_[i];
    const uint32_t bucket = expected >> kOrderBits;
    if (chains_[bucket] == kEnd) {
      Crowded& crowded = crowded_[crowded_count_++];
      crowded.bucket = bucket;
      std::copy_n(slots_ + bucket * kRankSlots, kRankSlots, crowded.orders);
    }
    next_[i] = chains_[bucket];
    chains_[bucket] = i;
    places_[element] = spilled_place(i);
    slots_[spilled_place(i)] = static_cast<uint16_t>(expected);
  }
}

/// Among buckets whose first rank is `first`.
template <typename Place>
void RankBuckets<Place>::find_equal(int64_t begin, int64_t end, int first) {
  for (int64_t bucket = begin; bucket < end; ++bucket) {
    const int count = fill_[bucket], empty = kRankSlots - count;
    if (empty >= 0) {
      const uint16_t* const ranks = slots_ + bucket * kRankSlots;
      const auto sum = std::accumulate(ranks, ranks + kRankSlots, uint16_t{0});
      // All empty slots have the rank of the first.
      const int expected = count * first + count * (count - 1) / 2 + empty * (first - empty);
      if (sum != static_cast<uint16_t>(expected)) note_equal(static_cast<uint32_t>(bucket), first);
    }
    first += count;
  }
}

template <typename Place>
void RankBuckets<Place>::note_equal(uint32_t bucket, int first) {
  if (equal_count_ < kMostEqual) equal_[equal_count_] = {bucket, first};
  ++equal_count_;
}

template <typename Place>
void RankBuckets<Place>::settle_crowded(const Crowded& crowded) {
  constexpr int kRoom = kMostInBucket + kRankSlots;
  uint16_t orders[kRoom], ranks[kRoom];
  Place places[kMostInBucket];
  const int count = fill_[crowded.bucket];
  const int64_t begin = static_cast<int64_t>(crowded.bucket) * kRankSlots;
  for (int i = 0; i < kRankSlots; ++i) {
    places[i] = static_cast<Place>(begin + i);
    orders[i] = crowded.orders[i];
  }
  uint32_t link = chains_[crowded.bucket];
  for (int i = kRankSlots; i < count; ++i, link = next_[link]) {
    places[i] = spilled_place(link);
    orders[i] = slots_[places[i]];
  }
  // Eight at a time, which compilers make a vector of.
  std::fill_n(orders + count, kRankSlots, uint16_t{0});
  for (int at = 0; at < count; at += kRankSlots) {
    uint16_t smaller[kRankSlots] = {};
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < kRankSlots; ++j)
        smaller[j] = static_cast<uint16_t>(smaller[j] + (orders[i] < orders[at + j]));
    }
    std::copy_n(smaller, kRankSlots, ranks + at);
  }
  // The smallest of the slots was ranked as if the bucket had no more.
  const int first = *std::min_element(slots_ + begin, slots_ + begin + kRankSlots) + kRankSlots - count;
  for (int i = 0; i < count; ++i) slots_[places[i]] = static_cast<uint16_t>(first + ranks[i]);
  if (std::accumulate(ranks, ranks + count, 0) != count * (count - 1) / 2) note_equal(crowded.bucket, first);
}

/// → their number.
template <typename Place>
int RankBuckets<Place>::elements_of(uint32_t bucket, uint32_t* elements) const {
  constexpr int64_t kAtOnce = 64;
  int found = 0;
  for (int64_t begin = 0; begin < count_; begin += kAtOnce) {
    const int64_t end = std::min(begin + kAtOnce, count_);
    uint32_t here = 0;
    for (int64_t i = begin; i < end; ++i) here += places_[i] / kRankSlots == bucket;
    for (int64_t i = begin; here > 0; ++i) {
      if (places_[i] / kRankSlots != bucket) continue;
      elements[found++] = static_cast<uint32_t>(i);
      --here;
    }
  }
  uint32_t link = chains_[bucket];
  for (; found < fill_[bucket]; link = next_[link]) elements[found++] = spilled_[link].element;
  return found;
}

template class RankBuckets<uint16_t>;
template class RankBuckets<uint32_t>;

}  // namespace theta
