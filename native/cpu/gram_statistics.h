// Statistics that follow from the dot products of several values over a group: coefficients of slerp and of the
// barycentre, the step of Model Stock.
#pragma once

#include <vector>

#include "../formula/karcher.h"
#include "../formula/slerp.h"
#include "kernels.h"
#include "pairwise_sum.h"
#include "statistic.h"

namespace theta {

/// All dot products in one pass.
template <typename W>
class GramStatistic : public Statistic<W> {
 public:
  void begin(int64_t first) final { first_ = first; }
  void gather(const Block<W>& block, int64_t offset, int64_t count) final;
  bool end_pass() final;
  bool takes_one_pass() const final { return true; }

  /// Groups so far in which directions are opposite.
  int64_t antiparallel() const { return antiparallel_; }

 protected:
  GramStatistic(std::vector<ValueId> of, int64_t group_size, const KernelTable& kernels, Carver& memory);

  /// Keeps what follows in this slot; → whether directions are opposite.
  virtual bool solve(const Gram& gram, int64_t slot) = 0;

 private:
  const std::vector<ValueId> of_;
  const WorkKernels<W>& kernels_;
  std::vector<const W*> values_;
  /// By pair.
  std::vector<double> found_;
  std::vector<double*> lanes_;
  PairwiseSum* const sums_;
  int64_t first_ = 0;
  int64_t antiparallel_ = 0;
  int64_t counted_to_ = 0;
};

template <typename W>
class SlerpStatistic final : public GramStatistic<W> {
 public:
  SlerpStatistic(const Slerp& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                 Carver& memory)
      : GramStatistic<W>({operation.left, operation.right}, group_size, kernels, memory),
        t_(operation.t),
        kept_(memory.take<SlerpCoefficients>(groups_kept)) {}

  const SlerpCoefficients& coefficients(int64_t first) const { return kept_[this->slot(first)]; }

 private:
  bool solve(const Gram& gram, int64_t slot) override;

  const double t_;
  SlerpCoefficients* const kept_;
};

template <typename W>
class KarcherStatistic final : public GramStatistic<W> {
 public:
  KarcherStatistic(const Karcher& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                   Carver& memory)
      : GramStatistic<W>(operation.of, group_size, kernels, memory),
        rule_{operation.weights, operation.max_iterations, operation.tolerance},
        count_(static_cast<int64_t>(operation.of.size())),
        kept_(memory.take<W>(groups_kept * count_)) {}

  /// One an input, rounded to W.
  const W* coefficients(int64_t first) const { return kept_ + this->slot(first) * count_; }

 private:
  bool solve(const Gram& gram, int64_t slot) override;

  const KarcherRule rule_;
  const int64_t count_;
  W* const kept_;
};

template <typename W>
class ModelStockStatistic final : public GramStatistic<W> {
 public:
  ModelStockStatistic(const ModelStock& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                      Carver& memory)
      : GramStatistic<W>(operation.of, group_size, kernels, memory), kept_(memory.take<W>(groups_kept)) {}

  W step(int64_t first) const { return kept_[this->slot(first)]; }

 private:
  bool solve(const Gram& gram, int64_t slot) override;

  W* const kept_;
};

extern template class GramStatistic<float>;
extern template class GramStatistic<double>;
extern template class SlerpStatistic<float>;
extern template class SlerpStatistic<double>;
extern template class KarcherStatistic<float>;
extern template class KarcherStatistic<double>;
extern template class ModelStockStatistic<float>;
extern template class ModelStockStatistic<double>;

}  // namespace theta
