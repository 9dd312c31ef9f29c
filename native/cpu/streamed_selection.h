// Cuts of groups that are larger than the cache: each pass over the data narrows down where a cut lies, digit by digit
// of the keys, until what is left fits into a buffer or has one key only. Equal keys are cut by their ties: these are
// uniform, so a window around the place where the cut is expected holds it, and only the window is kept.
#pragma once

#include "mask_statistic.h"

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

  /// Bytes that `capacity` elements take.
  static constexpr int64_t bytes_per_candidate = sizeof(Bits<W>) + sizeof(uint64_t);

 private:
  using Key = Bits<W>;

  enum class Mode : uint8_t {
    count_first_digit,
    count_digit,
    /// Keep every candidate.
    keep,
    /// All candidates have one key: keep those whose ties lie in the window, count those above it.
    keep_window,
    /// The window missed: count the ties' first digit.
    count_ties,
    found,
  };

  /// One cut that is looked for: the candidates are the elements with keys in [low, high] and, once that is one key,
  /// ties in [tie_low, tie_high]; the element wanted is at `rank` among them.
  struct Search {
    CutWanted wanted;
    Mode mode;
    int64_t rank;
    int64_t candidates;
    Key low, high;
    uint64_t tie_low, tie_high;
    /// Of the digit that was counted.
    int shift;
    uint64_t window_low, window_high;
    int64_t kept, above;
    int64_t* histogram;
    Key* keys;
    uint64_t* ties;
  };

  void gather_candidates(Search& search, const W* x, int64_t count, int64_t index);
  void keep_candidates(Search& search, int64_t count);
  void narrow_key(Search& search, const int64_t* histogram);
  void narrow_tie(Search& search);
  void finish(Search& search);
  Key key_at(Search& search, int64_t& rank);
  void finish_window(Search& search);
  void choose(Search& search, bool may_guess);

  const KernelTable& kernels_;
  const FoundElements<W>& found_;
  const int64_t capacity_;
  std::array<Search, 2> searches_;
};

extern template class StreamedSelection<float>;
extern template class StreamedSelection<double>;

}  // namespace theta
