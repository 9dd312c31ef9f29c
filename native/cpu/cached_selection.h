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
  /// The keys from low to high, both included; `above` and `from` count the keys above high and those from low on.
  struct Range {
    Key low, high;
    int64_t above, from;
  };

  Cut<Key> find(int64_t rank, Key guess);
  Range collect(Key low, Key high);
  Range search(const Range& missed, int64_t rank) const;

  const KernelTable& kernels_;
  const FoundElements<W>& found_;
  Key* const keys_;
  int64_t count_ = 0;
  /// Where the group before was cut; only speed depends on it.
  std::array<Key, 2> guesses_{};
};

extern template class CachedSelection<float>;
extern template class CachedSelection<double>;

}  // namespace theta
