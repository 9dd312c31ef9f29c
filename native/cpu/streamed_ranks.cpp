#include "streamed_ranks.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "block.h"
#include "facts.h"

namespace theta {

namespace {
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

/// Groups of at most this many elements are kept whole, if there is room.
constexpr int64_t kWholeGroup = int64_t{1} << 16;
}  // namespace

template <typename K>
StreamedRanks<K>::StreamedRanks(const std::vector<Rank>& wanted, int64_t group_size, int64_t capacity, uint64_t tie,
                                const RankOrder<K>& order, const KernelTable& kernels, const FoundElements<K>& found,
                                Carver& memory, std::span<Marks> before)
    : kernels_(kernels),
      found_(found),
      order_(order),
      group_size_(group_size),
      capacity_(capacity),
      tie_(tie),
      runs_(SampleRuns::of_at_most(sample_size(group_size, capacity), group_size)),
      sample_(memory.take<Key>(sample_size(group_size, capacity))) {
  for (const Rank& rank : wanted) {
    Search search{};
    search.wanted = rank;
    search.keys = memory.take<Key>(std::max(capacity + kBlock, sample_size(group_size, capacity)));
    search.ties = memory.take<uint64_t>(capacity + kBlock);
    search.counters = memory.take<int64_t>(Counters::kSlots);
    search.before = before.empty() ? nullptr : &before[searches_.size()];
    searches_.push_back(search);
  }
}

template <typename K>
void StreamedRanks<K>::begin() {
  sampling_ = group_size_ > std::min(capacity_, kWholeGroup);
  sampled_ = 0;
  zeros_ = 0;
  counts_zeros_ = std::ranges::any_of(searches_, [](const Search& search) { return search.wanted.of_nonzero > 0; });
  for (Search& search : searches_) {
    search.rank = search.wanted.at;
    search.first = first_edge();
    search.last = last_edge();
    if (!sampling_) start_keeping(search);
  }
}

template <typename K>
void StreamedRanks<K>::gather(const K* x, int64_t count, int64_t index) {
  if (sampling_) {
    take_sample(x, count, index);
    return;
  }
  if (counts_zeros_) zeros_ += kernels_of<K>(kernels_).count_zeros(x, count);
  for (Search& search : searches_) {
    if (search.mode != Mode::found) gather_candidates(search, x, nullptr, count, index);
  }
}

template <typename K>
void StreamedRanks<K>::gather_some(const K* x, const uint32_t* positions, int64_t count, int64_t index) {
  if (sampling_) {
    // Every element is of interest.
    take_sample(x, count, index);
    return;
  }
  for (Search& search : searches_) {
    if (search.mode != Mode::found) gather_candidates(search, x, positions, count, index);
  }
}

template <typename K>
std::optional<Bits<K>> StreamedRanks<K>::least_of_interest() const {
  if (sampling_ || counts_zeros_) return order_.lowest;
  std::optional<Key> least;
  for (const Search& search : searches_) {
    if (search.mode == Mode::found) continue;
    const auto key = static_cast<std::make_signed_t<Key>>(search.last.key);
    if (!least || key < static_cast<std::make_signed_t<Key>>(*least)) least = search.last.key;
  }
  return least;
}

template <typename K>
void StreamedRanks<K>::take_sample(const K* x, int64_t count, int64_t index) {
  runs_.for_each(index, index + count, [&](int64_t from, int64_t to) {
    order_.keys(x + (from - index), sample_ + sampled_, to - from);
    sampled_ += to - from;
  });
}

template <typename K>
bool StreamedRanks<K>::end_pass() {
  const bool sampled = sampling_;
  sampling_ = false;
  if (!sampled && counts_zeros_) resolve_ranks();
  bool all_found = true;
  for (Search& search : searches_) {
    if (sampled) {
      guess(search);
    } else if (search.mode == Mode::keep) {
      finish(search);
    } else if (search.mode == Mode::count) {
      narrow(search);
    }
    all_found = all_found && search.mode == Mode::found;
  }
  return all_found;
}

/// After the first pass over all elements it is known how many are not 0, and with that which ranks are wanted.
template <typename K>
void StreamedRanks<K>::resolve_ranks() {
  counts_zeros_ = false;
  for (Search& search : searches_) {
    if (search.wanted.of_nonzero == 0) continue;
    search.rank = count_of(group_size_ - zeros_, search.wanted.of_nonzero) - 1;
    if (search.rank >= 0) continue;
    search.cut = Cut<Key>::nothing();
    search.mode = Mode::found;
  }
}

/// Which part of the group comes before the cut, give or take.
template <typename K>
double StreamedRanks<K>::share_before(const Search& search) const {
  if (search.wanted.of_nonzero == 0) {
    return (static_cast<double>(search.rank) + 0.5) / static_cast<double>(group_size_);
  }
  const int64_t nonzero = kernels_of<K>(kernels_).count_from(sample_, sampled_, 1);
  return search.wanted.of_nonzero * static_cast<double>(nonzero) / static_cast<double>(sampled_);
}

/// Between which elements the cut should lie, going by the sample.
template <typename K>
void StreamedRanks<K>::guess(Search& search) const {
  const auto size = static_cast<double>(group_size_), sample = static_cast<double>(sampled_);
  const double share = share_before(search);
  const double deviation = std::sqrt(sample * share * (1 - share)) + 1;
  const double room = 0.4 * static_cast<double>(capacity_) * sample / size;
  const bool fits = room >= kLeastMargin * deviation;
  const double margin = fits ? std::min(kMargin * deviation, room) : kMargin * deviation;
  const double middle = share * sample;
  const double first = middle - margin, last = middle + margin;
  const KeysAround<Key> around = keys_around(kernels_of<K>(kernels_), sample_, sampled_, order_.lowest, order_.highest,
                                             static_cast<int64_t>(std::max(first, 0.0)),
                                             static_cast<int64_t>(std::min(last, sample - 1)), search.keys);
  search.first = first > 0 ? edge_at(first, around) : first_edge();
  search.last = last < sample ? edge_at(last, around) : last_edge();
  if (fits) {
    start_keeping(search);
  } else {
    start_counting(search);
  }
}

/// Ties are uniform: how far a rank lies in a run of equal keys tells its tie.
template <typename K>
typename StreamedRanks<K>::Edge StreamedRanks<K>::edge_at(double sample_rank, const KeysAround<Key>& around) const {
  const WorkKernels<K>& kernels = kernels_of<K>(kernels_);
  const auto& [keys, count, low, high, all_above] = around;
  const auto [key, above] = key_at<K>(kernels, keys, count, low, high, static_cast<int64_t>(sample_rank) - all_above);
  const int64_t tied = kernels.count_from(keys, count, key) - above;
  const double share = 1 - (sample_rank - static_cast<double>(all_above + above)) / static_cast<double>(tied);
  return {key, static_cast<uint64_t>(std::clamp(share, 0.0, 0x1.fffffp-1) * 0x1p64)};
}

template <typename K>
void StreamedRanks<K>::gather_candidates(Search& search, const K* x, const uint32_t* positions, int64_t count,
                                         int64_t index) {
  uint64_t marks[Marks::words(kBlock)] = {};
  const bool marking = search.before && search.mode == Mode::keep;
  const int64_t found = order_.collect(x, count, search.last.key, search.first.key, found_.keys, found_.positions,
                                       search.above, marking ? marks : nullptr);
  if (positions) {
    for (int64_t i = 0; i < found; ++i) found_.positions[i] = positions[found_.positions[i]];
  }
  kernels_.tie_keys(found_.positions, found, static_cast<uint64_t>(index) + tie_, found_.ties);
  if (search.mode == Mode::keep) {
    keep(search, found, marks);
    if (marking) search.before->put(index, marks, count);
  } else {
    count_parts(search, found);
  }
}

template <typename K>
void StreamedRanks<K>::count_parts(Search& search, int64_t found) {
  const auto [first, last] = std::pair(search.first, search.last);
  for (int64_t i = 0; i < found; ++i) {
    const Key key = found_.keys[i];
    const uint64_t tie = found_.ties[i];
    if (key == first.key && tie > first.tie) {
      ++search.above;
    } else if (key == last.key) {
      if (tie >= last.tie) ++search.counters[(tie - last.tie) >> search.last_shift];
    } else if (key == first.key) {
      ++search.counters[Counters::kFirstSlot + static_cast<int64_t>(tie >> search.first_shift)];
    } else {
      ++search.counters[Counters::kTieSlots + static_cast<int64_t>((key - last.key - 1) >> search.key_shift)];
    }
  }
}

template <typename K>
void StreamedRanks<K>::keep(Search& search, int64_t found, uint64_t* marks) {
  if (search.kept > capacity_) return;  // This pass finds nothing any more.
  const auto [first, last] = std::pair(search.first, search.last);
  const Key* const keys = found_.keys;
  const uint64_t* const ties = found_.ties;
  const uint32_t* const positions = found_.positions;
  Key* __restrict const keys_kept = search.keys + search.kept;
  uint64_t* __restrict const ties_kept = search.ties + search.kept;
  // No choice depends on an element: one that is not kept is overwritten by the next, or lies behind the last.
  int64_t kept = 0, above = 0;
  for (int64_t i = 0; i < found; ++i) {
    const Key key = keys[i];
    const uint64_t tie = ties[i];
    const uint32_t position = positions[i];
    const bool before = (key == first.key) & (tie > first.tie), behind = (key == last.key) & (tie < last.tie);
    marks[position / 64] |= uint64_t{before} << (position % 64);
    keys_kept[kept] = key;
    ties_kept[kept] = tie;
    above += before;
    kept += !(before | behind);
  }
  search.kept += kept;
  search.above += above;
}

/// What is kept holds the cut, unless the sample misled.
template <typename K>
void StreamedRanks<K>::finish(Search& search) {
  const int64_t rank = search.rank - search.above;
  if (search.kept > capacity_ || rank < 0 || rank >= search.kept) {
    start_over(search);
    return;
  }
  const auto [key, above] =
      key_at(kernels_of<K>(kernels_), search.keys, search.kept, search.last.key, search.first.key, rank);
  int64_t tied = 0;
  for (int64_t i = 0; i < search.kept; ++i) {
    // To the front, in exchange: all of them may be marked.
    const bool is_tied = search.keys[i] == key;
    const uint64_t tie = search.ties[i], other = search.ties[tied];
    search.keys[i] = is_tied ? search.keys[tied] : search.keys[i];
    search.keys[tied] = is_tied ? key : search.keys[tied];
    search.ties[i] = is_tied ? other : tie;
    search.ties[tied] = is_tied ? tie : other;
    tied += is_tied;
  }
  const bool keeps_all = rank - above + 1 == tied && (key != search.last.key || search.last.tie == 0);
  search.cut = {key, keeps_all ? 0 : tie_at(search.ties, tied, rank - above)};
  search.mode = Mode::found;
  if (search.before) mark_kept(search);
}

/// Of what was kept, which is not marked yet. An element's tie tells which one it is.
template <typename K>
void StreamedRanks<K>::mark_kept(const Search& search) const {
  const auto [key, tie] = search.cut;
  const Key* const keys = search.keys;
  const uint64_t* const ties = search.ties;
  Marks marks = *search.before;
  for (int64_t i = 0; i < search.kept; ++i) {
    const bool before = (keys[i] > key) | ((keys[i] == key) & (ties[i] >= tie));
    marks.add(index_of_tie(ties[i], tie_), before);
  }
}

template <typename K>
void StreamedRanks<K>::start_keeping(Search& search) const {
  search.mode = Mode::keep;
  search.above = 0;
  search.kept = 0;
}

template <typename K>
void StreamedRanks<K>::start_counting(Search& search) const {
  const bool one_key = search.first.key == search.last.key;
  search.mode = Mode::count;
  search.above = 0;
  search.last_shift = shift_of((one_key ? search.first.tie : kHighestTie) - search.last.tie, Counters::kTieBits);
  search.first_shift = shift_of(search.first.tie, Counters::kTieBits);
  search.key_shift = shift_of(search.first.key - search.last.key, Counters::kKeyBits);
  std::fill_n(search.counters, Counters::kSlots, 0);
}

template <typename K>
void StreamedRanks<K>::start_over(Search& search) const {
  search.first = first_edge();
  search.last = last_edge();
  start_counting(search);
}

/// Leaves the candidates that one counter has counted.
template <typename K>
void StreamedRanks<K>::narrow(Search& search) const {
  int64_t rank = search.rank - search.above;
  int64_t slot = Counters::kSlots - 1;
  for (; slot > 0 && search.counters[slot] <= rank; --slot) rank -= search.counters[slot];
  const int64_t candidates = search.counters[slot];
  if (rank < 0 || rank >= candidates) {
    start_over(search);
    return;
  }
  const auto lowest = [](int64_t counter, int shift) { return static_cast<uint64_t>(counter) << shift; };
  const auto width = [](int shift) { return (uint64_t{1} << shift) - 1; };
  auto [first, last] = std::pair(search.first, search.last);
  if (slot < Counters::kTieSlots) {
    const uint64_t highest = first.key == last.key ? first.tie : kHighestTie;
    const uint64_t low = last.tie + lowest(slot, search.last_shift);
    search.first = {last.key, low + std::min(width(search.last_shift), highest - low)};
    search.last = {last.key, low};
  } else if (slot < Counters::kFirstSlot) {
    const uint64_t low = last.key + 1 + lowest(slot - Counters::kTieSlots, search.key_shift);
    const uint64_t high = low + std::min<uint64_t>(width(search.key_shift), first.key - 1 - low);
    search.first = {static_cast<Key>(high), kHighestTie};
    search.last = {static_cast<Key>(low), 0};
  } else {
    const uint64_t low = lowest(slot - Counters::kFirstSlot, search.first_shift);
    search.first.tie = low + std::min(width(search.first_shift), first.tie - low);
    search.last = {first.key, low};
  }
  if (candidates <= capacity_) {
    start_keeping(search);
  } else {
    start_counting(search);
  }
}

template class StreamedRanks<float>;
template class StreamedRanks<double>;

}  // namespace theta
