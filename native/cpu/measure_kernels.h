// The inner loops of measuring, a part of the kernel table: what is found is the same for every instruction set,
// because it is a count, an extremum or one of the lane sums of METHODS.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../dtype.h"
#include "../formula/element.h"

namespace theta {

THETA_HD bool is_finite(double x) { return (std::bit_cast<uint64_t>(x) & F64::kMagnitude) < F64::kInfinity; }

/// What lanes_pair() sums.
inline constexpr int kPairSums = 5;

/// Values are float64, widened exactly, and finite unless said.
struct MeasureKernels {
  /// Lowers `least` and raises `largest` to take in all of x; -0 lies below +0.
  void (*extend_range)(const double* x, int64_t n, double& least, double& largest);
  /// Adds elements of a block to its lanes, as WorkKernels::lanes_absolute.
  void (*lanes_sum)(const double* x, int64_t n, double* lanes);
  /// The same of |a - b|, (a - b)², a², b² and ab, whose lanes are lanes[0] to lanes[4]; raises `largest` to the
  /// largest |a - b|, and adds the positions where a and b differ to `different`.
  void (*lanes_pair)(const double* a, const double* b, int64_t n, double* const* lanes, double& largest,
                     int64_t& different);
  /// By log2 of an element's bytes: elements whose bits differ.
  int64_t (*count_different_bits[4])(const std::byte* a, const std::byte* b, int64_t n);
};

}  // namespace theta
