// Cuts of groups whose keys fit into the cache: all of a group's keys are kept, one pass over the data suffices. The
// upper 16 bits of the keys, their heads, say where a cut lies but for the few keys that share its head.
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
  void marks(int64_t begin, int64_t count, uint64_t* to) const override { marks_.get(begin, to, count); }

 private:
  using Key = Bits<W>;
  /// The head of the key at a rank, and how many keys have a higher one.
  struct RankedHead {
    uint16_t head;
    int64_t above;
  };

  Cut<Key> find(int64_t rank, uint16_t& guess);
  RankedHead head_at(int64_t rank, uint16_t guess) const;
  int64_t find_members(uint16_t head);

  const KernelTable& kernels_;
  const FoundElements<W>& found_;
  Key* const keys_;
  uint16_t* const heads_;
  int64_t count_ = 0;
  /// Of the group: what survives, what lies before a cut.
  uint64_t *const kept_, *const before_, *const members_;
  /// Of all groups that are kept.
  Marks marks_;
  /// Where the group before was cut; only speed depends on it.
  std::array<uint16_t, 2> guesses_{};
};

extern template class CachedSelection<float>;
extern template class CachedSelection<double>;

}  // namespace theta
