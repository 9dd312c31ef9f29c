// The step of Model Stock from the angles between task vectors (METHODS.md, "Strategies on vectors").
#pragma once

#include "gram.h"

namespace theta {

/// t in [0, 1] from the mean cosine of the pairs; 1 for one vector. A NaN passes.
inline double model_stock_step(const Gram& gram) {
  const int64_t k = gram.count;
  double total = 0;
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = i + 1; j < k; ++j) {
      const double norms = gram.norm(i) * gram.norm(j);
      const double cosine = norms == 0 ? 0.0 : gram.dot(i, j) / norms;
      total = total + (cosine < -1.0 ? -1.0 : cosine > 1.0 ? 1.0 : cosine);
    }
  }
  const double mean = k > 1 ? total / static_cast<double>(k * (k - 1) / 2) : 1.0;
  const double divisor = 1.0 + static_cast<double>(k - 1) * mean;
  if (divisor <= 0) return 0;
  const double t = static_cast<double>(k) * mean / divisor;
  return t < 0 ? 0.0 : t > 1 ? 1.0 : t;
}

}  // namespace theta
