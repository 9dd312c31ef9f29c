// Statistics that follow from the dot products of several values over a group: coefficients of slerp and of the
// barycentre, the step of Model Stock.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "../formula/karcher.h"
#include "../formula/model_stock.h"
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
  void gather(const Block<W>& block, int64_t offset, int64_t count) final {
    const std::span<PairwiseSum> sums(sums_, found_.size());
    PairwiseSum::gather_together(sums, lanes_.data(), count, [&](int64_t at, int64_t part, double* const* lanes) {
      for (size_t i = 0; i < of_.size(); ++i) values_[i] = block.value(of_[i]) + offset + at;
      kernels_.lanes_gram(values_.data(), static_cast<int64_t>(of_.size()), part, lanes);
    });
  }
  bool end_pass() final {
    for (size_t pair = 0; pair < found_.size(); ++pair) found_[pair] = sums_[pair].finish();
    const bool antiparallel = solve({found_.data(), static_cast<int64_t>(of_.size())}, this->slot(first_));
    // Local groups are gathered again in every pass.
    if (first_ >= counted_to_) {
      antiparallel_ += antiparallel;
      counted_to_ = first_ + this->group_size();
    }
    return true;
  }

  /// Groups so far in which directions are opposite.
  int64_t antiparallel() const { return antiparallel_; }

 protected:
  GramStatistic(std::vector<ValueId> of, int64_t group_size, const KernelTable& kernels, Carver& memory)
      : Statistic<W>(group_size),
        of_(std::move(of)),
        kernels_(kernels_of<W>(kernels)),
        values_(of_.size()),
        found_(static_cast<size_t>(gram_pairs(static_cast<int64_t>(of_.size())))),
        lanes_(found_.size()),
        sums_(memory.take<PairwiseSum>(static_cast<int64_t>(found_.size()))) {
    // Without memory there is only a need to state.
    if (sums_ != nullptr) std::uninitialized_default_construct_n(sums_, found_.size());
  }

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
  bool solve(const Gram& gram, int64_t slot) override {
    kept_[slot] = slerp_coefficients(gram.dot(0, 0), gram.dot(1, 1), gram.dot(0, 1), t_);
    return kept_[slot].antiparallel;
  }

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
  bool solve(const Gram& gram, int64_t slot) override {
    const KarcherResult found = karcher_coefficients(gram, rule_);
    for (int64_t i = 0; i < count_; ++i) kept_[slot * count_ + i] = static_cast<W>(found.c[static_cast<size_t>(i)]);
    return found.antiparallel;
  }

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
  bool solve(const Gram& gram, int64_t slot) override {
    kept_[slot] = static_cast<W>(model_stock_step(gram));
    return false;
  }

  W* const kept_;
};

}  // namespace theta
