// Sign consensus. Included by kernels_body.h, once an instruction set; its rules hold here.
#pragma once

#include "../formula/combine.h"
#include "kernels.h"
#include "kernels_tile.h"

namespace theta::THETA_ISA {
namespace {

/// The sums whose signs elect: Σ wᵢτᵢ, Σ τᵢ or Σ sign(wᵢτᵢ). Where nothing elects, each term's own sign does.
template <typename W>
THETA_HD void elect_tile(const Terms<W>& terms, Elect elect, int64_t begin, int64_t n, W* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] = 0;
  if (elect == Elect::none) return;
  for (int k = 0; k < terms.count; ++k) {
    const W weight = terms.weights[k];
    const W* x = terms.values[k] + begin;
    if (elect == Elect::unweighted) {
      for (int64_t i = 0; i < n; ++i) sum[i] = sum[i] + x[i];
    } else if (weight == 0) {
      continue;
    } else if (elect == Elect::weighted) {
      for (int64_t i = 0; i < n; ++i) sum[i] = sum[i] + weight * x[i];
    } else {
      for (int64_t i = 0; i < n; ++i) sum[i] = sum[i] + sign_of(weight * x[i]);
    }
  }
}

/// Σ wᵢτᵢ over the terms that agree, and which they are: as a set in `in`, or, counted, their number.
template <typename W, bool counted>
THETA_HD void agree_tile(const Terms<W>& terms, Elect elect, int64_t begin, int64_t n, const W* elected,
                         W* __restrict sum, Bits<W>* __restrict in) {
  for (int64_t i = 0; i < n; ++i) sum[i] = 0;
  for (int64_t i = 0; i < n; ++i) in[i] = 0;
  for (int k = 0; k < terms.count; ++k) {
    const W weight = terms.weights[k];
    const W* x = terms.values[k] + begin;
    const Bits<W> mark = counted ? 1 : static_cast<Bits<W>>(Bits<W>{1} << k);
    if (weight == 0) {
      if (elect != Elect::unweighted) continue;
      for (int64_t i = 0; i < n; ++i) in[i] += agrees(x[i], elected[i]) & mark;
    } else if (elect == Elect::unweighted) {
      for (int64_t i = 0; i < n; ++i) {
        const Bits<W> stays = agrees(x[i], elected[i]);
        sum[i] = where(stays, sum[i] + weight * x[i], sum[i]);
        in[i] += stays & mark;
      }
    } else if (elect == Elect::none) {
      for (int64_t i = 0; i < n; ++i) {
        const W term = weight * x[i];
        const Bits<W> stays = agrees(term, term);
        sum[i] = where(stays, sum[i] + term, sum[i]);
        in[i] += stays & mark;
      }
    } else {
      for (int64_t i = 0; i < n; ++i) {
        const W term = weight * x[i];
        const Bits<W> stays = agrees(term, elected[i]);
        sum[i] = where(stays, sum[i] + term, sum[i]);
        in[i] += stays & mark;
      }
    }
  }
}

/// Divisors in float64, term by term, for merges of too many terms for a table.
template <typename W>
THETA_HD void divisors_tile(const Terms<W>& terms, const TiesRule<W>& rule, int64_t begin, int64_t n, const W* elected,
                            W* __restrict divisors) {
  double total[kTile] = {}, absolute[kTile] = {};
  for (int k = 0; k < terms.count; ++k) {
    const W weight = terms.weights[k];
    if (weight == 0 && rule.elect != Elect::unweighted) continue;
    const W by = rule.elect == Elect::unweighted ? W{1} : weight;
    const double exact = rule.weights[k], magnitude = exact < 0 ? -exact : exact;
    const W* x = terms.values[k] + begin;
    for (int64_t i = 0; i < n; ++i) {
      const W term = by * x[i];
      const bool stays = agrees(term, rule.elect == Elect::none ? term : elected[i]) != 0;
      total[i] = stays ? total[i] + exact : total[i];
      absolute[i] = stays ? absolute[i] + magnitude : absolute[i];
    }
  }
  for (int64_t i = 0; i < n; ++i) {
    const W divisor = static_cast<W>(divisor_of(total[i], absolute[i]));
    divisors[i] = divisor == 0 ? W{1} : divisor;
  }
}

/// table[set], by choosing between halves of the table: a gather takes longer while the table is small. `in`: by term,
/// ones where it is in the set.
template <int terms, typename W>
THETA_HD W choose(const W* table, const Bits<W>* in) {
  if constexpr (terms == 0) {
    return table[0];
  } else {
    const W without = choose<terms - 1>(table, in), with = choose<terms - 1>(table + (1 << (terms - 1)), in);
    return where(in[terms - 1], with, without);
  }
}

template <int terms, typename W>
THETA_HD void choose_tile(const W* table, const Bits<W>* sets, int64_t n, W* __restrict to) {
  for (int64_t i = 0; i < n; ++i) {
    Bits<W> in[terms];
    for (int k = 0; k < terms; ++k) in[k] = lanes_of<W>(sets[i] >> k & 1);
    to[i] = choose<terms>(table, in);
  }
}

template <typename W>
THETA_HD void look_up_tile(const W* table, int terms, const Bits<W>* sets, int64_t n, W* __restrict to) {
  switch (terms) {
    case 2:
      return choose_tile<2>(table, sets, n, to);
    case 3:
      return choose_tile<3>(table, sets, n, to);
    case 4:
      return choose_tile<4>(table, sets, n, to);
    default:
      for (int64_t i = 0; i < n; ++i) to[i] = table[sets[i]];
  }
}

template <typename W>
THETA_HD void ties_tile(const Terms<W>& terms, const TiesRule<W>& rule, int64_t begin, int64_t n, W* __restrict to) {
  alignas(64) W elected[kTile];
  alignas(64) Bits<W> in[kTile];
  alignas(64) W divisors[kTile];
  elect_tile(terms, rule.elect, begin, n, elected);
  if (rule.divide == DivideBy::weights && rule.divisors) {
    agree_tile<W, false>(terms, rule.elect, begin, n, elected, to, in);
    look_up_tile(rule.divisors, terms.count, in, n, divisors);
    for (int64_t i = 0; i < n; ++i) to[i] = terms.scale * (to[i] / divisors[i]);
    return;
  }
  agree_tile<W, true>(terms, rule.elect, begin, n, elected, to, in);
  if (rule.divide == DivideBy::none) {
    for (int64_t i = 0; i < n; ++i) to[i] = terms.scale * to[i];
    return;
  }
  if (rule.divide == DivideBy::count) {
    for (int64_t i = 0; i < n; ++i) divisors[i] = static_cast<W>(static_cast<int32_t>(in[i] > 1 ? in[i] : 1));
  } else {
    divisors_tile(terms, rule, begin, n, elected, divisors);
  }
  for (int64_t i = 0; i < n; ++i) to[i] = terms.scale * (to[i] / divisors[i]);
}

/// The same where all that belongs to an element stays in registers: a few terms, none of weight 0.
template <typename W, int count, Elect elect, bool divides>
void ties_of_few(const Terms<W>& terms, const W* divisors, W* __restrict to, int64_t n) {
  W weights[count];
  const W* x[count];
  for (int k = 0; k < count; ++k) weights[k] = terms.weights[k];
  for (int k = 0; k < count; ++k) x[k] = terms.values[k];
  for (int64_t i = 0; i < n; ++i) {
    W elected = 0, sum = 0;
    Bits<W> in[count];
    for (int k = 0; k < count; ++k) elected = elected + (elect == Elect::unweighted ? x[k][i] : weights[k] * x[k][i]);
    for (int k = 0; k < count; ++k) {
      const W term = weights[k] * x[k][i];
      in[k] = agrees(elect == Elect::unweighted ? x[k][i] : term, elected);
      sum = where(in[k], sum + term, sum);
    }
    to[i] = terms.scale * (divides ? sum / choose<count>(divisors, in) : sum);
  }
}

template <typename W, int count>
void ties_of_few(const Terms<W>& terms, const TiesRule<W>& rule, W* __restrict to, int64_t n) {
  const bool divides = rule.divide != DivideBy::none;
  if (rule.elect == Elect::unweighted) {
    return divides ? ties_of_few<W, count, Elect::unweighted, true>(terms, rule.divisors, to, n)
                   : ties_of_few<W, count, Elect::unweighted, false>(terms, rule.divisors, to, n);
  }
  return divides ? ties_of_few<W, count, Elect::weighted, true>(terms, rule.divisors, to, n)
                 : ties_of_few<W, count, Elect::weighted, false>(terms, rule.divisors, to, n);
}

template <typename W>
bool suits_few(const Terms<W>& terms, const TiesRule<W>& rule) {
  if (rule.elect != Elect::weighted && rule.elect != Elect::unweighted) return false;
  if (rule.divide == DivideBy::count) return false;
  for (int k = 0; k < terms.count; ++k) {
    if (terms.weights[k] == 0) return false;
  }
  return rule.divisors != nullptr;
}

template <typename W>
void ties(const Terms<W>& terms, const TiesRule<W>& rule, W* __restrict to, int64_t n) {
  if (suits_few(terms, rule)) {
    if (terms.count == 2) return ties_of_few<W, 2>(terms, rule, to, n);
    if (terms.count == 3) return ties_of_few<W, 3>(terms, rule, to, n);
    if (terms.count == 4) return ties_of_few<W, 4>(terms, rule, to, n);
  }
  int64_t begin = 0;
  for (; begin + kTile <= n; begin += kTile) ties_tile(terms, rule, begin, kTile, to + begin);
  if (begin < n) ties_tile(terms, rule, begin, n - begin, to + begin);
}

}  // namespace
}  // namespace theta::THETA_ISA
