// Cuts of groups whose keys fit into the cache: all of a group's keys are kept, one pass over the data suffices.
#pragma once

#include "mask_statistic.h"

namespace theta {

template <typename W>
class CachedSelection final : public MaskStatistic<W> {
 public:
  /// `found` has room for a group.
  CachedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                  const FoundElements<W>& found, Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;

 private:
  using Key = Bits<W>;
  struct Range {
    Key low, high;
    /// Elements above the range.
    int64_t before;
  };

  Range digit_at(int64_t rank) const;
  Cut<Key> find(const Range& range, int64_t rank);

  const KernelTable& kernels_;
  const FoundElements<W>& found_;
  Key* const keys_;
  uint32_t* const histogram_;
  int64_t count_ = 0;
};

extern template class CachedSelection<float>;
extern template class CachedSelection<double>;

}  // namespace theta
