// What a della mask keeps of groups that lie in cache, where nobody asks for the thresholds themselves. An element's
// random word mostly tells without its rank: below the lowest threshold it is kept, from the highest on it is not, and
// of the others a bucket of the order with some three elements bounds the rank closely. What is left, one or two
// elements of a group, is compared with the others of its bucket.
#pragma once

#include "expected_ranks.h"
#include "ranking.h"
#include "statistic.h"

namespace theta {

template <typename W>
class DellaMarks final : public Statistic<W> {
 public:
  /// Elements of a group, at most: ranks and buckets take sixteen bits.
  static constexpr int64_t kMost = int64_t{1} << 16;
  /// Of an element in places, so that 3.2 make a bucket.
  static constexpr int64_t kWidth = int64_t{5} << (kOrderBits - 4);

  /// `ranking` has room for a group.
  DellaMarks(const Della& mask, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
             Ranking<W>& ranking, Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;
  /// By element from this one of the tensor on, of groups that are through: whether it survives, 1 or 0.
  const uint8_t* kept(int64_t begin) const { return kept_ + (begin - this->origin()); }

 private:
  using Key = Bits<W>;

  /// An element whose bucket does not tell.
  struct Undecided {
    uint32_t element, word;
  };
  static constexpr int64_t kMostUndecided = 64;

  bool mark_by_buckets();
  void mark_sorted();
  void spread();
  int64_t decide(const uint32_t* lowest, int next);
  void resolve(Undecided undecided);
  bool is_before(uint32_t a, uint32_t b) const;

  const Della mask_;
  const KernelTable& table_;
  const WorkKernels<W>& kernels_;
  Ranking<W>& ranking_;
  uint8_t* const kept_;
  Key* const keys_;
  /// Thresholds, and the last once more.
  uint32_t* const by_rank_;
  bool by_rank_is_filled_ = false;
  ExpectedRanks<W> expected_;
  /// By element, where it is in the order.
  uint16_t* const buckets_;
  /// By bucket: how many elements lie before it, and the threshold of its first; behind the last, as of another.
  uint32_t* const starts_;
  uint32_t* const lowest_;
  Undecided undecided_[kMostUndecided + kRanksAtOnce];
  int64_t first_ = 0, seen_ = 0;
  KeyRange<Key> range_{0, 0};
};

extern template class DellaMarks<float>;
extern template class DellaMarks<double>;

}  // namespace theta
