#include "della_thresholds.h"

namespace theta {

namespace {
/// More in a part would lie in no cache while they are ranked; fewer would make too many parts.
constexpr int64_t kMostRanked = int64_t{1} << 19, kFewestRanked = int64_t{1} << 10;
/// Smaller parts lie better in cache, but these are enough, and no part needs to be smaller.
constexpr int64_t kFewParts = 64, kLeastRanked = int64_t{1} << 16;
/// Of a sample, so many elements tell where a part ends.
constexpr int64_t kSampledPerPart = 512, kMostSampled = int64_t{1} << 19;
/// Records of a block: with fewer there are too many calls to the system, more make none of them faster.
constexpr int64_t kFewestRecords = 32, kMostRecords = int64_t{1} << 13;
/// Parts of the memory that ranking, and what is distributed, may take.
constexpr int64_t kRankShare = 6, kBufferShare = 5, kSampleShare = 16;
}  // namespace

RankThresholds thresholds_from(const Della& mask, int64_t size, int64_t rank) {
  return {threshold_of(mask.density - mask.epsilon), threshold_of(mask.density + mask.epsilon), size, rank};
}

void fill_by_rank(const Della& mask, std::span<uint32_t> by_rank) {
  RankThresholds threshold = thresholds_from(mask, static_cast<int64_t>(by_rank.size()), 0);
  for (uint32_t& of_rank : by_rank) of_rank = threshold.next();
}

template <typename W>
CachedThresholds<W>::CachedThresholds(const Della& mask, int64_t group_size, int64_t groups_kept,
                                      const KernelTable& kernels, Ranking<W>& ranking, GroupRanks<W>& ranks,
                                      Carver& memory)
    : DellaThresholds<W>(group_size),
      mask_(mask),
      kernels_(kernels_of<W>(kernels)),
      ranking_(ranking),
      ranks_(ranks),
      thresholds_(memory.take<uint32_t>(groups_kept * group_size)),
      keys_(memory.take<Key>(group_size)),
      by_rank_(memory.take<uint32_t>(group_size)),
      expected_(group_size, GroupRanks<W>::kWidth, memory) {}

template <typename W>
void CachedThresholds<W>::begin(int64_t first) {
  first_ = first;
  seen_ = 0;
  range_ = {0, 0};
}

template <typename W>
void CachedThresholds<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  range_ = joined(range_, kernels_.keys_and_range(block.value(mask_.of) + offset, keys_ + seen_, count));
  seen_ += count;
}

template <typename W>
bool CachedThresholds<W>::end_pass() {
  if (!by_rank_is_filled_) {
    fill_by_rank(mask_, {by_rank_, static_cast<size_t>(this->group_size())});
    by_rank_is_filled_ = true;
  }
  uint32_t* const to = thresholds_ + (first_ - this->origin());
  const uint64_t tie = static_cast<uint64_t>(first_) + mask_.tie;
  if (ranks_.run(keys_, seen_, range_, tie, expected_, by_rank_, to)) return true;
  ranking_.run(
      keys_, seen_, [tie](uint32_t element) { return mix64(tie + element); },
      [to, by_rank = by_rank_](uint32_t element, int64_t rank) { to[element] = by_rank[rank]; });
  return true;
}

RankPlan RankPlan::of(int64_t memory_bytes, int64_t masks, int64_t largest, int64_t bytes_per_record) {
  RankPlan plan{};
  const int64_t for_ranking = memory_bytes / kRankShare - RankRoom<double>::bytes_of_counters;
  plan.capacity = std::clamp(for_ranking / RankRoom<double>::bytes_per_element, kFewestRanked, kMostRanked);
  plan.capacity = std::min({plan.capacity, largest, std::max(largest / kFewParts, kLeastRanked)});
  const int64_t parts = plan.parts(largest);
  const int64_t for_buffers = memory_bytes / kBufferShare / masks / parts / bytes_per_record;
  // Blocks that a part does not fill would be memory for nothing.
  const int64_t records = std::clamp(std::min(for_buffers, largest / parts / 4), kFewestRecords, kMostRecords);
  plan.records = records / kFewestRecords * kFewestRecords;
  plan.for_sample = memory_bytes / kSampleShare / masks;
  return plan;
}

int64_t RankPlan::parts(int64_t group_size) const { return PartRanks<double>::parts_wanted(group_size, capacity); }

int64_t RankPlan::lists(int64_t group_size) const {
  const int64_t wanted = parts(group_size);
  return wanted == 1 ? 1 : 2 * wanted + 8;
}

int64_t RankPlan::sampled(int64_t group_size) const {
  const int64_t wanted = parts(group_size);
  if (wanted == 1) return 0;
  const int64_t room = for_sample / static_cast<int64_t>(2 * sizeof(uint64_t));
  return std::max(std::min({wanted * kSampledPerPart, kMostSampled, room}), 3 * SampleRuns::kRun);
}

int64_t RankPlan::blocks(int64_t group_size, int64_t groups_kept) const {
  return groups_kept * blocks_of(group_size, tiles_of(group_size), lists(group_size));
}

int64_t RankPlan::blocks_of(int64_t group_size, int64_t tiles, int64_t lists) const {
  int64_t ends_of_tiles, most_records;
  const bool fits = !__builtin_mul_overflow(tiles, lists, &ends_of_tiles) &&
                    !__builtin_add_overflow(group_size, ends_of_tiles, &most_records);
  if (fits) return most_records / records + 2 * lists;
  throw Error(ErrorCode::memory, "there are too many elements to be ranked in so little memory");
}

