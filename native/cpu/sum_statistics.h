// Statistics that are sums over a group: the ratio of rescale-l1, the coefficients of slerp.
#pragma once

#include "../formula/slerp.h"
#include "kernels.h"
#include "pairwise_sum.h"
#include "statistic.h"

namespace theta {

/// Σ|before| ÷ Σ|masked|, 1 where either sum is 0; rounded to W.
template <typename W>
class AbsoluteRatio final : public Statistic<W> {
 public:
  AbsoluteRatio(const RescaleL1& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                Carver& memory)
      : Statistic<W>(group_size),
        operation_(operation),
        kernels_(kernels_of<W>(kernels)),
        kept_(memory.take<W>(groups_kept)) {}

  void begin(int64_t first) override {
    first_ = first;
    before_ = after_ = PairwiseSum();
  }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    add(before_, block.value(operation_.of) + offset, count);
    add(after_, block.value(operation_.masked) + offset, count);
  }
  bool end_pass() override {
    const double before = before_.finish(), after = after_.finish();
    kept_[this->slot(first_)] = static_cast<W>(before == 0 || after == 0 ? 1.0 : before / after);
    return true;
  }

  W ratio(int64_t first) const { return kept_[this->slot(first)]; }

 private:
  void add(PairwiseSum& sum, const W* x, int64_t count) {
    sum.gather(count, [&](int64_t at, int64_t part, double* lanes) { kernels_.lanes_absolute(x + at, part, lanes); });
  }

  const RescaleL1 operation_;
  const WorkKernels<W>& kernels_;
  W* const kept_;
  PairwiseSum before_, after_;
  int64_t first_ = 0;
};

template <typename W>
class SlerpStatistic final : public Statistic<W> {
 public:
  SlerpStatistic(const Slerp& operation, int64_t group_size, int64_t groups_kept, const KernelTable& kernels,
                 Carver& memory)
      : Statistic<W>(group_size),
        operation_(operation),
        kernels_(kernels_of<W>(kernels)),
        kept_(memory.take<SlerpCoefficients>(groups_kept)) {}

  void begin(int64_t first) override {
    first_ = first;
    left_ = right_ = dot_ = PairwiseSum();
  }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    const W* a = block.value(operation_.left) + offset;
    const W* b = block.value(operation_.right) + offset;
    add(left_, a, a, count);
    add(right_, b, b, count);
    add(dot_, a, b, count);
  }
  bool end_pass() override {
    const SlerpCoefficients found = slerp_coefficients(left_.finish(), right_.finish(), dot_.finish(), operation_.t);
    kept_[this->slot(first_)] = found;
    antiparallel_ += found.antiparallel;
    return true;
  }

  const SlerpCoefficients& coefficients(int64_t first) const { return kept_[this->slot(first)]; }
  int64_t antiparallel() const { return antiparallel_; }

 private:
  void add(PairwiseSum& sum, const W* x, const W* y, int64_t count) {
    sum.gather(count,
               [&](int64_t at, int64_t part, double* lanes) { kernels_.lanes_product(x + at, y + at, part, lanes); });
  }

  const Slerp operation_;
  const WorkKernels<W>& kernels_;
  SlerpCoefficients* const kept_;
  PairwiseSum left_, right_, dot_;
  int64_t first_ = 0;
  int64_t antiparallel_ = 0;
};

}  // namespace theta
