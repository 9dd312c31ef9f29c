#include "cached_selection.h"

#include <algorithm>

#include "key_search.h"

namespace theta {

namespace {
/// An eighth of an octave to both sides of the guess: neighbouring groups are cut at nearly the same key, and a few
/// percent of a group's keys lie in there.
template <typename W>
constexpr Bits<W> kReach = Bits<W>{1} << (FormatOf<W>::kFractionBits - 3);
/// A range that was searched for holds at most this share of the group, or this many keys.
constexpr int64_t kShare = 16, kFew = 64;
}  // namespace

template <typename W>
CachedSelection<W>::CachedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept,
                                    const KernelTable& kernels, const FoundElements<W>& found, Carver& memory)
    : MaskStatistic<W>(rule, group_size, groups_kept, memory),
      kernels_(kernels),
      found_(found),
      keys_(memory.take<Key>(group_size)) {}

template <typename W>
void CachedSelection<W>::begin(int64_t first) {
  this->start_group(first);
  count_ = 0;
}

template <typename W>
void CachedSelection<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  kernels_of<W>(kernels_).keys(block.value(this->rule_.of) + offset, keys_ + count_, count);
  count_ += count;
}

template <typename W>
bool CachedSelection<W>::end_pass() {
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    int64_t rank = this->wanted_[i].rank;
    if (this->rule_.of_nonzero > 0) {
      rank = count_of(kernels_of<W>(kernels_).count_from(keys_, count_, 1), this->rule_.of_nonzero) - 1;
    }
    const Cut<Key> cut = rank < 0 ? Cut<Key>::nothing() : find(rank, guesses_[i]);
    this->found(this->wanted_[i], cut);
    if (rank >= 0) guesses_[i] = cut.key;
  }
  return true;
}

template <typename W>
Cut<Bits<W>> CachedSelection<W>::find(int64_t rank, Key guess) {
  const Key low = guess > kReach<W> ? static_cast<Key>(guess - kReach<W>) : 0;
  Range range = collect(low, std::min(static_cast<Key>(guess + kReach<W>), FormatOf<W>::kNan));
  if (rank < range.above || rank >= range.from) {
    range = search(range, rank);
    range = collect(range.low, range.high);
  }
  const auto [key, above] =
      key_at(kernels_of<W>(kernels_), found_.keys, range.from - range.above, range.low, range.high, rank - range.above);
  int64_t tied = 0;
  for (int64_t i = 0; i < range.from - range.above; ++i) {
    found_.positions[tied] = found_.positions[i];
    tied += found_.keys[i] == key;
  }
  const int64_t tied_rank = rank - range.above - above;
  if (tied_rank + 1 == tied) return {key, 0};
  kernels_.tie_keys(found_.positions, tied, static_cast<uint64_t>(this->first()) + this->rule_.tie, found_.ties);
  return {key, tie_at(found_.ties, tied, tied_rank)};
}

/// Brings the keys of the range together.
template <typename W>
typename CachedSelection<W>::Range CachedSelection<W>::collect(Key low, Key high) {
  Range range{low, high, 0, 0};
  // A key read as a number has itself for a key.
  const int64_t found = kernels_of<W>(kernels_).collect(reinterpret_cast<const W*>(keys_), count_, low, high,
                                                        found_.keys, found_.positions, range.above);
  range.from = range.above + found;
  return range;
}

/// A small range with the key at `rank`, from one that lies above or below it: in steps that double until one passes
/// the key, then by halves.
template <typename W>
typename CachedSelection<W>::Range CachedSelection<W>::search(const Range& missed, int64_t rank) const {
  const bool up = rank < missed.above;
  Range range = up ? Range{static_cast<Key>(missed.high + 1), FormatOf<W>::kNan, 0, missed.above}
                   : Range{0, static_cast<Key>(missed.low - 1), missed.from, count_};
  bool passed = false;
  for (Key step = kReach<W>; range.from - range.above > std::max(kFew, count_ / kShare) && range.low < range.high;) {
    const auto width = static_cast<Key>(range.high - range.low);
    const Key stride = std::min(step, width);
    Key from_low = width / 2 + 1;
    if (!passed) from_low = up ? stride : static_cast<Key>(width - stride + 1);
    const auto bound = static_cast<Key>(range.low + from_low);
    const int64_t from = kernels_of<W>(kernels_).count_from(keys_, count_, bound);
    if (from > rank) {
      range.low = bound;
      range.from = from;
      passed = passed || !up;
    } else {
      range.high = static_cast<Key>(bound - 1);
      range.above = from;
      passed = passed || up;
    }
    step = static_cast<Key>(step * 2);
  }
  return range;
}

template class CachedSelection<float>;
template class CachedSelection<double>;

}  // namespace theta
