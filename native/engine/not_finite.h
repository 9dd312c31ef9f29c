// NaN and infinities of payloads that only pass through, counted while they are in cache.
#pragma once

#include "../cpu/evaluate.h"
#include "../io/sha256.h"

namespace theta {

/// Adds those in `data`, whole elements of which the first has the linear index `first`.
void add_not_finite(InputCounters& counters, Dtype dtype, Bytes data, int64_t first, const KernelTable& kernels);

}  // namespace theta
