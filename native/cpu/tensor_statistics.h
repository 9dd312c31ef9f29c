// What a tensor's elements are like, gathered while they pass. As comparison.h, of one tensor.
#pragma once

#include <limits>

#include "evaluate.h"
#include "pairwise_sum.h"

namespace theta {

/// Over the finite elements, in float64. Sums are those of METHODS.md, and infinite where they leave float64.
struct TensorStatistics {
  int64_t finite = 0;
  /// Of either sign.
  int64_t zeros = 0;
  /// Infinite where no element is finite. A zero is +0.
  double least = std::numeric_limits<double>::infinity(), largest = -std::numeric_limits<double>::infinity();
  double sum = 0, squares = 0;
};

class StatisticsGatherer {
 public:
  StatisticsGatherer(Dtype dtype, const KernelTable& kernels) : dtype_(dtype), kernels_(kernels) {}

  /// The next elements; counts those that are not finite in `counters`.
  void add(const std::byte* stored, int64_t count, InputCounters& counters);
  TensorStatistics finish();

 private:
  /// Elements that are widened at once; they stay in the first-level cache.
  static constexpr int64_t kBlock = 1024;

  void add_block(const std::byte* stored, int64_t n, bool all_finite);
  int64_t leave_out_not_finite(int64_t n);

  const Dtype dtype_;
  const KernelTable& kernels_;
  int64_t seen_ = 0;
  TensorStatistics found_;
  PairwiseSum sum_, squares_;
  alignas(64) double x_[kBlock];
};

}  // namespace theta
