#include "della_marks.h"

#include <algorithm>
#include <utility>

#include "../formula/philox.h"
#include "della_thresholds.h"

namespace theta {

namespace {
/// Of smaller groups sorting is as fast.
constexpr int64_t kSmallest = 64;
}  // namespace

template <typename W>
DellaMarks<W>::DellaMarks(const Della& mask, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                          Ranking<W>& ranking, Carver& memory)
    : Statistic<W>(group_size),
      mask_(mask),
      table_(kernels),
      kernels_(kernels_of<W>(kernels)),
      ranking_(ranking),
      kept_(memory.take<uint8_t>(groups_kept * group_size)),
      keys_(memory.take<Key>(group_size)),
      by_rank_(memory.take<uint32_t>(group_size + 1)),
      expected_(group_size, kWidth, memory),
      buckets_(memory.take<uint16_t>(group_size)),
      starts_(memory.take<uint32_t>(ExpectedRanks<W>::most_buckets(group_size, kWidth) + 1)),
      lowest_(memory.take<uint32_t>(ExpectedRanks<W>::most_buckets(group_size, kWidth) + 1)) {}

template <typename W>
void DellaMarks<W>::begin(int64_t first) {
  first_ = first;
  seen_ = 0;
  range_ = {0, 0};
}

template <typename W>
void DellaMarks<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  range_ = joined(range_, kernels_.keys_and_range(block.value(mask_.of) + offset, keys_ + seen_, count));
  seen_ += count;
}

template <typename W>
bool DellaMarks<W>::end_pass() {
  if (!by_rank_is_filled_) {
    fill_by_rank(mask_, {by_rank_, static_cast<size_t>(this->group_size())});
    by_rank_[this->group_size()] = by_rank_[this->group_size() - 1];
    by_rank_is_filled_ = true;
  }
  if (seen_ < kSmallest || !mark_by_buckets()) mark_sorted();
  return true;
}

/// → false where elements crowd in few buckets, though they were spread by what this group tells.
template <typename W>
bool DellaMarks<W>::mark_by_buckets() {
  const uint64_t tie = static_cast<uint64_t>(first_) + mask_.tie;
  const bool covers = expected_.covers(range_);
  if (covers) spread();
  int64_t undecided = covers ? decide(lowest_, 1) : -1;
  if (undecided < 0) {
    if (covers) expected_.distrust();
    expected_.cover(range_);
    expected_.learn(keys_, seen_, tie, kernels_);
    spread();
    undecided = decide(lowest_, 1);
  } else if (expected_.is_learning()) {
    expected_.learn(keys_, seen_, tie, kernels_);
  }
  for (int64_t i = 0; i < undecided; ++i) resolve(undecided_[i]);
  return undecided >= 0;
}

/// Every element is a bucket of its own, which tells its threshold.
template <typename W>
void DellaMarks<W>::mark_sorted() {
  const uint64_t tie = static_cast<uint64_t>(first_) + mask_.tie;
  ranking_.run(
      keys_, seen_, [tie](uint32_t element) { return mix64(tie + element); },
      [this](uint32_t element, int64_t rank) { buckets_[element] = static_cast<uint16_t>(rank); });
  decide(by_rank_, 0);
}

template <typename W>
void DellaMarks<W>::spread() {
  const int64_t buckets = expected_.buckets();
  const uint64_t tie = static_cast<uint64_t>(first_) + mask_.tie;
  std::fill_n(starts_, buckets, 0);
  uint32_t places[kRanksAtOnce];
  for (int64_t at = 0; at < seen_; at += kRanksAtOnce) {
    const int64_t some = std::min(kRanksAtOnce, seen_ - at);
    kernels_.expect_ranks(keys_ + at, some, tie + static_cast<uint64_t>(at), expected_.scale(), expected_.places(),
                          places);
    table_.count_buckets(places, some, buckets_ + at, starts_);
  }
  uint32_t rank = 0;
  for (int64_t bucket = 0; bucket < buckets; ++bucket) {
    const uint32_t count = starts_[bucket];
    starts_[bucket] = rank;
    lowest_[bucket] = by_rank_[rank];
    rank += count;
  }
  starts_[buckets] = rank;
  lowest_[buckets] = by_rank_[rank];
}

/// Marks the group, but for what is left to resolve. → the number of these, or -1 where they are too many. `lowest`: by
/// bucket, the threshold of its first element, and `next` on, what bounds those of the others.
template <typename W>
int64_t DellaMarks<W>::decide(const uint32_t* lowest, int next) {
  const uint32_t low = by_rank_[0], high = by_rank_[seen_];
  uint32_t words[kRanksAtOnce + kMatchGroup] = {}, between[kRanksAtOnce + kMatchGroup];
  const uint16_t* const buckets = buckets_;
  Undecided* const left = undecided_;
  uint8_t* const kept = kept_ + (first_ - this->origin());
  int64_t undecided = 0;
  for (int64_t at = 0; at < seen_; at += kRanksAtOnce) {
    const int64_t some = std::min(kRanksAtOnce, seen_ - at);
    table_.random_words(mask_.seed, mask_.stream, first_ + at, some, words);
    const int64_t found = table_.words_between(words, some, low, high, kept + at, between);
    // No branch: what a word tells cannot be foreseen.
    for (int64_t i = 0; i < found; ++i) {
      const uint32_t place = between[i], word = words[place];
      const uint32_t* const bounds = lowest + buckets[at + place];
      kept[at + place] = word < bounds[0];
      left[undecided] = {static_cast<uint32_t>(at) + place, word};
      undecided += word - bounds[0] < bounds[next] - bounds[0];
    }
    if (undecided > kMostUndecided) return -1;
  }
  return undecided;
}

template <typename W>
void DellaMarks<W>::resolve(Undecided undecided) {
  constexpr int64_t kAtOnce = 64;
  const uint16_t bucket = buckets_[undecided.element];
  const uint32_t begin = starts_[bucket];
  uint32_t rank = begin, left = starts_[bucket + 1] - begin;
  for (int64_t at = 0; left > 0; at += kAtOnce) {
    const int64_t end = std::min(at + kAtOnce, seen_);
    uint16_t here = 0;
    for (int64_t i = at; i < end; ++i) here = static_cast<uint16_t>(here + (buckets_[i] == bucket));
    left -= here;
    for (int64_t i = at; here > 0; ++i) {
      if (buckets_[i] != bucket) continue;
      rank += is_before(static_cast<uint32_t>(i), undecided.element);
      --here;
    }
  }
  kept_[first_ - this->origin() + undecided.element] = undecided.word < by_rank_[rank];
}

template <typename W>
bool DellaMarks<W>::is_before(uint32_t a, uint32_t b) const {
  const uint64_t tie = static_cast<uint64_t>(first_) + mask_.tie;
  return std::pair(keys_[a], mix64(tie + a)) < std::pair(keys_[b], mix64(tie + b));
}

template class DellaMarks<float>;
template class DellaMarks<double>;

}  // namespace theta