template <typename W>
StreamedThresholds<W>::StreamedThresholds(const Della& mask, int64_t group_size, int64_t groups_kept,
                                          const RankPlan& plan, const KernelTable& kernels, ScratchBlocks& blocks,
                                          RankRoom<W>& room, Carver& memory)
    : DellaThresholds<W>(group_size),
      mask_(mask),
      kernels_(kernels_of<W>(kernels)),
      blocks_(blocks),
      room_(room),
      layout_{plan.records},
      runs_(SampleRuns::of_at_most(plan.sampled(group_size), group_size)),
      parts_wanted_(plan.parts(group_size)),
      most_lists_(plan.lists(group_size)),
      parts_(parts_wanted_ + 1, plan.sampled(group_size), memory),
      writer_(parts_wanted_ + 1, layout_, blocks, memory),
      ranks_(layout_, blocks, parts_, writer_, room),
      reader_(most_lists_, layout_, blocks, memory),
      lists_(memory.take<PartList>(groups_kept * most_lists_)),
      list_counts_(memory.take<int64_t>(groups_kept)),
      asked_(memory.take<uint32_t>(kBlock)) {}

template <typename W>
void StreamedThresholds<W>::begin(int64_t first) {
  if (this->slot(first) == 0) {
    for (int64_t group = 0; group < groups_ranked_; ++group) {
      const std::span lists(lists_ + group * most_lists_, static_cast<size_t>(list_counts_[group]));
      for (const PartList& list : lists) {
        if (list.first != ScratchBlocks::kNone) blocks_.give_back(list.first, list.last);
      }
    }
    groups_ranked_ = 0;
  }
  first_ = first;
  seen_ = 0;
  asked_begin_ = shown_ = -1;
  is_sampling_ = parts_wanted_ > 1;
  parts_.begin_sample();
  if (!is_sampling_) open(1);
}

template <typename W>
void StreamedThresholds<W>::open(int64_t parts) {
  parts_open_ = parts_.cut(parts);
  writer_.open(parts_open_);
}

template <typename W>
void StreamedThresholds<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  Key keys[kBlock];
  kernels_.keys(block.value(mask_.of) + offset, keys, count);
  if (is_sampling_) {
    take_sample(keys, block.begin + offset, count);
    return;
  }
  for (int64_t at = 0; at < count;) {
    const int64_t part = std::min(count - at, kTile - seen_ % kTile);
    distribute(keys + at, block.begin + offset + at, part);
    at += part;
    seen_ += part;
    if (seen_ % kTile == 0 || seen_ == this->group_size()) writer_.end_tile();
  }
}

template <typename W>
void StreamedThresholds<W>::take_sample(const Key* keys, int64_t begin, int64_t count) {
  runs_.for_each(begin, begin + count, [&](int64_t from, int64_t to) {
    for (int64_t at = from; at < to; ++at) {
      parts_.add(keys[at - begin], upper_mix64(static_cast<uint64_t>(at) + mask_.tie));
    }
  });
}

template <typename W>
void StreamedThresholds<W>::distribute(const Key* keys, int64_t begin, int64_t count) {
  uint32_t parts[kBlock];
  const uint64_t tie = static_cast<uint64_t>(begin) + mask_.tie;
  parts_.parts_of(
      keys, count, [tie](int64_t i) { return upper_mix64(tie + static_cast<uint64_t>(i)); }, parts);
  const auto place = static_cast<uint16_t>(seen_ % kTile);
  for (int64_t i = 0; i < count; ++i) writer_.put(parts[i], keys[i], static_cast<uint16_t>(place + i));
}

template <typename W>
bool StreamedThresholds<W>::end_pass() {
  if (is_sampling_) {
    is_sampling_ = false;
    open(parts_wanted_);
    return false;
  }
  PartList* const lists = lists_of(first_);
  writer_.close(lists);
  for (int64_t tile = 0; tile <= tiles_of(this->group_size()); ++tile) {
    room_.tile_ties[tile] = static_cast<uint64_t>(first_ + tile * kTile) + mask_.tie;
  }
  const ThresholdsOfRanks values{thresholds_from(mask_, this->group_size(), 0)};
  list_counts_[this->slot(first_)] = ranks_.run(lists, parts_open_, most_lists_, values);
  groups_ranked_ = this->slot(first_) + 1;
  return true;
}

template <typename W>
const uint32_t* StreamedThresholds<W>::of(int64_t begin, int64_t count) {
  if (begin == asked_begin_ && count == asked_count_) return asked_;
  for_each_group(begin, count, this->group_size(), [&](int64_t first, int64_t offset, int64_t in_group) {
    for (int64_t at = 0; at < in_group;) {
      const int64_t index = begin + offset + at - first, place = index % kTile;
      const int64_t in_tile = std::min(in_group - at, kTile - place);
      show_tile(first, index / kTile);
      std::copy_n(reader_.tile() + place, in_tile, asked_ + offset + at);
      at += in_tile;
    }
  });
  asked_begin_ = begin;
  asked_count_ = count;
  return asked_;
}

template <typename W>
void StreamedThresholds<W>::show_tile(int64_t first, int64_t tile) {
  if (first != shown_ || tile < reader_.tile_number()) {
    shown_ = first;
    reader_.start({lists_of(first), static_cast<size_t>(list_counts_[this->slot(first)])}, writer_.buffers());
  }
  while (reader_.tile_number() < tile) reader_.read_next();
}

template class CachedThresholds<float>;
template class CachedThresholds<double>;
template class StreamedThresholds<float>;
template class StreamedThresholds<double>;

}  // namespace theta
