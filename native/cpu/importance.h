// Statistics of arcee_fusion: how much the softmax of each row changes, and from which importance on an element's
// change matters (METHODS.md, "Strategies on vectors").
#pragma once

#include "kernels.h"
#include "pairwise_sum.h"
#include "statistic.h"
#include "streamed_ranks.h"

namespace theta {

/// Σ p × log(p ÷ q) of each row, p and q the softmaxes of base ⊕ τ and of base, each element + 1e-8; in float64.
template <typename W>
class RowDivergence : public Statistic<W> {
 public:
  RowDivergence(const Divergence& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                Carver& memory)
      : Statistic<W>(group_size), operation_(operation), kernels_(kernels), kept_(memory.take<double>(groups_kept)) {}

  /// Of the row with this first element.
  double of(int64_t first) const { return kept_[this->slot(first)]; }

 protected:
  void found(int64_t first, double divergence) { kept_[this->slot(first)] = divergence; }
  /// base ⊕ τ
  void lay_onto(const Block<W>& block, int64_t offset, int64_t count, W* to) const {
    kernels_of<W>(kernels_).onto(block.value(operation_.base) + offset, block.value(operation_.of) + offset, to, count);
  }
  void add(PairwiseSum& sum, const double* x, int64_t count) const {
    sum.gather(count,
               [&](int64_t at, int64_t part, double* lanes) { kernels_.measure.lanes_sum(x + at, part, lanes); });
  }

  const Divergence operation_;
  const KernelTable& kernels_;

 private:
  double* const kept_;
};

/// Of rows that fit into the cache: what a step of the formula gives stays for the next one.
template <typename W>
class CachedDivergence final : public RowDivergence<W> {
 public:
  CachedDivergence(const Divergence& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                   Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;

 private:
  W *const merged_, *const base_;
  double *const p_, *const q_;
  int64_t first_ = 0, count_ = 0;
};

/// Of longer rows, in three passes: maxima, sums, terms.
template <typename W>
class StreamedDivergence final : public RowDivergence<W> {
 public:
  StreamedDivergence(const Divergence& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                     Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;

 private:
  enum class Pass : uint8_t { maxima, sums, terms };

  W* const merged_;
  double *const p_, *const q_;
  int64_t first_ = 0;
  Pass pass_ = Pass::maxima;
  W merged_largest_ = 0, base_largest_ = 0;
  double p_sum_ = 0, q_sum_ = 0;
  PairwiseSum p_gathered_, q_gathered_;
};

/// Median + 1.5 × interquartile range of the importances of a whole tensor.
template <typename W>
class ImportanceThreshold final : public Statistic<W> {
 public:
  /// `capacity`: elements kept a quantile in a pass.
  ImportanceThreshold(const ArceeFusion& operation, const RowDivergence<W>& rows, int64_t group_size, int64_t capacity,
                      const KernelTable& kernels, Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;
  const SampleRuns* sample() const override { return ranks_.sample(); }

  double threshold() const { return threshold_; }

  /// Bytes that `capacity` elements take.
  static constexpr int64_t bytes_per_candidate = 3 * StreamedRanks<double>::bytes_per_candidate;

 private:
  const ArceeFusion operation_;
  const RowDivergence<W>& rows_;
  const WorkKernels<W>& kernels_;
  double* const importances_;
  const FoundElements<double> found_;
  StreamedRanks<double> ranks_;
  double threshold_ = 0;
};

extern template class CachedDivergence<float>;
extern template class CachedDivergence<double>;
extern template class StreamedDivergence<float>;
extern template class StreamedDivergence<double>;
extern template class ImportanceThreshold<float>;
extern template class ImportanceThreshold<double>;

}  // namespace theta
