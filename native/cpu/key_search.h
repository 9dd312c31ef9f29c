// The key at a rank, by bisection: each step counts the keys from a bound on. No branch depends on a key, nothing is
// moved, and a pass over keys in cache is as fast as the processor reads; a digit's histogram costs more than ten such
// passes.
#pragma once

#include "kernels.h"

namespace theta {

template <typename Key>
struct RankedKey {
  Key key;
  /// Keys above it.
  int64_t above;
};

/// Of `count` keys, all in [low, high] where keys are read as signed, the one at `rank`: 0 is the largest.
template <typename W>
RankedKey<Bits<W>> key_at(const WorkKernels<W>& kernels, const Bits<W>* keys, int64_t count, Bits<W> low, Bits<W> high,
                          int64_t rank) {
  int64_t above = 0;
  while (low != high) {
    const auto middle = static_cast<Bits<W>>(low + (high - low) / 2 + 1);
    const int64_t from_middle = kernels.count_from(keys, count, middle);
    if (from_middle > rank) {
      low = middle;
    } else {
      high = static_cast<Bits<W>>(middle - 1);
      above = from_middle;
    }
  }
  return {low, above};
}

}  // namespace theta
