// A block: the elements that the interpreter runs all steps of a stage over while their values lie in cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "../formula/element.h"
#include "../program.h"

namespace theta {

inline constexpr int64_t kBlock = 512;

template <typename W>
struct Block {
  /// Linear index of the first element, and their number, at most kBlock.
  int64_t begin;
  int64_t count;
  /// By operation: its value, once its step has run.
  const W** values;
  /// By input: the block's first element as stored.
  const std::byte* const* stored;
  /// What is stored was read some time ago and lies in memory, not in cache.
  bool is_cold = false;

  const W* value(ValueId id) const { return values[id]; }
  const Bits<W>* mask(ValueId id) const { return reinterpret_cast<const Bits<W>*>(values[id]); }
};

/// Computes one operation's value of a block into room for kBlock elements. A load whose bytes are W's already may
/// point `values` at them instead.
template <typename W>
using Step = std::function<void(const Block<W>& block, W* to)>;

/// Calls `body(group's first element, offset in the block, count)` for each group of `size` elements in a block.
template <typename Body>
void for_each_group(int64_t begin, int64_t count, int64_t size, Body&& body) {
  int64_t first = begin / size * size;
  for (int64_t at = begin; at < begin + count; first += size) {
    const int64_t end = first + size < begin + count ? first + size : begin + count;
    body(first, at - begin, end - at);
    at = end;
  }
}

}  // namespace theta
