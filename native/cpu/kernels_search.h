// Which elements lie where in the canonical order. Included by kernels_body.h, once an instruction set; its rules hold
// here.
#pragma once

#include "../formula/order.h"
#include "kernels.h"
#include "kernels_match.h"
#include "kernels_tile.h"

namespace theta::THETA_ISA {
namespace {

void tie_keys(const uint32_t* positions, int64_t n, uint64_t first, uint64_t* __restrict ties) {
  for (int64_t i = 0; i < n; ++i) ties[i] = mix64(first + positions[i]);
}

template <typename W>
void band(const W* x, Bits<W> low, Bits<W> high, Bits<W>* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const Bits<W> key = key_of(x[i]);
    to[i] = (key >= low) & (key < high) ? static_cast<Bits<W>>(~Bits<W>{0}) : 0;
  }
}

/// The range of keys that were added.
template <typename Key>
struct RangeOfKeys {
  // A key of 0 less 1 is the largest number there is.
  Key low = static_cast<Key>(~Key{0}), high = 0;

  THETA_HD void add(Key key) {
    const auto less = static_cast<Key>(key - 1);
    low = less < low ? less : low;
    high = key > high ? key : high;
  }
  THETA_HD KeyRange<Key> range() const { return {static_cast<Key>(low + 1), high}; }
};

template <typename W>
void keys(const W* x, Bits<W>* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = key_of(x[i]);
}

template <typename W>
KeyRange<Bits<W>> keys_and_range(const W* x, Bits<W>* __restrict to, int64_t n) {
  RangeOfKeys<Bits<W>> seen;
  for (int64_t i = 0; i < n; ++i) {
    const Bits<W> key = key_of(x[i]);
    to[i] = key;
    seen.add(key);
  }
  return seen.range();
}

template <typename Key>
KeyRange<Key> key_range(const Key* keys, int64_t n) {
  RangeOfKeys<Key> seen;
  for (int64_t i = 0; i < n; ++i) seen.add(keys[i]);
  return seen.range();
}

template <typename W>
int64_t count_zeros(const W* x, int64_t n) {
  Bits<W> count = 0;
  for (int64_t i = 0; i < n; ++i) count += x[i] == 0;
  return static_cast<int64_t>(count);
}

template <typename Key>
int64_t count_from(const Key* keys, int64_t n, Key bound) {
  // Of magnitudes the highest bit is clear: signed comparisons serve all keys, and every instruction set has them.
  using Signed = std::make_signed_t<Key>;
  Key count = 0;
  for (int64_t i = 0; i < n; ++i) count += static_cast<Signed>(keys[i]) >= static_cast<Signed>(bound);
  return static_cast<int64_t>(count);
}

void number_keys(const double* x, uint64_t* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = number_key_of(x[i]);
}

/// Marks what lies above `high` where `marking`.
template <typename W, bool by_number, bool marking>
int64_t collect_and_mark(const W* x, int64_t n, Bits<W> low, Bits<W> high, Bits<W>* keys, uint32_t* positions,
                         int64_t& above, uint64_t* marks) {
  int64_t found = 0, higher = 0, begin = 0;
  for (; begin + kMatchGroup <= n; begin += kMatchGroup) {
    const Matches matches = match<by_number>(x + begin, low, high);
    higher += __builtin_popcount(matches.above);
    if (marking) put_marks(marks, begin, matches.above);
    found += append(matches.inside, static_cast<uint32_t>(begin), positions + found);
  }
  if (begin < n) {
    alignas(64) W rest[kMatchGroup] = {};
    for (int64_t i = begin; i < n; ++i) rest[i - begin] = x[i];
    const uint32_t there = (uint32_t{1} << (n - begin)) - 1;
    const Matches matches = match<by_number>(rest, low, high);
    higher += __builtin_popcount(matches.above & there);
    if (marking) put_marks(marks, begin, matches.above & there);
    found += append(matches.inside & there, static_cast<uint32_t>(begin), positions + found);
  }
  for (int64_t i = 0; i < found; ++i) keys[i] = ordered_key<by_number>(x[positions[i]]);
  above += higher;
  return found;
}

template <typename W, bool by_number>
int64_t collect(const W* x, int64_t n, Bits<W> low, Bits<W> high, Bits<W>* keys, uint32_t* positions, int64_t& above,
                uint64_t* marks) {
  return marks ? collect_and_mark<W, by_number, true>(x, n, low, high, keys, positions, above, marks)
               : collect_and_mark<W, by_number, false>(x, n, low, high, keys, positions, above, marks);
}

template <typename W>
int64_t find(const W* x, int64_t n, Bits<W> key, uint32_t* positions) {
  int64_t found = 0, begin = 0;
  for (; begin + kMatchGroup <= n; begin += kMatchGroup) {
    found += append(match<false>(x + begin, key, key).inside, static_cast<uint32_t>(begin), positions + found);
  }
  for (; begin < n; ++begin) {
    positions[found] = static_cast<uint32_t>(begin);
    found += key_of(x[begin]) == key;
  }
  return found;
}

template <typename W>
void keys_and_heads(const W* x, Bits<W>* __restrict to, uint16_t* __restrict heads, int64_t n) {
  constexpr int kShift = 8 * sizeof(W) - 16;
  for (int64_t i = 0; i < n; ++i) {
    const Bits<W> key = key_of(x[i]);
    to[i] = key;
    heads[i] = static_cast<uint16_t>(key >> kShift);
  }
}

int64_t count_heads_from(const uint16_t* heads, int64_t n, uint16_t bound) {
  // So many that counters as wide as a head do.
  constexpr int64_t kAtOnce = int64_t{1} << 15;
  int64_t total = 0;
  for (int64_t begin = 0; begin < n; begin += kAtOnce) {
    const int64_t end = begin + kAtOnce < n ? begin + kAtOnce : n;
    uint16_t count = 0;
    for (int64_t i = begin; i < end; ++i) {
      count = static_cast<uint16_t>(count + (static_cast<int16_t>(heads[i]) >= static_cast<int16_t>(bound)));
    }
    total += count;
  }
  return total;
}

void mark_heads_from(const uint16_t* heads, int64_t n, uint16_t bound, uint64_t* marks) {
  int64_t begin = 0;
  for (; begin + kHeadGroup <= n; begin += kHeadGroup) mark_heads(heads + begin, bound, marks, begin);
  if (begin == n) return;
  uint64_t rest = 0;
  for (int64_t i = begin; i < n; ++i) rest |= uint64_t{heads[i] >= bound} << (i - begin);
  for (int64_t i = begin; i < n; i += kMatchGroup) put_marks(marks, i, static_cast<uint32_t>(rest >> (i - begin)));
}

template <typename Key>
void lanes_of_marks(const uint64_t* marks, Key* __restrict to, int64_t n) {
  int64_t begin = 0;
  for (; begin + kMatchGroup <= n; begin += kMatchGroup) spread(get_marks(marks, begin), to + begin);
  if (begin == n) return;
  alignas(64) Key rest[kMatchGroup];
  spread(get_marks(marks, begin), rest);
  for (int64_t i = begin; i < n; ++i) to[i] = rest[i - begin];
}

}  // namespace
}  // namespace theta::THETA_ISA
