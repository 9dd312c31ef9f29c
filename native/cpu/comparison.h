// What tells two tensors of one shape apart, gathered while their elements pass. Knows no file. The result does not
// depend on how the elements are handed over, nor on the kernels.
#pragma once

#include "evaluate.h"
#include "pairwise_sum.h"

namespace theta {

/// All but the first three is over the pairs in which both elements are finite, in float64; zero for
/// dtypes that have no arithmetic. Sums are those of METHODS.md, and infinite where they leave float64.
struct Comparison {
  /// The payloads are equal; never for two dtypes.
  bool same_bytes = true;
  /// Elements whose values differ: two NaN do not, nor do the two zeros. By their bits where there is no arithmetic,
  /// and -1 where elements are not whole bytes.
  int64_t different = 0;
  /// Elements whose bits differ; -1 for two dtypes, and where elements are not whole bytes.
  int64_t different_bits = 0;
  /// Pairs of finite elements.
  int64_t finite = 0;
  /// Largest |a - b|.
  double largest = 0;
  /// Sums of |a - b|, (a - b)², a², b², ab.
  double absolute = 0, squares = 0, a_squares = 0, b_squares = 0, product = 0;
};

/// Of one pair of tensors, of the same shape, and of the same dtype unless both have arithmetic.
class PairComparison {
 public:
  PairComparison(const TensorDesc& a, const TensorDesc& b, const KernelTable& kernels);

  /// What add() counts: an element, or a byte where there is no arithmetic.
  int64_t unit_bytes_of_a() const { return unit_bytes_[0]; }
  int64_t unit_bytes_of_b() const { return unit_bytes_[1]; }

  /// The next `units` of both; of elements without arithmetic only whole ones. Counts what is not finite in `counters`,
  /// those of a and of b.
  void add(const std::byte* a, const std::byte* b, int64_t units, InputCounters* counters);
  Comparison finish();

 private:
  /// Elements that are widened at once: two blocks of them stay in the first-level cache.
  static constexpr int64_t kBlock = 1024;

  void add_block(const std::byte* a, const std::byte* b, int64_t n, bool all_finite);
  int64_t leave_out_not_finite(int64_t n);
  void compare_bits(const std::byte* a, const std::byte* b, int64_t bytes);

  const std::optional<Dtype> dtypes_[2];
  const bool one_dtype_;
  const KernelTable& kernels_;
  int64_t unit_bytes_[2];
  /// Of an element of a; 0 where it is no whole power of two of them.
  int64_t element_bytes_ = 0;
  int64_t seen_ = 0;
  Comparison found_;
  /// As in lanes_pair().
  PairwiseSum sums_[kPairSums];
  alignas(64) double a_[kBlock], b_[kBlock];
};

}  // namespace theta
