// Ranks of the elements of several tensors in the one canonical order that they share: distributed over parts of the
// order as those of a large group are, and given back tile by tile. Knows no program and no file.
#pragma once

#include <vector>

#include "della_thresholds.h"

namespace theta {

/// A tensor whose elements are ranked with those of others.
struct RankedTensor {
  int64_t elements;
  /// Stream of its ties.
  uint64_t tie;
};

/// Tensors come one after the other, from the last in the order of names to the first: of elements with one key and one
/// tie those of the first name come first in the canonical order, so they have the highest ranks.
template <typename W>
class ModelRanks {
 public:
  /// Takes at most `memory_bytes` from `memory`, but for what each tile takes, or throws Error(memory).
  ModelRanks(std::vector<RankedTensor> tensors, int64_t memory_bytes, const KernelTable& kernels, ScratchSpace& space,
             Carver& memory);

  /// First, where there are several parts, a sample, once: of each tensor `shown` elements, which need not be all that
  /// it has.
  bool wants_sample() const { return parts_wanted_ > 1; }
  /// How many elements the tensors together are to be sampled at.
  int64_t sampled() const { return plan_.sampled(total_); }
  void begin_sample(size_t tensor, int64_t shown);
  /// Values in order.
  void sample(const W* values, int64_t count);

  /// Then all elements of each.
  void begin_distributing();
  void begin_tensor(size_t tensor);
  void add(const W* values, int64_t count);
  void end_tensor();

  /// Then they are ranked, and the ranks of tile after tile are at hand: from 0 on for the smallest.
  void rank();
  const int64_t* next_tile();

  int64_t total() const { return total_; }
  /// Bytes of scratch space that it takes at most.
  int64_t scratch_bytes() const { return blocks_.most_in_space(); }

 private:
  using Key = Bits<W>;

  void end_tile();

  const std::vector<RankedTensor> tensors_;
  const int64_t total_, tiles_;
  const RankPlan plan_;
  const WorkKernels<W>& kernels_;
  const int64_t parts_wanted_, most_lists_;
  const PartLayout<W> layout_;
  ScratchBlocks blocks_;
  RankRoom<W> room_;
  OrderParts<W> parts_;
  PartWriter<W> writer_;
  PartRanks<W> ranks_;
  TileReader<W, int64_t> reader_;
  PartList* const lists_;
  int64_t parts_open_ = 1, list_count_ = 0;
  /// Of the sample: elements of the tensors before, those of this one that are shown, taken and to be taken, and seen.
  int64_t sampled_before_ = 0, shown_ = 0, taken_ = 0, wanted_ = 0;
  uint64_t tie_ = 0;
  int64_t seen_ = 0, tile_ = 0;
};

extern template class ModelRanks<float>;
extern template class ModelRanks<double>;

}  // namespace theta
