// A part of the canonical order in which a cut that several tensors share is looked for, and what one tensor has there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../program.h"

namespace theta {

/// A place in the canonical order, given by an element that need not exist. Keys are those of W.
struct OrderPlace {
  uint64_t key, tie;
};

/// The elements of a value from `first` to `last`, both included; none where `last` comes before `first`.
struct Window {
  ValueId of;
  /// 64-bit stream that ties are made of.
  uint64_t stream;
  OrderPlace first, last;
  /// Of the elements inside those are kept whose tie has so many zero bits at its end: one in 2^thinning.
  int32_t thinning;
  /// More than this are never kept: from there on the thinning is raised.
  int64_t limit;
};

struct FoundInWindow {
  /// Elements before the window, and in it.
  int64_t above = 0, inside = 0;
  /// Of those before it, the ones that have the key of `first`; of those behind it, the ones that have that of `last`.
  int64_t tied_above = 0, tied_below = 0;
  /// What it came to.
  int32_t thinning = 0;
  int64_t kept = 0;
  /// Those that are kept, in the order of their indices: key less that of `last`, then index less the one before, each
  /// in groups of seven bits, the lowest first, with the highest bit of a byte set where more follow.
  std::vector<std::byte> elements;
};

}  // namespace theta
