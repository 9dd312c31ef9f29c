// What the core knows of a tensor: dtype and shape. Where its bytes lie is the caller's business.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "dtype.h"

namespace theta {

struct TensorDesc {
  /// Nothing for a dtype that is only copied.
  std::optional<Dtype> dtype;
  std::vector<int64_t> shape;
  /// Size of the payload; what counts for a dtype that is only copied.
  int64_t bytes = 0;
};

/// Product of the dimensions; 1 for a scalar. The caller has checked that payload sizes fit 63 bits; those of a tensor
/// without elements do whatever its other dimensions are.
inline int64_t elements(const std::vector<int64_t>& shape) {
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  int64_t product = 1;
  for (const int64_t dimension : shape) product *= dimension;
  return product;
}

}  // namespace theta
