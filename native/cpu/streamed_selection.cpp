#include "streamed_selection.h"

#include <algorithm>

namespace theta {

namespace {
constexpr int kDigitBits = 16;
constexpr int64_t kDigits = int64_t{1} << kDigitBits;
constexpr int kTieShift = 64 - kDigitBits;

/// The digit that holds the element at `rank`; `rank` becomes the rank in it.
int64_t digit_at(const int64_t* histogram, int64_t& rank, int64_t& in_digit) {
  for (int64_t digit = kDigits - 1; digit > 0; --digit) {
    in_digit = histogram[2 * digit] + histogram[2 * digit + 1];
    if (in_digit > rank) return digit;
    rank -= in_digit;
  }
  in_digit = histogram[0] + histogram[1];
  return 0;
}
}  // namespace

template <typename W>
StreamedSelection<W>::StreamedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept, int64_t capacity,
                                        const KernelTable& kernels, const FoundElements<W>& found, Carver& memory)
    : MaskStatistic<W>(rule, group_size, groups_kept, memory), kernels_(kernels), found_(found), capacity_(capacity) {
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    searches_[i].histogram = memory.take<int64_t>(2 * kDigits);
    searches_[i].keys = memory.take<Key>(capacity);
    searches_[i].ties = memory.take<uint64_t>(capacity);
  }
}

template <typename W>
void StreamedSelection<W>::begin(int64_t first) {
  this->start_group(first);
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    Search& search = searches_[i];
    search.wanted = this->wanted_[i];
    search.mode = Mode::count_first_digit;
    search.rank = search.wanted.rank;
    search.candidates = this->group_size();
    search.low = 0;
    search.high = FormatOf<W>::kMagnitude;
    search.tie_low = 0;
    search.tie_high = ~uint64_t{0};
    search.shift = kKeyBits<W> - kDigitBits;
    std::fill(search.histogram, search.histogram + 2 * kDigits, 0);
  }
}

template <typename W>
void StreamedSelection<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  const W* x = block.value(this->rule_.of) + offset;
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    Search& search = searches_[i];
    if (search.mode == Mode::count_first_digit) {
      // Both cuts count the same.
      if (i == 0) kernels_of<W>(kernels_).histogram(x, count, search.shift, search.histogram);
    } else if (search.mode != Mode::found) {
      gather_candidates(search, x, count, block.begin + offset);
    }
  }
}

template <typename W>
void StreamedSelection<W>::gather_candidates(Search& search, const W* x, int64_t count, int64_t index) {
  const int64_t found =
      kernels_of<W>(kernels_).collect(x, count, search.low, search.high, found_.keys, found_.positions);
  if (found == 0) return;
  if (search.mode == Mode::count_digit) {
    for (int64_t i = 0; i < found; ++i)
      ++search.histogram[2 * static_cast<int64_t>((found_.keys[i] - search.low) >> search.shift)];
    return;
  }
  kernels_.tie_keys(found_.positions, found, static_cast<uint64_t>(index) + this->rule_.tie, found_.ties);
  if (search.mode == Mode::count_ties) {
    for (int64_t i = 0; i < found; ++i) ++search.histogram[2 * static_cast<int64_t>(found_.ties[i] >> kTieShift)];
    return;
  }
  keep_candidates(search, found);
}

template <typename W>
void StreamedSelection<W>::keep_candidates(Search& search, int64_t count) {
  const bool window = search.mode == Mode::keep_window;
  const uint64_t low = window ? search.window_low : search.tie_low;
  const uint64_t high = window ? search.window_high : search.tie_high;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t tie = found_.ties[i];
    search.above += tie > high;
    if (tie < low || tie > high) continue;
    if (search.kept < capacity_) {
      search.keys[search.kept] = found_.keys[i];
      search.ties[search.kept] = tie;
    }
    ++search.kept;
  }
}

template <typename W>
bool StreamedSelection<W>::end_pass() {
  bool all_found = true;
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    Search& search = searches_[i];
    switch (search.mode) {
      case Mode::count_first_digit:
        narrow_key(search, searches_[0].histogram);
        break;
      case Mode::count_digit:
        narrow_key(search, search.histogram);
        break;
      case Mode::count_ties:
        narrow_tie(search);
        break;
      case Mode::keep:
        finish(search);
        break;
      case Mode::keep_window:
        finish_window(search);
        break;
      case Mode::found:
        break;
    }
    all_found = all_found && search.mode == Mode::found;
  }
  if (all_found) return true;
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    const bool counts = searches_[i].mode == Mode::count_digit || searches_[i].mode == Mode::count_ties;
    if (counts) std::fill(searches_[i].histogram, searches_[i].histogram + 2 * kDigits, 0);
  }
  return false;
}

