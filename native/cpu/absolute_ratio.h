// The statistic of rescale-l1: sums of absolute values over a group.
#pragma once

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

  void begin(int64_t first) override { first_ = first; }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    add(before_, block.value(operation_.of) + offset, count);
    add(after_, block.value(operation_.masked) + offset, count);
  }
  bool end_pass() override {
    const double before = before_.finish(), after = after_.finish();
    kept_[this->slot(first_)] = static_cast<W>(before == 0 || after == 0 ? 1.0 : before / after);
    return true;
  }
  bool takes_one_pass() const override { return true; }

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

}  // namespace theta
