#include "cached_selection.h"

#include <algorithm>
#include <bit>

#include "key_search.h"

namespace theta {

namespace {
/// Above every head.
constexpr int kHeads = 1 << 15;
/// Bits of a key below its head.
template <typename W>
constexpr int kTailBits = 8 * sizeof(W) - 16;
}  // namespace

template <typename W>
CachedSelection<W>::CachedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept,
                                    const KernelTable& kernels, const FoundElements<W>& found, Carver& memory)
    : MaskStatistic<W>(rule, group_size, groups_kept, memory),
      kernels_(kernels),
      found_(found),
      keys_(memory.take<Key>(group_size)),
      heads_(memory.take<uint16_t>(group_size)),
      kept_(memory.take<uint64_t>(Marks::words(group_size))),
      before_(memory.take<uint64_t>(Marks::words(group_size))),
      members_(memory.take<uint64_t>(Marks::words(group_size))),
      marks_(group_size * groups_kept, memory) {}

template <typename W>
void CachedSelection<W>::begin(int64_t first) {
  this->start_group(first);
  marks_.start_at(this->origin());
  count_ = 0;
}

template <typename W>
void CachedSelection<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  const W* x = block.value(this->rule_.of) + offset;
  kernels_of<W>(kernels_).keys_and_heads(x, keys_ + count_, heads_ + count_, count);
  count_ += count;
}

template <typename W>
bool CachedSelection<W>::end_pass() {
  const int64_t words = Marks::words(count_);
  std::fill_n(kept_, words, ~uint64_t{0});
  for (size_t i = 0; i < this->wanted_.size(); ++i) {
    const CutWanted& wanted = this->wanted_[i];
    int64_t rank = wanted.rank;
    if (this->rule_.of_nonzero > 0) {
      rank = count_of(kernels_of<W>(kernels_).count_from(keys_, count_, 1), this->rule_.of_nonzero) - 1;
    }
    if (rank < 0) {
      this->found(wanted, Cut<Key>::nothing());
      std::fill_n(kept_, words, 0);
      continue;
    }
    this->found(wanted, find(rank, guesses_[i]));
    const uint64_t outer = wanted.outer ? 0 : ~uint64_t{0};
    for (int64_t word = 0; word < words; ++word) kept_[word] &= before_[word] ^ outer;
  }
  marks_.put(this->first(), kept_, count_);
  return true;
}

/// Leaves marks of what lies before the cut in `before_`.
template <typename W>
Cut<Bits<W>> CachedSelection<W>::find(int64_t rank, uint16_t& guess) {
  const auto [head, above] = head_at(rank, guess);
  guess = head;
  const int64_t members = find_members(head);
  for (int64_t i = 0; i < members; ++i) found_.keys[i] = keys_[found_.positions[i]];
  const Key lowest = static_cast<Key>(Key{head} << kTailBits<W>);
  const Key highest = static_cast<Key>(lowest | ((Key{1} << kTailBits<W>)-1));
  const auto [key, members_above] =
      key_at(kernels_of<W>(kernels_), found_.keys, members, lowest, highest, rank - above);
  const auto mark = [this](uint32_t position, bool before) {
    before_[position / 64] |= uint64_t{before} << (position % 64);
  };
  int64_t tied = 0;
  for (int64_t i = 0; i < members; ++i) {
    const uint32_t position = found_.positions[i];
    mark(position, found_.keys[i] > key);
    found_.positions[tied] = position;
    tied += found_.keys[i] == key;
  }
  uint64_t tie = 0;
  const int64_t tied_rank = rank - above - members_above;
  if (tied_rank + 1 < tied) {
    const auto make_ties = [&] {
      kernels_.tie_keys(found_.positions, tied, static_cast<uint64_t>(this->first()) + this->rule_.tie, found_.ties);
    };
    make_ties();
    tie = tie_at(found_.ties, tied, tied_rank);
    // In the order of positions once more.
    make_ties();
    for (int64_t i = 0; i < tied; ++i) mark(found_.positions[i], found_.ties[i] >= tie);
  } else {
    for (int64_t i = 0; i < tied; ++i) mark(found_.positions[i], true);
  }
  return {key, tie};
}

/// In steps that double until one passes the key, then by halves.
template <typename W>
typename CachedSelection<W>::RankedHead CachedSelection<W>::head_at(int64_t rank, uint16_t guess) const {
  int low = 0, high = kHeads, at = std::max<int>(guess, 1);
  int64_t above = 0;
  bool is_bounded_below = false, is_bounded_above = false;
  for (int step = 1; high - low > 1; step *= 2) {
    const int64_t from = kernels_.count_heads_from(heads_, count_, static_cast<uint16_t>(at));
    if (from > rank) {
      low = at;
      is_bounded_below = true;
    } else {
      high = at;
      above = from;
      is_bounded_above = true;
    }
    if (is_bounded_below && is_bounded_above) {
      at = low + (high - low) / 2;
    } else {
      at = is_bounded_below ? std::min(low + step, high - 1) : std::max(high - step, low + 1);
    }
  }
  return {static_cast<uint16_t>(low), above};
}

/// Positions of the keys with this head; those with a higher one are left in `before_`.
template <typename W>
int64_t CachedSelection<W>::find_members(uint16_t head) {
  kernels_.mark_heads_from(heads_, count_, static_cast<uint16_t>(head + 1), before_);
  kernels_.mark_heads_from(heads_, count_, head, members_);
  int64_t members = 0;
  for (int64_t word = 0; word < Marks::words(count_); ++word) {
    const int64_t here = count_ - 64 * word;
    const uint64_t there = here < 64 ? (uint64_t{1} << here) - 1 : ~uint64_t{0};
    for (uint64_t rest = members_[word] & ~before_[word] & there; rest; rest &= rest - 1) {
      found_.positions[members++] = static_cast<uint32_t>(64 * word + std::countr_zero(rest));
    }
  }
  return members;
}

template class CachedSelection<float>;
template class CachedSelection<double>;

}  // namespace theta
