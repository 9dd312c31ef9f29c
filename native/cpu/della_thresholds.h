// The threshold of every element under a della mask: it follows from the element's rank in its group. Groups that fit
// are ranked at once. Larger ones are streamed: each pass keeps the elements of one stretch of the canonical order,
// from the smallest on, and ranks them; how long a stretch may be is foretold by a sample, and one that turns out to
// hold too many is cut. The thresholds themselves, four bytes an element, stay until the groups are written.
#pragma once

#include <optional>

#include "../formula/philox.h"
#include "group_ranks.h"
#include "mask_statistic.h"
#include "ranking.h"
#include "sample_runs.h"

namespace theta {

/// Of a della mask over a group of `size` elements.
RankThresholds thresholds_from(const Della& mask, int64_t size, int64_t rank);

template <typename W>
class DellaThresholds final : public Statistic<W> {
 public:
  /// `capacity`: elements that are ranked at a time; `ranking` has room for as many, and `found` for a block. `ranks`
  /// has room for a group, or is null where no group is local.
  DellaThresholds(const Della& mask, int64_t group_size, int64_t groups_kept, int64_t capacity,
                  const KernelTable& kernels, const FoundElements<W>& found, Ranking<W>& ranking, GroupRanks<W>* ranks,
                  Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;
  const SampleRuns* sample() const override { return is_sampling_ ? &runs_ : nullptr; }

  /// From this element of the tensor on.
  const uint32_t* at(int64_t index) const { return thresholds_ + (index - this->origin()); }

  /// Bytes that `capacity` elements take, those of a Ranking included.
  static constexpr int64_t bytes_per_element = 64;

 private:
  using Key = Bits<W>;

  /// A place in the order, given by an element that need not exist.
  struct Edge {
    Key key;
    uint64_t tie;
    bool operator==(const Edge&) const = default;
  };
  static constexpr Edge kSmallest{0, 0}, kLargest{FormatOf<W>::kMagnitude, ~uint64_t{0}};

  bool fits() const { return this->group_size() <= capacity_; }
  void rank_group();
  void rank_stretch();
  void start_stretch(Edge low);
  Edge edge_at(double sample_rank) const;
  Edge edge_among_kept(int64_t rank);

  const Della mask_;
  const KernelTable& kernels_;
  const FoundElements<W>& found_;
  Ranking<W>& ranking_;
  GroupRanks<W>* const ranks_;
  const int64_t capacity_;
  const SampleRuns runs_;
  uint32_t* const thresholds_;
  Key* const keys_;
  /// Of groups that fit: by rank, and where elements are expected.
  uint32_t* by_rank_ = nullptr;
  bool by_rank_is_filled_ = false;
  std::optional<ExpectedRanks<W>> expected_;
  /// Of those that do not: what a stretch holds, and a sample in order.
  uint64_t* ties_ = nullptr;
  int64_t* places_ = nullptr;
  Key* sample_ = nullptr;
  bool is_sampling_ = false;
  int64_t first_ = 0, seen_ = 0, sampled_ = 0;
  /// Both included; elements below `low_` are ranked.
  Edge low_ = kSmallest, high_ = kLargest;
  int64_t ranked_ = 0, kept_ = 0;
};

extern template class DellaThresholds<float>;
extern template class DellaThresholds<double>;

}  // namespace theta
