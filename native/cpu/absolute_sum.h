// Gathers the sum of a value's sizes, while it passes.
#pragma once

#include "block.h"
#include "kernels.h"
#include "pairwise_sum.h"

namespace theta {

/// Σ|x| over the tensor, in float64.
template <typename W>
class AbsoluteSum {
 public:
  AbsoluteSum(ValueId of, const KernelTable& kernels) : of_(of), kernels_(kernels_of<W>(kernels)) {}

  void gather(const Block<W>& block) {
    const W* x = block.value(of_);
    sum_.gather(block.count,
                [&](int64_t at, int64_t part, double* lanes) { kernels_.lanes_absolute(x + at, part, lanes); });
  }
  double finish() { return sum_.finish(); }

 private:
  const ValueId of_;
  const WorkKernels<W>& kernels_;
  PairwiseSum sum_;
};

}  // namespace theta
