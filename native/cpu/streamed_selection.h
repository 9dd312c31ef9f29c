// Cuts of groups that are larger than the cache. A sample tells between which two elements of the canonical order a cut
// lies, give or take; one pass over the group counts what comes before them and keeps what lies between, and the cut is
// among these. Where not so many can be kept, or a sample misled, passes count the candidates in many parts and leave
// those of one, until what is left fits: never wrong, only slower.
#pragma once

#include "mask_statistic.h"
#include "sample_runs.h"

namespace theta {

template <typename W>
class StreamedSelection final : public MaskStatistic<W> {
 public:
  /// `capacity`: elements kept a cut in a pass. `found` has room for a block.
  StreamedSelection(const MaskRule& rule, int64_t group_size, int64_t groups_kept, int64_t capacity,
                    const KernelTable& kernels, const FoundElements<W>& found, Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;
  const SampleRuns* sample() const override { return sampling_ ? &runs_ : nullptr; }

  /// Bytes that `capacity` elements take.
  static constexpr int64_t bytes_per_candidate = sizeof(Bits<W>) + sizeof(uint64_t);

 private:
  using Key = Bits<W>;

  enum class Mode : uint8_t { keep, count, found };

  /// A place in the canonical order, given by an element that need not exist.
  struct Edge {
    Key key;
    uint64_t tie;
  };

  static constexpr Edge kFirst{FormatOf<W>::kMagnitude, ~uint64_t{0}}, kLast{0, 0};

  /// One cut that is looked for: the candidates are the elements from `last` up to `first`; the element wanted is at
  /// `rank` in the group.
  struct Search {
    CutWanted wanted;
    Mode mode;
    Edge first, last;
    /// Elements before `first`.
    int64_t above;
    /// Elements kept, or that would have been kept had there been room.
    int64_t kept;
    /// Bits of ties with the first and the last key, and of keys between, that one counter takes together.
    int first_shift, last_shift, key_shift;
    Key* keys;
    uint64_t* ties;
    int64_t* counters;
  };

  void take_sample(const Block<W>& block, int64_t offset, int64_t count);
  void guess(Search& search) const;
  Edge edge_at(double sample_rank) const;
  void gather_candidates(Search& search, const W* x, int64_t count, int64_t index);
  void keep(Search& search, int64_t found);
  void count_parts(Search& search, int64_t found);
  void start_keeping(Search& search) const;
  void start_counting(Search& search) const;
  void start_over(Search& search) const;
  void narrow(Search& search) const;
  void finish(Search& search);

  const KernelTable& kernels_;
  const FoundElements<W>& found_;
  const int64_t capacity_;
  const SampleRuns runs_;
  bool sampling_ = false;
  Key* const sample_;
  int64_t sampled_ = 0;
  std::array<Search, 2> searches_;
};

extern template class StreamedSelection<float>;
extern template class StreamedSelection<double>;

}  // namespace theta