template <typename W>
void StreamedSelection<W>::narrow_key(Search& search, const int64_t* histogram) {
  const int64_t digit = digit_at(histogram, search.rank, search.candidates);
  search.low = static_cast<Key>(search.low + (static_cast<Key>(digit) << search.shift));
  search.high = static_cast<Key>(search.low + ((Key{1} << search.shift) - 1));
  choose(search, true);
}

template <typename W>
void StreamedSelection<W>::narrow_tie(Search& search) {
  const uint64_t digit = static_cast<uint64_t>(digit_at(search.histogram, search.rank, search.candidates));
  search.tie_low = digit << kTieShift;
  search.tie_high = search.tie_low + ((uint64_t{1} << kTieShift) - 1);
  choose(search, false);
}

/// What the next pass does for a cut, from the candidates that are left.
template <typename W>
void StreamedSelection<W>::choose(Search& search, bool may_guess) {
  search.kept = 0;
  search.above = 0;
  if (may_guess && search.rank + 1 == search.candidates) {
    // The cut lies below all of them, whatever their ties.
    this->found(search.wanted, {search.low, 0});
    search.mode = Mode::found;
  } else if (search.candidates <= capacity_) {
    search.mode = Mode::keep;
  } else if (search.low != search.high) {
    search.mode = Mode::count_digit;
    search.shift = std::max(0, search.shift - kDigitBits);
  } else if (may_guess) {
    search.mode = Mode::keep_window;
    const double size = static_cast<double>(search.candidates);
    const double share = 1 - (static_cast<double>(search.rank) + 0.5) / size;
    const double width = static_cast<double>(capacity_) / 4 / size;
    search.window_low = static_cast<uint64_t>(std::clamp(share - width, 0.0, 0x1.fffffp-1) * 0x1p64);
    search.window_high = share + width >= 1 ? ~uint64_t{0} : static_cast<uint64_t>((share + width) * 0x1p64);
  } else {
    search.mode = Mode::count_ties;
  }
}

/// All candidates are kept.
template <typename W>
void StreamedSelection<W>::finish(Search& search) {
  Key* keys = search.keys;
  Key key = search.low;
  int64_t rank = search.rank;
  if (search.low != search.high) key = key_at(search, rank);
  int64_t tied = 0;
  for (int64_t i = 0; i < search.kept; ++i) {
    search.ties[tied] = search.ties[i];
    tied += keys[i] == key;
  }
  const bool all = rank + 1 == tied && search.tie_low == 0;
  this->found(search.wanted, {key, all ? 0 : tie_at(search.ties, tied, rank)});
  search.mode = Mode::found;
}

/// The key at `rank` of those kept, which stay in place; `rank` becomes the rank among its ties.
template <typename W>
Bits<W> StreamedSelection<W>::key_at(Search& search, int64_t& rank) {
  Key low = search.low, high = search.high;
  for (int shift = search.shift; low != high;) {
    shift = std::max(0, shift - kDigitBits);
    std::fill(search.histogram, search.histogram + 2 * kDigits, 0);
    for (int64_t i = 0; i < search.kept; ++i) {
      const Key key = search.keys[i];
      if (key >= low && key <= high) ++search.histogram[2 * static_cast<int64_t>((key - low) >> shift)];
    }
    int64_t in_digit = 0;
    low = static_cast<Key>(low + (static_cast<Key>(digit_at(search.histogram, rank, in_digit)) << shift));
    high = static_cast<Key>(low + ((Key{1} << shift) - 1));
  }
  return low;
}

template <typename W>
void StreamedSelection<W>::finish_window(Search& search) {
  const int64_t rank = search.rank - search.above;
  if (search.kept > capacity_ || rank < 0 || rank >= search.kept) {
    search.mode = Mode::count_ties;
    return;
  }
  this->found(search.wanted, {search.low, tie_at(search.ties, search.kept, rank)});
  search.mode = Mode::found;
}

template class StreamedSelection<float>;
template class StreamedSelection<double>;

}  // namespace theta
