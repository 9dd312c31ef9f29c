// The kernels, compiled once an instruction set: a file kernels_<isa>.cpp defines THETA_ISA as its namespace and
// includes this. Loops are written for the compiler's vectoriser. Only always-inlined functions of other headers may be
// called, and nothing of the standard library that is not: the linker would keep one copy for all instruction sets.

#include "../formula/combine.h"
#include "../formula/order.h"
#include "../formula/rounding.h"
#include "kernels.h"
#include "kernels_match.h"
#include "measure_kernels_body.h"

namespace theta::THETA_ISA {
namespace {

/// Elements that a kernel with temporaries works on at once: they stay in the first-level cache, mostly in registers.
constexpr int64_t kTile = 64;

template <typename Stored, typename W>
void widen_block(const std::byte* from, W* __restrict to, int64_t n) {
  const auto* stored = reinterpret_cast<const typename Stored::Storage*>(from);
  for (int64_t i = 0; i < n; ++i) to[i] = widen<Stored, W>(stored[i]);
}

template <typename Stored, typename W>
bool narrow_block(const W* from, std::byte* to, int64_t n) {
  auto* __restrict stored = reinterpret_cast<typename Stored::Storage*>(to);
  typename Stored::Storage largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto bits = narrow<Stored, W>(from[i]);
    stored[i] = bits;
    const auto magnitude = static_cast<typename Stored::Storage>(bits & Stored::kMagnitude);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest >= Stored::kInfinity;
}

template <typename Stored>
bool any_not_finite(const std::byte* from, int64_t n) {
  const auto* stored = reinterpret_cast<const typename Stored::Storage*>(from);
  typename Stored::Storage largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto magnitude = static_cast<typename Stored::Storage>(stored[i] & Stored::kMagnitude);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest >= Stored::kInfinity;
}

void tie_keys(const uint32_t* positions, int64_t n, uint64_t first, uint64_t* __restrict ties) {
  for (int64_t i = 0; i < n; ++i) ties[i] = mix64(first + positions[i]);
}

template <typename W>
void zero_not_finite(W* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const Bits<W> magnitude = std::bit_cast<Bits<W>>(x[i]) & FormatOf<W>::kMagnitude;
    x[i] = magnitude >= FormatOf<W>::kInfinity ? W{0} : x[i];
  }
}

template <typename W>
void subtract(const W* a, const W* b, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = a[i] - b[i];
}

template <typename W>
void add(const W* a, const W* b, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = a[i] + b[i];
}

template <typename W>
void onto_block(const W* base, const W* vector, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = onto(base[i], vector[i]);
}

template <typename W>
void negate(const W* x, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = -x[i];
}

template <typename W>
void multiply(const W* x, W by, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = by * x[i];
}

template <typename W>
void divide(const W* x, W by, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = x[i] / by;
}

template <typename W>
void scale(W* x, W by, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = by * x[i];
}

template <typename W>
void divide_in_place(W* x, W by, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = x[i] / by;
}

template <typename W>
void onto_in_place(const W* base, W* __restrict x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = onto(base[i], x[i]);
}

template <typename W>
void multiply_add(W* __restrict x, W by, const W* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = x[i] + by * y[i];
}

template <typename W>
void blend(W a, const W* x, W b, const W* y, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = a * x[i] + b * y[i];
}

template <typename W>
void interpolate(const W* base, const W* x, W by, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = onto(base[i], by * (x[i] - base[i]));
}

template <typename W>
void weighted_sum(const Terms<W>& terms, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
  for (int k = 0; k < terms.count; ++k) {
    const W weight = terms.weights[k];
    const W* x = terms.values[k];
    if (weight == 0) continue;
    for (int64_t i = 0; i < n; ++i) to[i] = to[i] + weight * x[i];
  }
}

template <typename W>
void weighted_differences(const W* base, const Terms<W>& terms, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
  for (int k = 0; k < terms.count; ++k) {
    const W weight = terms.weights[k];
    const W* x = terms.values[k];
    if (weight == 0) continue;
    for (int64_t i = 0; i < n; ++i) to[i] = to[i] + weight * (x[i] - base[i]);
  }
}

/// The sums whose signs elect: Σ wᵢτᵢ, Σ τᵢ or Σ sign(wᵢτᵢ).
template <typename W>
THETA_HD void elect_tile(const Terms<W>& terms, Elect elect, int64_t begin, int64_t n, W* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] = 0;
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
      const bool stays = agrees(by * x[i], elected[i]) != 0;
      total[i] = stays ? total[i] + exact : total[i];
      absolute[i] = stays ? absolute[i] + magnitude : absolute[i];
    }
  }
  for (int64_t i = 0; i < n; ++i) {
    const W divisor = static_cast<W>(divisor_of(total[i], absolute[i]));
    divisors[i] = divisor == 0 ? W{1} : divisor;
  }
}

