// The threshold of every element under a della mask: it follows from the element's rank in its group. Two ways to find
// it: of groups that lie in cache, and of larger ones, whose elements are distributed over parts of the order.
#pragma once

#include <algorithm>
#include <span>

#include "../formula/philox.h"
#include "group_ranks.h"
#include "part_ranks.h"
#include "ranking.h"
#include "statistic.h"
#include "tile_reader.h"

namespace theta {

/// Of a della mask over a group of `size` elements.
RankThresholds thresholds_from(const Della& mask, int64_t size, int64_t rank);
/// Those of all its ranks.
void fill_by_rank(const Della& mask, std::span<uint32_t> by_rank);

template <typename W>
class DellaThresholds : public Statistic<W> {
 public:
  using Statistic<W>::Statistic;

  /// Of `count` elements, at most a block's, from this one of the tensor on; valid until the next call. Quick in the
  /// order of the tensor, and asked once more for the same.
  virtual const uint32_t* of(int64_t begin, int64_t count) = 0;
};

/// Of groups that lie in cache.
template <typename W>
class CachedThresholds final : public DellaThresholds<W> {
 public:
  /// `ranking` and `ranks` have room for a group.
  CachedThresholds(const Della& mask, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                   Ranking<W>& ranking, GroupRanks<W>& ranks, Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;
  const uint32_t* of(int64_t begin, int64_t) override { return thresholds_ + (begin - this->origin()); }

 private:
  using Key = Bits<W>;

  const Della mask_;
  const WorkKernels<W>& kernels_;
  Ranking<W>& ranking_;
  GroupRanks<W>& ranks_;
  uint32_t* const thresholds_;
  Key* const keys_;
  /// By rank, and where elements are expected.
  uint32_t* const by_rank_;
  bool by_rank_is_filled_ = false;
  ExpectedRanks<W> expected_;
  int64_t first_ = 0, seen_ = 0;
  KeyRange<Key> range_{0, 0};
};

/// How a task divides its memory among the masks of groups that do not lie in cache.
struct RankPlan {
  /// Elements that are ranked at a time, and records of a block.
  int64_t capacity, records;
  /// Bytes that the sample of one mask may take.
  int64_t for_sample;

  /// For `masks` masks over groups of at most `largest` elements.
  static RankPlan of(int64_t memory_bytes, int64_t masks, int64_t largest, int64_t bytes_per_record);

  /// Of a group of so many elements: its parts, the lists that they may come to, and the elements of its sample.
  int64_t parts(int64_t group_size) const;
  int64_t lists(int64_t group_size) const;
  int64_t sampled(int64_t group_size) const;
  /// Blocks that a mask may take which keeps so many groups.
  int64_t blocks(int64_t group_size, int64_t groups_kept) const;
  /// The same, of one group that is cut into so many tiles and lists.
  int64_t blocks_of(int64_t group_size, int64_t tiles, int64_t lists) const;
};

/// Of groups that are streamed: a sample tells how to cut their order in parts that can be ranked in memory, a pass
/// distributes the elements, and what was found is read again in their own order.
template <typename W>
class StreamedThresholds final : public DellaThresholds<W> {
 public:
  StreamedThresholds(const Della& mask, int64_t group_size, int64_t groups_kept, const RankPlan& plan,
                     const KernelTable& kernels, ScratchBlocks& blocks, RankRoom<W>& room, Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;
  const SampleRuns* sample() const override { return is_sampling_ ? &runs_ : nullptr; }
  const uint32_t* of(int64_t begin, int64_t count) override;

 private:
  using Key = Bits<W>;

  void take_sample(const Key* keys, int64_t begin, int64_t count);
  void distribute(const Key* keys, int64_t begin, int64_t count);
  void open(int64_t parts);
  void show_tile(int64_t first, int64_t tile);
  PartList* lists_of(int64_t first) { return lists_ + this->slot(first) * most_lists_; }

  const Della mask_;
  const WorkKernels<W>& kernels_;
  ScratchBlocks& blocks_;
  RankRoom<W>& room_;
  const PartLayout<W> layout_;
  const SampleRuns runs_;
  const int64_t parts_wanted_, most_lists_;
  OrderParts<W> parts_;
  PartWriter<W> writer_;
  PartRanks<W> ranks_;
  TileReader<W> reader_;
  /// By group that is kept, and how many of them it has.
  PartList* const lists_;
  int64_t* const list_counts_;
  int64_t groups_ranked_ = 0;
  bool is_sampling_ = false;
  int64_t first_ = 0, seen_ = 0, parts_open_ = 0;
  /// What was last asked for, and the group whose tiles are read.
  uint32_t* const asked_;
  int64_t asked_begin_ = -1, asked_count_ = 0, shown_ = -1;
};

extern template class CachedThresholds<float>;
extern template class CachedThresholds<double>;
extern template class StreamedThresholds<float>;
extern template class StreamedThresholds<double>;

}  // namespace theta
