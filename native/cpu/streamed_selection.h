// Cuts of groups that are larger than the cache: see streamed_ranks.h.
#pragma once

#include "mask_statistic.h"
#include "streamed_ranks.h"

namespace theta {

template <typename W>
class StreamedSelection final : public MaskStatistic<W> {
 public:
  /// `capacity`: elements kept a cut in a pass. `found` has room for a block.
  StreamedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept, int64_t capacity,
                    const KernelTable& kernels, const FoundElements<W>& found, Carver& memory)
      : MaskStatistic<W>(rule, group_size, groups_kept, memory),
        ranks_(ranks_of(this->wanted_, rule.of_nonzero), group_size, capacity, rule.tie, by_magnitude<W>(kernels),
               kernels, found, memory) {}

  void begin(int64_t first) override {
    this->start_group(first);
    ranks_.begin();
  }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    ranks_.gather(block.value(this->rule_.of) + offset, count, block.begin + offset);
  }
  bool end_pass() override {
    if (!ranks_.end_pass()) return false;
    for (size_t i = 0; i < this->wanted_.size(); ++i) this->found(this->wanted_[i], ranks_.cut(i));
    return true;
  }
  const SampleRuns* sample() const override { return ranks_.sample(); }

  /// Bytes that `capacity` elements take for each cut.
  static constexpr int64_t bytes_per_candidate = StreamedRanks<W>::bytes_per_candidate;

 private:
  static std::vector<Rank> ranks_of(const std::vector<CutWanted>& wanted, double of_nonzero) {
    std::vector<Rank> ranks;
    for (const CutWanted& cut : wanted) ranks.push_back({cut.rank, of_nonzero});
    return ranks;
  }

  StreamedRanks<W> ranks_;
};

}  // namespace theta
