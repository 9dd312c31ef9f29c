// ram and ram_plus: means of the values that are active in an element, and how many are. Included by kernels_body.h,
// once an instruction set; its rules hold here.
#pragma once

#include <type_traits>

#include "../formula/choose.h"
#include "kernels.h"
#include "kernels_tile.h"

namespace theta::THETA_ISA {
namespace {

/// Of one element: Σ of the active values, their number, and the factor of the last of them.
template <typename W>
struct Active {
  W sum = 0;
  Bits<W> number = 0;
  W factor = 1;
};

template <typename W>
THETA_HD Active<W> with_value(Active<W> so_far, W x, W factor, W epsilon) {
  const Bits<W> active = is_active(x, epsilon);
  // Lanes of ones are -1.
  return {where(active, so_far.sum + x, so_far.sum), so_far.number - active, where(active, factor, so_far.factor)};
}

/// The mean. Where one value alone is active, the sum is that value: times its factor.
template <typename W>
THETA_HD W mean_of(Active<W> active) {
  const W mean = active.sum / static_cast<W>(static_cast<int32_t>(active.number > 1 ? active.number : 1));
  return where(lanes_of<W>(active.number == 1), active.factor * active.sum, mean);
}

/// Calls `of(number of values)` where that is one that most merges have, else `tile(begin, elements)` for each tile of
/// n.
template <typename Of, typename Tile>
THETA_HD void by_count(int count, Of of, Tile tile, int64_t n) {
  switch (count) {
    case 2:
      return of(std::integral_constant<int, 2>());
    case 3:
      return of(std::integral_constant<int, 3>());
    case 4:
      return of(std::integral_constant<int, 4>());
    default:
      for (int64_t begin = 0; begin < n; begin += kTile) tile(begin, n - begin < kTile ? n - begin : kTile);
  }
}

/// With the number of values known, all that belongs to an element stays in registers.
template <int count, typename W>
void ram_of(const W* const* values, W epsilon, const W* factors, W* __restrict to, int64_t n) {
  const W* x[count];
  W factor[count];
  for (int k = 0; k < count; ++k) x[k] = values[k];
  for (int k = 0; k < count; ++k) factor[k] = factors ? factors[k] : 1;
  for (int64_t i = 0; i < n; ++i) {
    Active<W> active;
    for (int k = 0; k < count; ++k) active = with_value(active, x[k][i], factor[k], epsilon);
    to[i] = mean_of(active);
  }
}

template <typename W>
THETA_HD void ram_tile(const W* const* values, int count, W epsilon, const W* factors, int64_t begin, int64_t n,
                       W* __restrict to) {
  alignas(64) W sum[kTile], factor[kTile];
  alignas(64) Bits<W> number[kTile];
  for (int64_t i = 0; i < n; ++i) sum[i] = 0;
  for (int64_t i = 0; i < n; ++i) number[i] = 0;
  for (int64_t i = 0; i < n; ++i) factor[i] = 1;
  for (int k = 0; k < count; ++k) {
    const W* x = values[k] + begin;
    const W own = factors ? factors[k] : 1;
    for (int64_t i = 0; i < n; ++i) {
      const Active<W> active = with_value({sum[i], number[i], factor[i]}, x[i], own, epsilon);
      sum[i] = active.sum;
      number[i] = active.number;
      factor[i] = active.factor;
    }
  }
  for (int64_t i = 0; i < n; ++i) to[i] = mean_of(Active<W>{sum[i], number[i], factor[i]});
}

template <typename W>
void ram(const W* const* values, int count, W epsilon, const W* factors, W* __restrict to, int64_t n) {
  by_count(
      count, [&](auto known) { ram_of<known>(values, epsilon, factors, to, n); },
      [&](int64_t begin, int64_t here) { ram_tile(values, count, epsilon, factors, begin, here, to + begin); }, n);
}

template <int count, typename W>
void count_active_of(const W* const* values, W epsilon, int64_t n, int64_t* active, int64_t* alone) {
  const W* x[count];
  Bits<W> here[count] = {}, here_alone[count] = {};
  for (int k = 0; k < count; ++k) x[k] = values[k];
  for (int64_t i = 0; i < n; ++i) {
    Bits<W> lanes[count], number = 0;
    for (int k = 0; k < count; ++k) {
      lanes[k] = is_active(x[k][i], epsilon);
      number -= lanes[k];
    }
    const Bits<W> single = lanes_of<W>(number == 1);
    for (int k = 0; k < count; ++k) {
      here[k] -= lanes[k];
      here_alone[k] -= lanes[k] & single;
    }
  }
  for (int k = 0; k < count; ++k) {
    active[k] += static_cast<int64_t>(here[k]);
    alone[k] += static_cast<int64_t>(here_alone[k]);
  }
}

template <typename W>
THETA_HD void count_active_tile(const W* const* values, int count, W epsilon, int64_t begin, int64_t n, int64_t* active,
                                int64_t* alone) {
  alignas(64) Bits<W> number[kTile];
  for (int64_t i = 0; i < n; ++i) number[i] = 0;
  for (int k = 0; k < count; ++k) {
    const W* x = values[k] + begin;
    for (int64_t i = 0; i < n; ++i) number[i] -= is_active(x[i], epsilon);
  }
  for (int k = 0; k < count; ++k) {
    const W* x = values[k] + begin;
    Bits<W> here = 0, here_alone = 0;
    for (int64_t i = 0; i < n; ++i) {
      const Bits<W> lanes = is_active(x[i], epsilon);
      here -= lanes;
      here_alone -= lanes & lanes_of<W>(number[i] == 1);
    }
    active[k] += static_cast<int64_t>(here);
    alone[k] += static_cast<int64_t>(here_alone);
  }
}

template <typename W>
void count_active(const W* const* values, int count, W epsilon, int64_t n, int64_t* active, int64_t* alone) {
  by_count(
      count, [&](auto known) { count_active_of<known>(values, epsilon, n, active, alone); },
      [&](int64_t begin, int64_t here) { count_active_tile(values, count, epsilon, begin, here, active, alone); }, n);
}

}  // namespace
}  // namespace theta::THETA_ISA
