#include "rank_buckets.h"

#include <cstring>

namespace theta {

RankBuckets::RankBuckets(int64_t room, int64_t most_buckets, const KernelTable& kernels, Carver& memory)
    : kernels_(kernels),
      slots_(memory.take<uint32_t>(kBucketRows * stride_of(most_buckets))),
      next_(memory.take<uint32_t>(stride_of(most_buckets) + 1)),
      sorted_(memory.take<uint16_t>(room + kBucketRows)),
      spilled_(memory.take<SpilledItem>(room / kSpilledShare)),
      crowded_(memory.take<uint32_t>(room)) {}

/// Whole vectors of buckets; an odd number of them, or else the rows of a bucket could meet in one set of the cache.
int64_t RankBuckets::stride_of(int64_t buckets) {
  return ((buckets + kBucketsAtOnce - 1) / kBucketsAtOnce | 1) * kBucketsAtOnce;
}

BucketRows RankBuckets::clear(int64_t buckets, int64_t most_spilled) {
  buckets_ = buckets;
  stride_ = stride_of(buckets);
  for (int64_t bucket = 0; bucket < stride_; ++bucket) next_[bucket] = static_cast<uint32_t>(bucket);
  std::memset(slots_, 0xff, static_cast<size_t>(kBucketRows * stride_) * sizeof(uint32_t));
  return {slots_, next_, stride_, spilled_, most_spilled};
}

void RankBuckets::sort_by_order(int64_t spilled) {
  const BucketRows rows{slots_, next_, stride_, spilled_, 0};
  equal_count_ = kernels_.sort_buckets(rows, buckets_, sorted_, equal_, kMostEqual);
  sort_crowded(spilled);
}

/// Those with more elements than rows.
void RankBuckets::sort_crowded(int64_t spilled) {
  std::sort(spilled_, spilled_ + spilled, [](SpilledItem a, SpilledItem b) { return a.bucket < b.bucket; });
  for (int64_t at = 0; at < spilled;) {
    const uint32_t bucket = spilled_[at].bucket;
    const int64_t count = next_[bucket + 1] - next_[bucket];
    for (int64_t row = 0; row < kBucketRows; ++row) crowded_[row] = slots_[row * stride_ + bucket];
    for (int64_t i = kBucketRows; i < count; ++i, ++at) crowded_[i] = spilled_[at].item;
    std::sort(crowded_, crowded_ + count);
    bool is_equal = false;
    for (int64_t i = 0; i < count; ++i) {
      sorted_[next_[bucket] + i] = static_cast<uint16_t>(crowded_[i]);
      is_equal |= i > 0 && (crowded_[i - 1] ^ crowded_[i]) >> kOrderBits == 0;
    }
    if (is_equal) note_equal(bucket);
  }
}

void RankBuckets::note_equal(uint32_t bucket) {
  if (equal_count_ < kMostEqual) equal_[equal_count_] = bucket;
  ++equal_count_;
}

}  // namespace theta
