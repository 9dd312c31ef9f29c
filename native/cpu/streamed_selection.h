// Cuts of groups that are larger than the cache: see streamed_ranks.h. The pass that finds them marks what lies before
// them, where there is memory for it: passes that come later need no values to know what survives.
#pragma once

#include "mask_statistic.h"
#include "streamed_ranks.h"

namespace theta {

template <typename W>
class StreamedSelection final : public MaskStatistic<W> {
 public:
  /// `capacity`: elements kept a cut in a pass. `found` has room for a block. `marking`: it takes marks_bytes().
  StreamedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept, int64_t capacity, bool marking,
                    const KernelTable& kernels, const FoundElements<W>& found, Carver& memory)
      : MaskStatistic<W>(rule, group_size, groups_kept, memory),
        before_(marking ? marks_of(this->wanted_.size(), group_size * groups_kept, memory) : std::vector<Marks>()),
        ranks_(ranks_of(this->wanted_, rule.of_nonzero), group_size, capacity, rule.tie, by_magnitude<W>(kernels),
               kernels, found, memory, before_) {}

  void begin(int64_t first) override {
    this->start_group(first);
    for (Marks& before : before_) before.start_at(this->origin());
    ranks_.begin();
  }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    ranks_.gather(block.value(this->rule_.of) + offset, count, block.begin + offset);
  }
  bool end_pass() override {
    if (!ranks_.end_pass()) return false;
    for (size_t i = 0; i < this->wanted_.size(); ++i) {
      const Cut<Bits<W>>& cut = ranks_.cut(i);
      this->found(this->wanted_[i], cut);
      if (has_marks() && cut.key == Cut<Bits<W>>::nothing().key) clear(before_[i]);
    }
    return true;
  }
  const SampleRuns* sample() const override { return ranks_.sample(); }

  bool has_marks() const override { return !before_.empty(); }
  void marks(int64_t begin, int64_t count, uint64_t* to) const override {
    if (!this->wanted_.front().outer) std::fill_n(to, Marks::words(count), ~uint64_t{0});
    for (size_t i = 0; i < before_.size(); ++i) {
      if (this->wanted_[i].outer) {
        before_[i].get(begin, to, count);
        continue;
      }
      uint64_t dropped[Marks::words(kBlock)];
      before_[i].get(begin, dropped, count);
      for (int64_t word = 0; word < Marks::words(count); ++word) to[word] &= ~dropped[word];
    }
  }

  /// Bytes that the marks of a span of `elements` take.
  static int64_t marks_bytes(const MaskRule& rule, int64_t group_size, int64_t elements) {
    return static_cast<int64_t>(cuts_wanted(rule, group_size).size()) * Marks::bytes(elements);
  }
  /// Bytes that `capacity` elements take for each cut.
  static constexpr int64_t bytes_per_candidate = StreamedRanks<W>::bytes_per_candidate;

 private:
  static std::vector<Rank> ranks_of(const std::vector<CutWanted>& wanted, double of_nonzero) {
    std::vector<Rank> ranks;
    for (const CutWanted& cut : wanted) ranks.push_back({cut.rank, of_nonzero});
    return ranks;
  }

  static std::vector<Marks> marks_of(size_t cuts, int64_t elements, Carver& memory) {
    std::vector<Marks> marks;
    for (size_t i = 0; i < cuts; ++i) marks.emplace_back(elements, memory);
    return marks;
  }

  void clear(Marks& before) const {
    const uint64_t none[Marks::words(kBlock)] = {};
    for (int64_t at = 0; at < this->group_size(); at += kBlock) {
      before.put(this->first() + at, none, std::min(kBlock, this->group_size() - at));
    }
  }

  /// By cut: what lies before it; empty without marks.
  std::vector<Marks> before_;
  StreamedRanks<W> ranks_;
};

}  // namespace theta
