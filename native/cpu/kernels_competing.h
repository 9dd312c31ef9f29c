// pcb: what vectors' elements count for, and their mean by that. Included by kernels_body.h, once an instruction set;
// its rules hold here.
#pragma once

#include "../formula/compete.h"
#include "kernels.h"
#include "kernels_tile.h"

namespace theta::THETA_ISA {
namespace {

template <typename W>
THETA_HD void rivals_tile(const W* const* values, int count, const Competitor<W>* rules, int64_t begin, int64_t n,
                          double* __restrict rivals) {
  for (int64_t i = 0; i < n; ++i) rivals[i] = 0;
  for (int k = 0; k < count; ++k) {
    const W* x = values[k] + begin;
    const W low = rules[k].low, high = rules[k].high;
    for (int64_t i = 0; i < n; ++i) {
      const double share = share_of_range(clipped_size(x[i], low, high), low, high);
      rivals[i] = rivals[i] + signed_as(static_cast<double>(x[i]), share);
    }
  }
}

template <typename W>
THETA_HD void balances_tile(const W* x, const Competitor<W>& rule, double count, const double* rivals, int64_t n,
                            double* __restrict to) {
  const W low = rule.low, high = rule.high;
  for (int64_t i = 0; i < n; ++i) {
    const double share = share_of_range(clipped_size(x[i], low, high), low, high);
    to[i] = balance_of(static_cast<double>(x[i]), share, rivals[i], count);
  }
}

template <typename W>
void balances(const W* const* values, int count, const Competitor<W>* rules, double* const* to, int64_t n) {
  alignas(64) double rivals[kTile];
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t here = n - begin < kTile ? n - begin : kTile;
    rivals_tile(values, count, rules, begin, here, rivals);
    for (int k = 0; k < count; ++k) balances_tile(values[k] + begin, rules[k], count, rivals, here, to[k] + begin);
  }
}

template <typename W>
THETA_HD void balanced_tile(const W* const* values, int count, const Competitor<W>* rules, W scale, int64_t begin,
                            int64_t n, W* __restrict to) {
  alignas(64) double rivals[kTile], balance[kTile];
  alignas(64) W divisor[kTile];
  rivals_tile(values, count, rules, begin, n, rivals);
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
  for (int64_t i = 0; i < n; ++i) divisor[i] = 0;
  for (int k = 0; k < count; ++k) {
    const W* x = values[k] + begin;
    const Competitor<W>& rule = rules[k];
    balances_tile(x, rule, count, rivals, n, balance);
    const W low = rule.low, high = rule.high, weight = rule.weight;
    const double least = rule.least, most = rule.most;
    for (int64_t i = 0; i < n; ++i) {
      const W score = static_cast<W>(score_of(x[i], balance[i], least, most));
      const W term = weight * signed_as(x[i], clipped_size(x[i], low, high));
      to[i] = weight == 0 ? to[i] : to[i] + term * score;
      divisor[i] = divisor[i] + score;
    }
  }
  const W smallest = static_cast<W>(1e-12);
  for (int64_t i = 0; i < n; ++i) to[i] = scale * (to[i] / (divisor[i] < smallest ? smallest : divisor[i]));
}

template <typename W>
void balanced_mean(const W* const* values, int count, const Competitor<W>* rules, W scale, W* __restrict to,
                   int64_t n) {
  for (int64_t begin = 0; begin < n; begin += kTile) {
    balanced_tile(values, count, rules, scale, begin, n - begin < kTile ? n - begin : kTile, to + begin);
  }
}

}  // namespace
}  // namespace theta::THETA_ISA
