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

template <typename W>
void keys(const W* x, Bits<W>* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = key_of(x[i]);
}

template <typename W>
int64_t count_zeros(const W* x, int64_t n) {
  Bits<W> count = 0;
  for (int64_t i = 0; i < n; ++i) count += x[i] == 0;
  return static_cast<int64_t>(count);
}

template <typename Key>
KeyRange<Key> key_range(const Key* keys, int64_t n) {
  // A key of 0 less 1 is the largest number there is.
  Key low = static_cast<Key>(~Key{0}), high = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto less = static_cast<Key>(keys[i] - 1);
    low = less < low ? less : low;
    high = keys[i] > high ? keys[i] : high;
  }
  return {static_cast<Key>(low + 1), high};
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

template <typename W, bool by_number>
THETA_HD Bits<W> ordered_key(W x) {
  if constexpr (by_number) {
    return number_key_of(x);
  } else {
    return key_of(x);
  }
}

template <typename W, bool by_number>
int64_t collect(const W* x, int64_t n, Bits<W> low, Bits<W> high, Bits<W>* keys, uint32_t* positions, int64_t& above) {
  using Signed = std::make_signed_t<Bits<W>>;
  int64_t found = 0;
  int64_t begin = 0;
  Bits<W> higher = 0;
  for (; begin + kTile <= n; begin += kTile) {
    alignas(64) Bits<W> tile[kTile];
    for (int64_t i = 0; i < kTile; ++i) tile[i] = ordered_key<W, by_number>(x[begin + i]);
    for (int64_t i = 0; i < kTile; ++i) higher += static_cast<Signed>(tile[i]) > static_cast<Signed>(high);
    for (int64_t i = 0; i < kTile; i += kMatchGroup) {
      const uint32_t matches = match(tile + i, low, high);
      found += append(matches, tile + i, static_cast<uint32_t>(begin + i), keys + found, positions + found);
    }
  }
  for (; begin < n; ++begin) {
    const Bits<W> key = ordered_key<W, by_number>(x[begin]);
    higher += static_cast<Signed>(key) > static_cast<Signed>(high);
    // The distance from `low` wraps around for keys below it.
    if (key - low > high - low) continue;
    keys[found] = key;
    positions[found++] = static_cast<uint32_t>(begin);
  }
  above += static_cast<int64_t>(higher);
  return found;
}

template <typename W>
int64_t find(const W* x, int64_t n, Bits<W> key, uint32_t* positions) {
  int64_t found = 0;
  int64_t begin = 0;
  for (; begin + kTile <= n; begin += kTile) {
    alignas(64) Bits<W> tile[kTile];
    for (int64_t i = 0; i < kTile; ++i) tile[i] = key_of(x[begin + i]);
    for (int64_t i = 0; i < kTile; i += kMatchGroup) {
      found += append(match(tile + i, key, key), static_cast<uint32_t>(begin + i), positions + found);
    }
  }
  for (; begin < n; ++begin) {
    positions[found] = static_cast<uint32_t>(begin);
    found += key_of(x[begin]) == key;
  }
  return found;
}

}  // namespace
}  // namespace theta::THETA_ISA
