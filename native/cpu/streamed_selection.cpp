#include "streamed_selection.h"

#include <algorithm>
#include <cmath>

#include "key_search.h"

namespace theta {

namespace {
constexpr int kDigitBits = 16;
constexpr int64_t kDigits = int64_t{1} << kDigitBits;

/// More would be more exact than is of use: bisecting the sample would take longer than the candidates that it saves.
constexpr int64_t kMostSampled = int64_t{1} << 18;
/// Standard deviations that a guess leaves room for on both sides; elements of a run are not independent, so that half
/// of this is what remains. With less than the second there are too many misses: not worth a pass.
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
    searches_[i].histogram = memory.take<int64_t>(kDigits);
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
void StreamedSelection<W>::guess(Search& search) {
  const auto size = static_cast<double>(this->group_size()), sample = static_cast<double>(sampled_);
  const double share = (static_cast<double>(search.wanted.rank) + 0.5) / size;
  const double deviation = std::sqrt(sample * share * (1 - share)) + 1;
  const double room = 0.4 * static_cast<double>(capacity_) * sample / size;
  const double margin = std::min(kMargin * deviation, room);
  search.above = 0;
  search.kept = 0;
  search.first = {FormatOf<W>::kMagnitude, ~uint64_t{0}};
  search.last = {0, 0};
  if (margin < kLeastMargin * deviation) {
    count_by(search, Mode::count_keys, kKeyBits<W> - kDigitBits);
    return;
  }
  search.mode = Mode::keep;
  const double middle = share * sample;
  if (middle - margin > 0) search.first = edge_at(middle - margin);
  if (middle + margin < sample) search.last = edge_at(middle + margin);
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
  if (found == 0) return;
  if (search.mode == Mode::count_keys) {
    for (int64_t i = 0; i < found; ++i) ++search.histogram[(found_.keys[i] - search.last.key) >> search.shift];
    return;
  }
  kernels_.tie_keys(found_.positions, found, static_cast<uint64_t>(index) + this->rule_.tie, found_.ties);
  if (search.mode == Mode::count_ties) {
    for (int64_t i = 0; i < found; ++i) {
      const uint64_t tie = found_.ties[i];
      search.above += tie > search.first.tie;
      if (tie >= search.last.tie && tie <= search.first.tie)
        ++search.histogram[(tie - search.last.tie) >> search.shift];
    }
    return;
  }
  keep(search, found);
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
    search.first = {FormatOf<W>::kMagnitude, ~uint64_t{0}};
    search.last = {0, 0};
    count_by(search, Mode::count_keys, kKeyBits<W> - kDigitBits);
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

/// The next pass counts this digit of the candidates.
template <typename W>
void StreamedSelection<W>::count_by(Search& search, Mode mode, int shift) {
  search.mode = mode;
  search.shift = shift;
  search.above = 0;
  std::fill(search.histogram, search.histogram + kDigits, 0);
}

/// Leaves the candidates with one digit.
template <typename W>
void StreamedSelection<W>::narrow(Search& search) {
  int64_t rank = search.wanted.rank - search.above;
  int64_t digit = kDigits - 1;
  for (; digit > 0 && search.histogram[digit] <= rank; --digit) rank -= search.histogram[digit];
  const int64_t candidates = search.histogram[digit];
  if (search.mode == Mode::count_keys) {
    search.last.key = static_cast<Key>(search.last.key + (static_cast<Key>(digit) << search.shift));
    search.first.key = static_cast<Key>(search.last.key + ((Key{1} << search.shift) - 1));
  } else {
    search.last.tie = search.last.tie + (static_cast<uint64_t>(digit) << search.shift);
    search.first.tie = search.last.tie + ((uint64_t{1} << search.shift) - 1);
  }
  if (candidates <= capacity_) {
    search.mode = Mode::keep;
    search.above = 0;
    search.kept = 0;
  } else if (search.last.key != search.first.key) {
    count_by(search, Mode::count_keys, std::max(0, search.shift - kDigitBits));
  } else {
    const bool first_of_ties = search.mode == Mode::count_keys;
    count_by(search, Mode::count_ties, first_of_ties ? 64 - kDigitBits : std::max(0, search.shift - kDigitBits));
  }
}

template class StreamedSelection<float>;
template class StreamedSelection<double>;

}  // namespace theta
