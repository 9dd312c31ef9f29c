// The kernels, compiled once an instruction set: a file kernels_<isa>.cpp defines THETA_ISA as its namespace and
// includes this. Loops are written for the compiler's vectoriser. Only always-inlined functions of other headers may be
// called, and nothing of the standard library that is not: the linker would keep one copy for all instruction sets.

#include "../formula/combine.h"
#include "../formula/order.h"
#include "../formula/rounding.h"
#include "kernels.h"
#include "kernels_active.h"
#include "kernels_buckets.h"
#include "kernels_competing.h"
#include "kernels_gram.h"
#include "kernels_random.h"
#include "kernels_ranking.h"
#include "kernels_search.h"
#include "kernels_selecting.h"
#include "kernels_ties.h"
#include "measure_kernels_body.h"

namespace theta::THETA_ISA {
namespace {

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

template <typename Stored, typename W>
void subtract_stored(const std::byte* from, const W* b, W* __restrict to, int64_t n) {
  const auto* stored = reinterpret_cast<const typename Stored::Storage*>(from);
  for (int64_t i = 0; i < n; ++i) to[i] = widen<Stored, W>(stored[i]) - b[i];
}

template <typename Stored, typename W>
void subtract_stored_marked(const std::byte* from, const W* b, const uint64_t* marks, W* __restrict to, int64_t n) {
  const auto* stored = reinterpret_cast<const typename Stored::Storage*>(from);
  where_marked(marks, to, n, [&](int64_t i) { return widen<Stored, W>(stored[i]) - b[i]; });
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
  // Lanes of ones are −1, and adding as wide as a lane takes one instruction for several.
  Key count = 0;
  for (int64_t i = 0; i < n; ++i) count = static_cast<Key>(count - a[i]);
  return static_cast<int64_t>(count);
}

template <typename W>
void select(const W* x, const Bits<W>* mask, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = kept(x[i], mask[i]);
}

template <typename W>
void select_marked(const W* x, const uint64_t* marks, W* __restrict to, int64_t n) {
  where_marked(marks, to, n, [&](int64_t i) { return x[i]; });
}

template <typename W>
void lanes_absolute(const W* x, int64_t n, double* lanes) {
  alignas(64) double sums[kLanes];
  for (int j = 0; j < kLanes; ++j) sums[j] = lanes[j];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) sums[j] = sums[j] + static_cast<double>(absolute(x[i + j]));
  }
  for (int j = 0; i < n; ++i, ++j) sums[j] = sums[j] + static_cast<double>(absolute(x[i]));
  for (int j = 0; j < kLanes; ++j) lanes[j] = sums[j];
}

template <typename W>
void nearswap(const W* x, W t, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = nearswapped(x[i], t);
}

template <typename Stored, typename W>
constexpr void convert(WorkKernels<W>& k, Dtype dtype) {
  k.widen[static_cast<int>(dtype)] = widen_block<Stored, W>;
  k.narrow[static_cast<int>(dtype)] = narrow_block<Stored, W>;
  k.subtract_stored[static_cast<int>(dtype)] = subtract_stored<Stored, W>;
  k.subtract_stored_marked[static_cast<int>(dtype)] = subtract_stored_marked<Stored, W>;
}

template <typename W>
constexpr WorkKernels<W> work_kernels() {
  WorkKernels<W> k{};
  if constexpr (sizeof(W) == sizeof(double)) convert<F64>(k, Dtype::f64);
  convert<F32>(k, Dtype::f32);
  convert<F16>(k, Dtype::f16);
  convert<Bf16>(k, Dtype::bf16);
  convert<F8E5m2>(k, Dtype::f8_e5m2);
  convert<F8E4m3>(k, Dtype::f8_e4m3);
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
  k.nearswap = nearswap<W>;
  k.mask_and = mask_and<Bits<W>>;
  k.mask_or = mask_or<Bits<W>>;
  k.mask_not = mask_not<Bits<W>>;
  k.mask_count = mask_count<Bits<W>>;
  k.select = select<W>;
  k.select_marked = select_marked<W>;
  k.band = band<W>;
  k.below = below<Bits<W>>;
  k.lanes_where = lanes_where<Bits<W>>;
  k.below_each = below_each<Bits<W>>;
  k.divide_by_thresholds = divide_by_thresholds<W>;
  k.divide_where = divide_where<W>;
  k.keys = keys<W>;
  k.rank_digits = rank_digits<Bits<W>>;
  k.expect_ranks = expect_ranks<Bits<W>>;
  k.spread_ranks = spread_ranks<Bits<W>>;
  k.count_zeros = count_zeros<W>;
  k.key_range = key_range<Bits<W>>;
  k.keys_and_range = keys_and_range<W>;
  k.count_from = count_from<Bits<W>>;
  k.collect = collect<W, false>;
  k.find = find<W>;
  k.keys_and_heads = keys_and_heads<W>;
  k.lanes_of_marks = lanes_of_marks<Bits<W>>;
  k.variance = variance<W>;
  k.lanes_square_where = lanes_square_where<W>;
  k.select_in_place = select_in_place<W>;
  k.ram = ram<W>;
  k.count_active = count_active<W>;
  k.magmax = magmax<W>;
  k.consensus = consensus<W>;
  k.contenders = contenders<W>;
  k.rivals_at = rivals_at<W>;
  k.balances_at = balances_at<W>;
  k.add_scored = add_scored<W>;
  k.divide_by_scores = divide_by_scores<W>;
  k.largest_of = largest_of<W>;
  k.exponentials = exponentials<W>;
  k.importances = importances<W>;
  k.keep_important = keep_important<W>;
  k.lanes_absolute = lanes_absolute<W>;
  k.lanes_product = lanes_product<W>;
  k.lanes_gram = lanes_gram<W>;
  return k;
}

}  // namespace

extern const KernelTable kTable;
const KernelTable kTable = {
    THETA_ISA_NAME,
    {any_not_finite<F64>, any_not_finite<F32>, any_not_finite<F16>, any_not_finite<Bf16>, any_not_finite<F8E5m2>,
     any_not_finite<F8E4m3>},
    tie_keys,
    number_keys,
    collect<double, true>,
    count_heads_from,
    mark_heads_from,
    random_words,
    words_between,
    count_buckets,
    sort_buckets,
    divergence_terms,
    work_kernels<float>(),
    work_kernels<double>(),
    measure_kernels(),
};

}  // namespace theta::THETA_ISA
