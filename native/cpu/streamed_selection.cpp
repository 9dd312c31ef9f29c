#include "streamed_selection.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "key_search.h"

namespace theta {

namespace {
/// Counters of a search: candidates with the last key by their ties, those between by their keys, those with the first
/// key by their ties. In canonical order, from the last to the first.
constexpr int kTieBits = 14, kKeyBitsCounted = 15;
constexpr int64_t kTieSlots = int64_t{1} << kTieBits, kKeySlots = int64_t{1} << kKeyBitsCounted;
constexpr int64_t kFirstSlot = kTieSlots + kKeySlots, kSlots = kFirstSlot + kTieSlots;

/// So that `width` and all below has `bits` bits at most when shifted.
int shift_of(uint64_t width, int bits) { return std::max(0, static_cast<int>(std::bit_width(width)) - bits); }

/// More would be more exact than is of use: bisecting the sample would take longer than the candidates that it saves.
constexpr int64_t kMostSampled = int64_t{1} << 18;
/// Standard deviations that a guess leaves room for on both sides; elements of a run are not independent, so that half
/// of this is what remains. With less than the second there are too many misses: what lies between is counted first.
constexpr double kMargin = 6, kLeastMargin = 2.5;

int64_t sample_size(int64_t group_size, int64_t capacity) {
  return std::max(std::min({group_size, capacity, kMostSampled}), 3 * SampleRuns::kRun);
}
}  // namespace

template <typename W>
StreamedSelection<W>::StreamedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept, int64_t capacity,
                                        const KernelTable& kernels, const FoundElements<W>& found, Carver& memory)
    : MaskStatistic<W>(rule, group_size, groups_kept, memory),
      kernels_(kernels),
      found_(found),
      capacity_(capacity),
      runs_(SampleRuns::of_at_most(sample_size(group_size, capacity), group_size)),
      sample_(memory.take<Key>(sample_size(group_size, capacity))) {
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    searches_[i].keys = memory.take<Key>(capacity + 1);
    searches_[i].ties = memory.take<uint64_t>(capacity + 1);
    searches_[i].counters = memory.take<int64_t>(kSlots);
  }
}

template <typename W>
void StreamedSelection<W>::begin(int64_t first) {
  this->start_group(first);
  sampling_ = true;
  sampled_ = 0;
  for (size_t i = 0; i < this->wanted_.size(); ++i) searches_[i].wanted = this->wanted_[i];
}

template <typename W>
void StreamedSelection<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  if (sampling_) {
    take_sample(block, offset, count);
    return;
  }
  const W* x = block.value(this->rule_.of) + offset;
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    if (searches_[i].mode != Mode::found) gather_candidates(searches_[i], x, count, block.begin + offset);
  }
}

template <typename W>
void StreamedSelection<W>::take_sample(const Block<W>& block, int64_t offset, int64_t count) {
  const int64_t begin = block.begin + offset;
  runs_.for_each(begin, begin + count, [&](int64_t from, int64_t to) {
    kernels_of<W>(kernels_).keys(block.value(this->rule_.of) + (from - block.begin), sample_ + sampled_, to - from);
    sampled_ += to - from;
  });
}

template <typename W>
bool StreamedSelection<W>::end_pass() {
  const bool sampled = sampling_;
  sampling_ = false;
  bool all_found = true;
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    Search& search = searches_[i];
    if (sampled) {
      guess(search);
    } else if (search.mode == Mode::keep) {
      finish(search);
    } else if (search.mode != Mode::found) {
      narrow(search);
    }
    all_found = all_found && search.mode == Mode::found;
  }
  return all_found;
}

/// Between which elements the cut should lie, going by the sample.
template <typename W>
void StreamedSelection<W>::guess(Search& search) const {
  const auto size = static_cast<double>(this->group_size()), sample = static_cast<double>(sampled_);
  const double share = (static_cast<double>(search.wanted.rank) + 0.5) / size;
  const double deviation = std::sqrt(sample * share * (1 - share)) + 1;
  const double room = 0.4 * static_cast<double>(capacity_) * sample / size;
  const bool fits = room >= kLeastMargin * deviation;
  const double margin = fits ? std::min(kMargin * deviation, room) : kMargin * deviation;
  const double middle = share * sample;
  search.first = middle - margin > 0 ? edge_at(middle - margin) : kFirst;
  search.last = middle + margin < sample ? edge_at(middle + margin) : kLast;
  if (fits) {
    start_keeping(search);
  } else {
    start_counting(search);
  }
}

/// Ties are uniform: how far a rank lies in a run of equal keys tells its tie.
template <typename W>
typename StreamedSelection<W>::Edge StreamedSelection<W>::edge_at(double sample_rank) const {
  const WorkKernels<W>& kernels = kernels_of<W>(kernels_);
  const auto [key, above] =
      key_at<W>(kernels, sample_, sampled_, 0, FormatOf<W>::kNan, static_cast<int64_t>(sample_rank));
  const int64_t tied = kernels.count_from(sample_, sampled_, key) - above;
  const double share = 1 - (sample_rank - static_cast<double>(above)) / static_cast<double>(tied);
  return {key, static_cast<uint64_t>(std::clamp(share, 0.0, 0x1.fffffp-1) * 0x1p64)};
}

