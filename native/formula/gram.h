// The dot products of several tensors with each other, and what follows from them alone: per-tensor scalars, finished
// on the CPU in float64 whatever device summed them.
#pragma once

#include "math.h"

namespace theta {

/// How many pairs i ≤ j of `count` tensors there are.
THETA_HD int64_t gram_pairs(int64_t count) { return count * (count + 1) / 2; }

/// Where the pair stands: (0, 0), (0, 1) … (0, count − 1), (1, 1) …; either may be the larger.
THETA_HD int64_t gram_pair(int64_t i, int64_t j, int64_t count) {
  const int64_t low = i < j ? i : j, high = i < j ? j : i;
  return low * count - low * (low + 1) / 2 + high;
}

struct Gram {
  /// In the order of gram_pair.
  const double* sums;
  int64_t count;

  double dot(int64_t i, int64_t j) const { return sums[gram_pair(i, j, count)]; }
  double norm(int64_t i) const { return square_root(dot(i, i)); }
};

}  // namespace theta
