#include "cached_selection.h"

#include <algorithm>
#include <functional>

namespace theta {

namespace {
constexpr int kDigitBits = 11;
constexpr int64_t kDigits = int64_t{1} << kDigitBits;
/// Fewer candidates than this are sorted out by comparing.
constexpr int64_t kFew = 192;
template <typename W>
constexpr int kShift = kKeyBits<W> - kDigitBits;
}  // namespace

template <typename W>
CachedSelection<W>::CachedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept,
                                    const KernelTable& kernels, const FoundElements<W>& found, Carver& memory)
    : MaskStatistic<W>(rule, group_size, groups_kept, memory),
      kernels_(kernels),
      found_(found),
      keys_(memory.take<Key>(group_size)),
      histogram_(memory.take<uint32_t>(2 * kDigits)) {}

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
  const Range all{0, FormatOf<W>::kNan, 0};
  if (count_ <= kFew) {
    for (const CutWanted& wanted : this->wanted_) this->found(wanted, find(all, wanted.rank));
    return true;
  }
  std::fill(histogram_, histogram_ + 2 * kDigits, 0);
  kernels_of<W>(kernels_).histogram_keys(keys_, count_, 0, kShift<W>, histogram_);
  for (const CutWanted& wanted : this->wanted_) {
    this->found(wanted, find(digit_at(wanted.rank), wanted.rank));
  }
  return true;
}

/// The digit that holds the key at `rank`.
template <typename W>
typename CachedSelection<W>::Range CachedSelection<W>::digit_at(int64_t rank) const {
  Range range{0, 0, 0};
  for (int64_t digit = kDigits - 1; digit >= 0; --digit) {
    const int64_t here = int64_t{histogram_[2 * digit]} + histogram_[2 * digit + 1];
    if (range.before + here > rank) {
      range.low = static_cast<Key>(digit) << kShift<W>;
      range.high = static_cast<Key>(range.low + ((Key{1} << kShift<W>)-1));
      return range;
    }
    range.before += here;
  }
  return range;
}

template <typename W>
Cut<Bits<W>> CachedSelection<W>::find(const Range& range, int64_t rank) {
  const WorkKernels<W>& kernels = kernels_of<W>(kernels_);
  // A key read as a number has itself for a key.
  const W* numbers = reinterpret_cast<const W*>(keys_);
  int64_t count = kernels.collect(numbers, count_, range.low, range.high, found_.keys, found_.positions);
  const int64_t in_range = rank - range.before;
  std::nth_element(found_.keys, found_.keys + in_range, found_.keys + count, std::greater<>());
  const Key key = found_.keys[in_range];
  const int64_t above = std::count_if(found_.keys, found_.keys + in_range, [key](Key other) { return other > key; });
  count = kernels.collect(numbers, count_, key, key, found_.keys, found_.positions);
  const int64_t tied_rank = in_range - above;
  if (tied_rank + 1 == count) return {key, 0};
  kernels_.tie_keys(found_.positions, count, static_cast<uint64_t>(this->first()) + this->rule_.tie, found_.ties);
  return {key, tie_at(found_.ties, count, tied_rank)};
}

template class CachedSelection<float>;
template class CachedSelection<double>;

}  // namespace theta