/// table[set], by choosing between halves of the table: a gather takes longer while the table is small.
template <int terms, typename W>
THETA_HD W choose(const W* table, Bits<W> set) {
  if constexpr (terms == 0) {
    return table[0];
  } else {
    const W without = choose<terms - 1>(table, set), with = choose<terms - 1>(table + (1 << (terms - 1)), set);
    return where(lanes_of<W>(set >> (terms - 1) & 1), with, without);
  }
}

template <int terms, typename W>
THETA_HD void choose_tile(const W* table, const Bits<W>* sets, int64_t n, W* __restrict to) {
  for (int64_t i = 0; i < n; ++i) to[i] = choose<terms>(table, sets[i]);
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

template <typename W>
void ties(const Terms<W>& terms, const TiesRule<W>& rule, W* __restrict to, int64_t n) {
  int64_t begin = 0;
  for (; begin + kTile <= n; begin += kTile) ties_tile(terms, rule, begin, kTile, to + begin);
  if (begin < n) ties_tile(terms, rule, begin, n - begin, to + begin);
}

template <typename Key>
void mask_and(const Key* a, const Key* b, Key* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = a[i] & b[i];
}

template <typename Key>
void mask_or(const Key* a, const Key* b, Key* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = a[i] | b[i];
}

template <typename Key>
void mask_not(const Key* a, Key* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<Key>(~a[i]);
}

template <typename Key>
int64_t mask_count(const Key* a, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += a[i] & 1;
  return count;
}

template <typename W>
void select(const W* x, const Bits<W>* mask, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = std::bit_cast<W>(std::bit_cast<Bits<W>>(x[i]) & mask[i]);
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

template <typename Key>
int64_t count_from(const Key* keys, int64_t n, Key bound) {
  // Keys have their highest bit clear: signed comparisons serve, and every instruction set has them.
  using Signed = std::make_signed_t<Key>;
  Key count = 0;
  for (int64_t i = 0; i < n; ++i) count += static_cast<Signed>(keys[i]) >= static_cast<Signed>(bound);
  return static_cast<int64_t>(count);
}

template <typename W>
int64_t collect(const W* x, int64_t n, Bits<W> low, Bits<W> high, Bits<W>* keys, uint32_t* positions, int64_t& above) {
  using Signed = std::make_signed_t<Bits<W>>;
  int64_t found = 0;
  int64_t begin = 0;
  Bits<W> higher = 0;
  for (; begin + kTile <= n; begin += kTile) {
    alignas(64) Bits<W> tile[kTile];
    for (int64_t i = 0; i < kTile; ++i) tile[i] = key_of(x[begin + i]);
    for (int64_t i = 0; i < kTile; ++i) higher += static_cast<Signed>(tile[i]) > static_cast<Signed>(high);
    for (int64_t i = 0; i < kTile; i += kMatchGroup) {
      const uint32_t matches = match(tile + i, low, high);
      found += append(matches, tile + i, static_cast<uint32_t>(begin + i), keys + found, positions + found);
    }
  }
  for (; begin < n; ++begin) {
    const Bits<W> key = key_of(x[begin]);
    higher += key > high;
    if (key < low || key > high) continue;
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

template <typename W>
THETA_HD double absolute_of(W x) {
  return static_cast<double>(
      std::bit_cast<W>(static_cast<Bits<W>>(std::bit_cast<Bits<W>>(x) & FormatOf<W>::kMagnitude)));
}

template <typename W>
void lanes_absolute(const W* x, int64_t n, double* lanes) {
  alignas(64) double sums[kLanes];
  for (int j = 0; j < kLanes; ++j) sums[j] = lanes[j];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) sums[j] = sums[j] + absolute_of(x[i + j]);
  }
  for (int j = 0; i < n; ++i, ++j) sums[j] = sums[j] + absolute_of(x[i]);
  for (int j = 0; j < kLanes; ++j) lanes[j] = sums[j];
}

template <typename W>
void lanes_product(const W* x, const W* y, int64_t n, double* lanes) {
  alignas(64) double sums[kLanes];
  for (int j = 0; j < kLanes; ++j) sums[j] = lanes[j];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      sums[j] = sums[j] + static_cast<double>(x[i + j]) * static_cast<double>(y[i + j]);
    }
  }
  for (int j = 0; i < n; ++i, ++j) sums[j] = sums[j] + static_cast<double>(x[i]) * static_cast<double>(y[i]);
  for (int j = 0; j < kLanes; ++j) lanes[j] = sums[j];
}

