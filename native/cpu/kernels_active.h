// ram and ram_plus: means of the values that are active in an element, and how many are. Included by kernels_body.h,
// once an instruction set; its rules hold here.
#pragma once

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
  switch (count) {
    case 2:
      return ram_of<2>(values, epsilon, factors, to, n);
    case 3:
      return ram_of<3>(values, epsilon, factors, to, n);
    case 4:
      return ram_of<4>(values, epsilon, factors, to, n);
    default:
      for (int64_t begin = 0; begin < n; begin += kTile) {
        ram_tile(values, count, epsilon, factors, begin, n - begin < kTile ? n - begin : kTile, to + begin);
      }
  }
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
  switch (count) {
    case 2:
      return count_active_of<2>(values, epsilon, n, active, alone);
    case 3:
      return count_active_of<3>(values, epsilon, n, active, alone);
    case 4:
      return count_active_of<4>(values, epsilon, n, active, alone);
    default:
      for (int64_t begin = 0; begin < n; begin += kTile) {
        const int64_t here = n - begin < kTile ? n - begin : kTile;
        count_active_tile(values, count, epsilon, begin, here, active, alone);
      }
  }
}

}  // namespace
}  // namespace theta::THETA_ISA
