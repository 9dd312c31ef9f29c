// The key at a rank, by bisection: each step counts the keys from a bound on. No branch depends on a key, nothing is
// moved, and a pass over keys in cache is as fast as the processor reads; a digit's histogram costs more than ten such
// passes.
#pragma once

#include <type_traits>

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

/// Those of some keys that lie in [low, high], and how many lie above.
template <typename Key>
struct KeysAround {
  const Key* keys;
  int64_t count;
  Key low, high;
  int64_t above;
};

/// Of `count` keys as above a part with those at two ranks, `first` before `last`: halves are counted while both ranks
/// lie in one. Two keys are found among all with half as many counts, and among few with hardly any more. `room` is for
/// all.
template <typename W>
KeysAround<Bits<W>> keys_around(const WorkKernels<W>& kernels, const Bits<W>* keys, int64_t count, Bits<W> low,
                                Bits<W> high, int64_t first, int64_t last, Bits<W>* room) {
  using Signed = std::make_signed_t<Bits<W>>;
  int64_t above = 0;
  while (low != high) {
    const auto middle = static_cast<Bits<W>>(low + (high - low) / 2 + 1);
    const int64_t from_middle = kernels.count_from(keys, count, middle);
    if (from_middle > last) {
      low = middle;
    } else if (from_middle <= first) {
      high = static_cast<Bits<W>>(middle - 1);
      above = from_middle;
    } else {
      break;
    }
  }
  // No choice depends on a key: one that is not left is overwritten by the next.
  int64_t left = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto key = static_cast<Signed>(keys[i]);
    room[left] = keys[i];
    left += (key >= static_cast<Signed>(low)) & (key <= static_cast<Signed>(high));
  }
  return {room, left, low, high, above};
}

}  // namespace theta
