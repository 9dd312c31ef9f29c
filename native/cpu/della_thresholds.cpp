#include "della_thresholds.h"

namespace theta {

namespace {
constexpr int64_t kMostSampled = int64_t{1} << 17;
/// Of the room for a stretch, what one is meant to fill: a sample is not exact.
constexpr double kFill = 0.85;

int64_t sample_size(int64_t group_size, int64_t capacity) {
  return std::max(std::min({group_size, capacity, kMostSampled}), 3 * SampleRuns::kRun);
}
}  // namespace

RankThresholds thresholds_from(const Della& mask, int64_t size, int64_t rank) {
  return {threshold_of(mask.density - mask.epsilon), threshold_of(mask.density + mask.epsilon), size, rank};
}

template <typename W>
DellaThresholds<W>::DellaThresholds(const Della& mask, int64_t group_size, int64_t groups_kept, int64_t capacity,
                                    const KernelTable& kernels, const FoundElements<W>& found, Ranking<W>& ranking,
                                    GroupRanks<W>* ranks, Carver& memory)
    : Statistic<W>(group_size),
      mask_(mask),
      kernels_(kernels),
      found_(found),
      ranking_(ranking),
      ranks_(ranks),
      capacity_(capacity),
      runs_(SampleRuns::of_at_most(sample_size(group_size, capacity), group_size)),
      thresholds_(memory.take<uint32_t>(groups_kept * group_size)),
      keys_(memory.take<Key>(std::min(group_size, capacity))) {
  if (fits()) {
    by_rank_ = memory.take<uint32_t>(group_size);
    if (ranks) expected_.emplace(group_size, memory);
    return;
  }
  ties_ = memory.take<uint64_t>(capacity);
  places_ = memory.take<int64_t>(capacity);
  sample_ = memory.take<Key>(sample_size(group_size, capacity));
}

template <typename W>
void DellaThresholds<W>::begin(int64_t first) {
  first_ = first;
  seen_ = 0;
  if (fits()) return;
  is_sampling_ = true;
  sampled_ = 0;
  ranked_ = 0;
}

template <typename W>
void DellaThresholds<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  const W* x = block.value(mask_.of) + offset;
  const WorkKernels<W>& kernels = kernels_of<W>(kernels_);
  const int64_t begin = block.begin + offset;
  if (fits()) {
    kernels.keys(x, keys_ + seen_, count);
    seen_ += count;
    return;
  }
  if (is_sampling_) {
    runs_.for_each(begin, begin + count, [&](int64_t from, int64_t to) {
      kernels.keys(x + (from - begin), sample_ + sampled_, to - from);
      sampled_ += to - from;
    });
    return;
  }
  int64_t above = 0;
  const int64_t candidates =
      kernels.collect(x, count, low_.key, high_.key, found_.keys, found_.positions, above, nullptr);
  kernels_.tie_keys(found_.positions, candidates, static_cast<uint64_t>(begin) + mask_.tie, found_.ties);
  for (int64_t i = 0; i < candidates; ++i) {
    const Key key = found_.keys[i];
    const uint64_t tie = found_.ties[i];
    if ((key == low_.key && tie < low_.tie) || (key == high_.key && tie > high_.tie)) continue;
    if (kept_ < capacity_) {
      keys_[kept_] = key;
      ties_[kept_] = tie;
      places_[kept_] = begin + found_.positions[i];
    }
    ++kept_;
  }
}

template <typename W>
bool DellaThresholds<W>::end_pass() {
  if (fits()) {
    rank_group();
    return true;
  }
  if (is_sampling_) {
    is_sampling_ = false;
    std::sort(sample_, sample_ + sampled_);
    start_stretch(kSmallest);
    return false;
  }
  if (kept_ > capacity_) {
    // What was kept first is some of what there is: as large a part of it as would have fitted.
    const auto share = kFill * static_cast<double>(capacity_) / static_cast<double>(kept_);
    high_ = edge_among_kept(static_cast<int64_t>(share * static_cast<double>(capacity_)));
    kept_ = 0;
    return false;
  }
  rank_stretch();
  if (high_ == kLargest) return true;
  const bool last_tie = high_.tie == kLargest.tie;
  start_stretch({static_cast<Key>(high_.key + last_tie), last_tie ? 0 : high_.tie + 1});
  return false;
}

template <typename W>
void DellaThresholds<W>::rank_group() {
  if (!by_rank_is_filled_) {
    RankThresholds threshold = thresholds_from(mask_, this->group_size(), 0);
    for (int64_t rank = 0; rank < this->group_size(); ++rank) by_rank_[rank] = threshold.next();
    by_rank_is_filled_ = true;
  }
  uint32_t* const to = thresholds_ + (first_ - this->origin());
  const uint64_t tie = static_cast<uint64_t>(first_) + mask_.tie;
  if (ranks_ && ranks_->run(keys_, seen_, tie, *expected_, by_rank_, to)) return;
  ranking_.run(
      keys_, seen_, [tie](uint32_t element) { return mix64(tie + element); },
      [to, by_rank = by_rank_](uint32_t element, int64_t rank) { to[element] = by_rank[rank]; });
}

template <typename W>
void DellaThresholds<W>::rank_stretch() {
  if (kept_ == 0) return;
  RankThresholds threshold = thresholds_from(mask_, this->group_size(), ranked_);
  ranking_.run(
      keys_, kept_, [ties = ties_](uint32_t element) { return ties[element]; },
      [&](uint32_t element, int64_t) { thresholds_[places_[element] - this->origin()] = threshold.next(); });
  ranked_ += kept_;
}

template <typename W>
void DellaThresholds<W>::start_stretch(Edge low) {
  low_ = low;
  kept_ = 0;
  const double end = static_cast<double>(ranked_) + kFill * static_cast<double>(capacity_);
  const double sample_rank = end * static_cast<double>(sampled_) / static_cast<double>(this->group_size());
  high_ = sample_rank < static_cast<double>(sampled_) ? edge_at(sample_rank) : kLargest;
  // A sample that misled: all that is left then, of which as much as fits.
  if (high_.key < low_.key || (high_.key == low_.key && high_.tie < low_.tie)) high_ = kLargest;
}

/// Ties are uniform: how far a rank lies in a run of equal keys tells its tie.
template <typename W>
typename DellaThresholds<W>::Edge DellaThresholds<W>::edge_at(double sample_rank) const {
  const Key key = sample_[static_cast<int64_t>(sample_rank)];
  const auto [begin, end] = std::equal_range(sample_, sample_ + sampled_, key);
  const double share = (sample_rank - static_cast<double>(begin - sample_)) / static_cast<double>(end - begin);
  return {key, static_cast<uint64_t>(std::clamp(share, 0.0, 0x1.fffffp-1) * 0x1p64)};
}

template <typename W>
typename DellaThresholds<W>::Edge DellaThresholds<W>::edge_among_kept(int64_t rank) {
  Edge edge = low_;
  ranking_.run(
      keys_, capacity_, [ties = ties_](uint32_t element) { return ties[element]; },
      [&](uint32_t element, int64_t place) {
        if (place == rank) edge = {keys_[element], ties_[element]};
      });
  return edge;
}

template class DellaThresholds<float>;
template class DellaThresholds<double>;

}  // namespace theta