template <typename W>
void StreamedSelection<W>::gather_candidates(Search& search, const W* x, int64_t count, int64_t index) {
  const int64_t found = kernels_of<W>(kernels_).collect(x, count, search.last.key, search.first.key, found_.keys,
                                                        found_.positions, search.above);
  kernels_.tie_keys(found_.positions, found, static_cast<uint64_t>(index) + this->rule_.tie, found_.ties);
  if (search.mode == Mode::keep) {
    keep(search, found);
  } else {
    count_parts(search, found);
  }
}

template <typename W>
void StreamedSelection<W>::count_parts(Search& search, int64_t found) {
  const auto [first, last] = std::pair(search.first, search.last);
  for (int64_t i = 0; i < found; ++i) {
    const Key key = found_.keys[i];
    const uint64_t tie = found_.ties[i];
    if (key == first.key && tie > first.tie) {
      ++search.above;
    } else if (key == last.key) {
      if (tie >= last.tie) ++search.counters[(tie - last.tie) >> search.last_shift];
    } else if (key == first.key) {
      ++search.counters[kFirstSlot + static_cast<int64_t>(tie >> search.first_shift)];
    } else {
      ++search.counters[kTieSlots + static_cast<int64_t>((key - last.key - 1) >> search.key_shift)];
    }
  }
}

template <typename W>
void StreamedSelection<W>::keep(Search& search, int64_t found) {
  const auto [first, last] = std::pair(search.first, search.last);
  // No choice depends on an element: one that is not kept is overwritten by the next, or lies behind the last.
  int64_t kept = search.kept, above = 0;
  for (int64_t i = 0; i < found; ++i) {
    const Key key = found_.keys[i];
    const uint64_t tie = found_.ties[i];
    const bool before = (key == first.key) & (tie > first.tie), behind = (key == last.key) & (tie < last.tie);
    const int64_t at = std::min(kept, capacity_);
    search.keys[at] = key;
    search.ties[at] = tie;
    above += before;
    kept += !(before | behind);
  }
  search.kept = kept;
  search.above += above;
}

/// What is kept holds the cut, unless the sample misled.
template <typename W>
void StreamedSelection<W>::finish(Search& search) {
  const int64_t rank = search.wanted.rank - search.above;
  if (search.kept > capacity_ || rank < 0 || rank >= search.kept) {
    start_over(search);
    return;
  }
  const auto [key, above] =
      key_at(kernels_of<W>(kernels_), search.keys, search.kept, search.last.key, search.first.key, rank);
  int64_t tied = 0;
  for (int64_t i = 0; i < search.kept; ++i) {
    search.ties[tied] = search.ties[i];
    tied += search.keys[i] == key;
  }
  const bool keeps_all = rank - above + 1 == tied && (key != search.last.key || search.last.tie == 0);
  this->found(search.wanted, {key, keeps_all ? 0 : tie_at(search.ties, tied, rank - above)});
  search.mode = Mode::found;
}

template <typename W>
void StreamedSelection<W>::start_keeping(Search& search) const {
  search.mode = Mode::keep;
  search.above = 0;
  search.kept = 0;
}

template <typename W>
void StreamedSelection<W>::start_counting(Search& search) const {
  const bool one_key = search.first.key == search.last.key;
  search.mode = Mode::count;
  search.above = 0;
  search.last_shift = shift_of((one_key ? search.first.tie : kFirst.tie) - search.last.tie, kTieBits);
  search.first_shift = shift_of(search.first.tie, kTieBits);
  search.key_shift = shift_of(search.first.key - search.last.key, kKeyBitsCounted);
  std::fill(search.counters, search.counters + kSlots, 0);
}

template <typename W>
void StreamedSelection<W>::start_over(Search& search) const {
  search.first = kFirst;
  search.last = kLast;
  start_counting(search);
}

/// Leaves the candidates that one counter has counted.
template <typename W>
void StreamedSelection<W>::narrow(Search& search) const {
  int64_t rank = search.wanted.rank - search.above;
  int64_t slot = kSlots - 1;
  for (; slot > 0 && search.counters[slot] <= rank; --slot) rank -= search.counters[slot];
  const int64_t candidates = search.counters[slot];
  if (rank < 0 || rank >= candidates) {
    start_over(search);
    return;
  }
  const auto lowest = [](int64_t counter, int shift) { return static_cast<uint64_t>(counter) << shift; };
  const auto width = [](int shift) { return (uint64_t{1} << shift) - 1; };
  auto [first, last] = std::pair(search.first, search.last);
  if (slot < kTieSlots) {
    const uint64_t highest = first.key == last.key ? first.tie : kFirst.tie;
    const uint64_t low = last.tie + lowest(slot, search.last_shift);
    search.first = {last.key, low + std::min(width(search.last_shift), highest - low)};
    search.last = {last.key, low};
  } else if (slot < kFirstSlot) {
    const uint64_t low = last.key + 1 + lowest(slot - kTieSlots, search.key_shift);
    const uint64_t high = std::min<uint64_t>(low + width(search.key_shift), first.key - 1);
    search.first = {static_cast<Key>(high), kFirst.tie};
    search.last = {static_cast<Key>(low), kLast.tie};
  } else {
    const uint64_t low = lowest(slot - kFirstSlot, search.first_shift);
    search.first.tie = low + std::min(width(search.first_shift), first.tie - low);
    search.last = {first.key, low};
  }
  if (candidates <= capacity_) {
    start_keeping(search);
  } else {
    start_counting(search);
  }
}

template class StreamedSelection<float>;
template class StreamedSelection<double>;

}  // namespace theta