template <typename W>
constexpr WorkKernels<W> work_kernels() {
  WorkKernels<W> k{};
  if constexpr (sizeof(W) == sizeof(double)) {
    k.widen[static_cast<int>(Dtype::f64)] = widen_block<F64, W>;
    k.narrow[static_cast<int>(Dtype::f64)] = narrow_block<F64, W>;
  }
  k.widen[static_cast<int>(Dtype::f32)] = widen_block<F32, W>;
  k.widen[static_cast<int>(Dtype::f16)] = widen_block<F16, W>;
  k.widen[static_cast<int>(Dtype::bf16)] = widen_block<Bf16, W>;
  k.narrow[static_cast<int>(Dtype::f32)] = narrow_block<F32, W>;
  k.narrow[static_cast<int>(Dtype::f16)] = narrow_block<F16, W>;
  k.narrow[static_cast<int>(Dtype::bf16)] = narrow_block<Bf16, W>;
  k.zero_not_finite = zero_not_finite<W>;
  k.subtract = subtract<W>;
  k.add = add<W>;
  k.onto = onto_block<W>;
  k.negate = negate<W>;
  k.multiply = multiply<W>;
  k.divide = divide<W>;
  k.scale = scale<W>;
  k.divide_in_place = divide_in_place<W>;
  k.onto_in_place = onto_in_place<W>;
  k.multiply_add = multiply_add<W>;
  k.blend = blend<W>;
  k.interpolate = interpolate<W>;
  k.weighted_sum = weighted_sum<W>;
  k.weighted_differences = weighted_differences<W>;
  k.ties = ties<W>;
  k.mask_and = mask_and<Bits<W>>;
  k.mask_or = mask_or<Bits<W>>;
  k.mask_not = mask_not<Bits<W>>;
  k.mask_count = mask_count<Bits<W>>;
  k.select = select<W>;
  k.band = band<W>;
  k.keys = keys<W>;
  k.count_from = count_from<Bits<W>>;
  k.collect = collect<W>;
  k.find = find<W>;
  k.lanes_absolute = lanes_absolute<W>;
  k.lanes_product = lanes_product<W>;
  return k;
}

}  // namespace

extern const KernelTable kTable;
const KernelTable kTable = {
    THETA_ISA_NAME,
    {any_not_finite<F64>, any_not_finite<F32>, any_not_finite<F16>, any_not_finite<Bf16>},
    tie_keys,
    work_kernels<float>(),
    work_kernels<double>(),
    measure_kernels(),
};

}  // namespace theta::THETA_ISA
