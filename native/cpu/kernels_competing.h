// pcb: which elements may be balanced well enough to count, what they count for, and their mean by that. Included by
// kernels_body.h, once an instruction set; its rules hold here.
#pragma once

#include "../formula/compete.h"
#include "kernels.h"
#include "kernels_match.h"
#include "kernels_tile.h"

namespace theta::THETA_ISA {
namespace {

// Loops over the elements of one vector are functions of their own: in a loop over vectors compilers run two of them at
// once, and then do not vectorise.

template <typename W>
__attribute__((noinline)) void add_rough_shares(const W* x, W low, W high, W slope, W level, int64_t n,
                                                W* __restrict rivals) {
  for (int64_t i = 0; i < n; ++i) {
    rivals[i] = rivals[i] + rough_signed(x[i], rough_share(x[i], low, high, slope, level));
  }
}

template <typename W>
__attribute__((noinline)) void bound_balances(const W* x, W low, W high, W slope, W level, const W* rivals, W slack,
                                              W rate, int64_t n, W* __restrict to) {
  for (int64_t i = 0; i < n; ++i) {
    to[i] = balance_bound(x[i], rough_share(x[i], low, high, slope, level), rivals[i], slack, rate);
  }
}

/// Elements that contenders() looks at at once: as many as a block has.
constexpr int64_t kContenderTile = 512;

template <typename W>
THETA_HD void contenders_tile(const W* const* values, int count, const Competitor<W>* rules,
                              const BalanceBounds<W>& bounds, int64_t begin, int64_t n, uint32_t* const* positions,
                              int64_t* found) {
  alignas(64) W rivals[kContenderTile], bound[kContenderTile];
  uint32_t any[kContenderTile / kMatchGroup] = {};
  const auto there = [n](int64_t i) { return n - i < kMatchGroup ? (uint32_t{1} << (n - i)) - 1 : 0xffff; };
  if (bounds.are_of_use) {
    for (int64_t i = 0; i < n; ++i) rivals[i] = 0;
    for (int k = 0; k < count; ++k) {
      add_rough_shares(values[k] + begin, rules[k].low, rules[k].high, bounds.slopes[k], bounds.levels[k], n, rivals);
    }
  }
  for (int k = 0; k < count; ++k) {
    const W floor = bounds.floors[k];
    if (floor == __builtin_inf()) continue;
    const bool all = !bounds.are_of_use || !(floor > 0);
    if (!all) {
      bound_balances(values[k] + begin, rules[k].low, rules[k].high, bounds.slopes[k], bounds.levels[k], rivals,
                     bounds.slack, bounds.rate, n, bound);
      for (int64_t i = n; i % kMatchGroup != 0; ++i) bound[i] = 0;
    }
    for (int64_t i = 0; i < n; i += kMatchGroup) {
      const uint32_t may = all ? there(i) : match<false>(bound + i, key_of(floor), FormatOf<W>::kNan).inside;
      any[i / kMatchGroup] |= may;
      found[k] += append(may, static_cast<uint32_t>(begin + i), positions[k] + found[k]);
    }
  }
  for (int64_t i = 0; i < n; i += kMatchGroup) {
    found[count] += append(any[i / kMatchGroup], static_cast<uint32_t>(begin + i), positions[count] + found[count]);
  }
}

template <typename W>
void contenders(const W* const* values, int count, const Competitor<W>* rules, const BalanceBounds<W>& bounds,
                int64_t n, uint32_t* const* positions, int64_t* found) {
  for (int k = 0; k <= count; ++k) found[k] = 0;
  for (int64_t begin = 0; begin < n; begin += kContenderTile) {
    const int64_t here = n - begin < kContenderTile ? n - begin : kContenderTile;
    contenders_tile(values, count, rules, bounds, begin, here, positions, found);
  }
}

template <typename W>
THETA_HD void rivals_tile(const W* const* values, int count, const Competitor<W>* rules, const uint32_t* positions,
                          int64_t n, double* __restrict rivals) {
  alignas(64) double sum[kTile];
  for (int64_t i = 0; i < n; ++i) sum[i] = 0;
  for (int k = 0; k < count; ++k) {
    const W* values_of = values[k];
    const W low = rules[k].low, high = rules[k].high;
    for (int64_t i = 0; i < n; ++i) {
      const W x = values_of[positions[i]];
      const double share = share_of_range(clipped_size(x, low, high), low, high);
      sum[i] = sum[i] + signed_as(static_cast<double>(x), share);
    }
  }
  for (int64_t i = 0; i < n; ++i) rivals[positions[i]] = sum[i];
}

template <typename W>
void rivals_at(const W* const* values, int count, const Competitor<W>* rules, const uint32_t* positions, int64_t n,
               double* rivals) {
  for (int64_t begin = 0; begin < n; begin += kTile) {
    rivals_tile(values, count, rules, positions + begin, n - begin < kTile ? n - begin : kTile, rivals);
  }
}

template <typename W>
THETA_HD void balances_tile(const W* values, const Competitor<W>& rule, double count, const double* rivals,
                            const uint32_t* positions, int64_t n, double* __restrict to) {
  alignas(64) double along[kTile];
  const W low = rule.low, high = rule.high;
  int far = 0;
  for (int64_t i = 0; i < n; ++i) {
    const W x = values[positions[i]];
    along[i] = static_cast<double>(x) * rivals[positions[i]];
    to[i] = power_of_share(share_of_range(clipped_size(x, low, high), low, high), count);
    far += !is_near_zero(along[i]);
  }
  // Changes are small as a rule, and then no second exponential is needed.
  if (far == 0) {
    for (int64_t i = 0; i < n; ++i) to[i] = to[i] * tangent_near_zero(along[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = to[i] * hyperbolic_tangent(along[i]);
  }
}

template <typename W>
void balances_at(const W* x, const Competitor<W>& rule, int count, const double* rivals, const uint32_t* positions,
                 int64_t n, double* to) {
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t here = n - begin < kTile ? n - begin : kTile;
    balances_tile(x, rule, count, rivals, positions + begin, here, to + begin);
  }
}

template <typename W>
void add_scored(const W* values, const Competitor<W>& rule, const double* balances, const uint32_t* positions,
                int64_t n, W* sum, W* divisor) {
  alignas(64) W score[kTile], term[kTile];
  const W low = rule.low, high = rule.high, weight = rule.weight;
  const double least = rule.least, most = rule.most;
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t here = n - begin < kTile ? n - begin : kTile;
    for (int64_t i = 0; i < here; ++i) {
      const W x = values[positions[begin + i]];
      score[i] = static_cast<W>(score_of(x, balances[begin + i], least, most));
      term[i] = weight * signed_as(x, clipped_size(x, low, high)) * score[i];
    }
    for (int64_t i = 0; i < here; ++i) {
      const uint32_t at = positions[begin + i];
      sum[at] = weight == 0 ? sum[at] : sum[at] + term[i];
      divisor[at] = divisor[at] + score[i];
    }
  }
}

template <typename W>
void divide_by_scores(const W* divisor, W scale, W* sum, int64_t n) {
  const W smallest = static_cast<W>(1e-12);
  for (int64_t i = 0; i < n; ++i) sum[i] = scale * (sum[i] / (divisor[i] < smallest ? smallest : divisor[i]));
}

}  // namespace
}  // namespace theta::THETA_ISA
