// The inner loops, one table an instruction set. Every table gives the same bits. A kernel works on a block of elements
// that lies in cache; inputs and outputs are of W unless a name says otherwise, `n` counts elements, and an output
// never overlaps an input unless said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "../dtype.h"
#include "../formula/element.h"
#include "../formula/order.h"
#include "../program.h"
#include "measure_kernels.h"

namespace theta {

/// Values of a strategy and their weights in W.
template <typename W>
struct Terms {
  const W* const* values;
  const W* weights;
  int count;
  W scale;
};

template <typename W>
struct TiesRule {
  Elect elect;
  DivideBy divide;
  /// By the set of terms still in, as bits; null where there are too many terms for a table.
  const W* divisors;
  const double* weights;
};

/// What a vector's elements go by in pcb.
template <typename W>
struct Competitor {
  /// Between which sizes they are held.
  W low, high;
  W weight;
  /// Balances that count nothing, and in full.
  double least, most;
};

/// What tells which elements' balances are of no interest, without balancing them (compete.h, balance_bound).
template <typename W>
struct BalanceBounds {
  /// By vector: how a share is made of a size.
  const W *slopes, *levels;
  /// By vector: elements with a bound below it are of no interest; of 0 all are, of infinity none.
  const W* floors;
  W slack, rate;
  /// Else bounds would not hold, and all elements are of interest but where the floor is infinite.
  bool are_of_use;
};

/// Lanes of the reduction (METHODS.md, "Sums"): element j of a block of 4,096 is added to lane j mod 16.
inline constexpr int kLanes = 16;

/// Elements behind its last that collect() and find() may write.
inline constexpr int64_t kCollectSlack = 16;

template <typename Key>
struct KeyRange {
  Key low, high;
};

/// Which digit a key has, as rank_digits() counts them.
template <typename Key>
struct KeyScale {
  int shift;
  Key base;
};

/// Bits of an order within a bucket of ranks.
inline constexpr int kOrderBits = 16;
/// Elements that a bucket has room for, and what the number of buckets that lie side by side is a multiple of.
inline constexpr int kBucketRows = 16, kBucketsAtOnce = 16;
/// Elements that expect_ranks() takes at a time, at most: what lies in the first-level cache should be the slots.
inline constexpr int64_t kRanksAtOnce = 256;

/// Values that kernels which match them look at together.
inline constexpr int64_t kMatchGroup = 16;

/// An element that found its bucket full: order << kOrderBits | element.
struct SpilledItem {
  uint32_t bucket, item;
};

/// Buckets of a group's elements, in rows of `stride`: slots[row * stride + bucket] is order << kOrderBits | element,
/// and next[bucket] the first free slot, or what would be the next one. What finds none is spilled.
struct BucketRows {
  uint32_t *slots, *next;
  int64_t stride;
  SpilledItem* spilled;
  int64_t room;
};

template <typename W>
struct WorkKernels {
  using Key = Bits<W>;

  /// By dtype; null for float64 where W is float32.
  void (*widen[kDtypes])(const std::byte* from, W* to, int64_t n);
  /// By dtype. Tells whether any result is not finite.
  bool (*narrow[kDtypes])(const W* from, std::byte* to, int64_t n);
  /// In place: NaN and infinities become +0.
  void (*zero_not_finite)(W* x, int64_t n);

  void (*subtract)(const W* a, const W* b, W* to, int64_t n);
  /// By dtype, as `widen`: what is stored less b; the same where marked, +0 elsewhere.
  void (*subtract_stored[kDtypes])(const std::byte* from, const W* b, W* to, int64_t n);
  void (*subtract_stored_marked[kDtypes])(const std::byte* from, const W* b, const uint64_t* marks, W* to, int64_t n);
  void (*add)(const W* a, const W* b, W* to, int64_t n);
  void (*onto)(const W* base, const W* vector, W* to, int64_t n);
  void (*negate)(const W* x, W* to, int64_t n);
  void (*multiply)(const W* x, W by, W* to, int64_t n);
  void (*divide)(const W* x, W by, W* to, int64_t n);
  /// In place: by × x, x ÷ by, base ⊕ x.
  void (*scale)(W* x, W by, int64_t n);
  void (*divide_in_place)(W* x, W by, int64_t n);
  void (*onto_in_place)(const W* base, W* x, int64_t n);
  /// In place: x = x + by × y.
  void (*multiply_add)(W* x, W by, const W* y, int64_t n);
  /// a × x + b × y
  void (*blend)(W a, const W* x, W b, const W* y, W* to, int64_t n);
  /// base ⊕ by × (x − base)
  void (*interpolate)(const W* base, const W* x, W by, W* to, int64_t n);

  /// Σ wᵢτᵢ from +0; a weight of 0 adds no term. Not scaled.
  void (*weighted_sum)(const Terms<W>& terms, W* to, int64_t n);
  /// Σ wᵢ(xᵢ − x), the same.
  void (*weighted_differences)(const W* x, const Terms<W>& terms, W* to, int64_t n);
  void (*ties)(const Terms<W>& terms, const TiesRule<W>& rule, W* to, int64_t n);
  /// x where |x| ≤ t, (t ÷ |x|) × x elsewhere.
  void (*nearswap)(const W* x, W t, W* to, int64_t n);

  /// Masks are lanes as wide as W, all ones or zero.
  void (*mask_and)(const Key* a, const Key* b, Key* to, int64_t n);
  void (*mask_or)(const Key* a, const Key* b, Key* to, int64_t n);
  void (*mask_not)(const Key* a, Key* to, int64_t n);
  int64_t (*mask_count)(const Key* a, int64_t n);
  void (*select)(const W* x, const Key* mask, W* to, int64_t n);
  void (*select_marked)(const W* x, const uint64_t* marks, W* to, int64_t n);
  /// Lanes where low <= key < high.
  void (*band)(const W* x, Key low, Key high, Key* to, int64_t n);

  /// Lanes where the element's word is below a threshold, or below its own.
  void (*below)(const uint32_t* words, uint32_t threshold, Key* to, int64_t n);
  /// The mask of the elements where it holds.
  void (*lanes_where)(const uint8_t* holds, Key* to, int64_t n);
  void (*below_each)(const uint32_t* words, const uint32_t* thresholds, Key* to, int64_t n);
  /// x ÷ (threshold × 2⁻³²), the divisor rounded to W.
  void (*divide_by_thresholds)(const W* x, const uint32_t* thresholds, W* to, int64_t n);
  /// The same of the elements of the mask, +0 elsewhere.
  void (*divide_where)(const W* x, const Key* mask, const uint32_t* thresholds, W* to, int64_t n);

  void (*keys)(const W* x, Key* to, int64_t n);
  /// The smallest key other than 0, and the largest; 0 and 0 where all are 0.
  KeyRange<Key> (*key_range)(const Key* keys, int64_t n);
  /// Both.
  KeyRange<Key> (*keys_and_range)(const W* x, Key* to, int64_t n);
  /// A key as a digit and a fraction in 2⁻³²: the digit is 2·(key >> shift − base) but not below 0, plus 1 where bits
  /// of the key are left over. A fraction begins with the first of these bits; then one tells whether others are left,
  /// and these follow, or else the tie, mix64(first + i), which is all of it where nothing is left over. So digit and
  /// fraction never fall in canonical order, read from its end. 1 <= shift; keys other than 0 lie above the base, which
  /// may be -1.
  void (*rank_digits)(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, uint32_t* digits,
                      uint32_t* fractions);
  /// Where elements are expected in the order: places[digit] + fraction·(places[digit + 1] − places[digit]).
  void (*expect_ranks)(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, const uint32_t* places,
                       uint32_t* to);
  /// Puts n elements, at most 2^16, in the buckets where they are expected: bucket << kOrderBits | order. → how many
  /// found their bucket full, or -1 where more did than there is room to note.
  int64_t (*spread_ranks)(const Key* keys, int64_t n, uint64_t first, KeyScale<Key> scale, const uint32_t* places,
                          const BucketRows& rows);
  /// Of either sign.
  int64_t (*count_zeros)(const W* x, int64_t n);
  /// How many keys are at least `bound`; keys are compared as signed.
  int64_t (*count_from)(const Key* keys, int64_t n, Key bound);
  /// Keys in [low, high] and their positions; → their number. Needs room for n + kCollectSlack of each. Adds the number
  /// of keys above `high` to `above`, and marks these unless `marks` is null.
  int64_t (*collect)(const W* x, int64_t n, Key low, Key high, Key* keys, uint32_t* positions, int64_t& above,
                     uint64_t* marks);
  /// Positions of the elements with this key; → their number. Needs the same room.
  int64_t (*find)(const W* x, int64_t n, Key key, uint32_t* positions);
  /// A head is the upper 16 bits of a key, the highest of which is clear.
  void (*keys_and_heads)(const W* x, Key* keys, uint16_t* heads, int64_t n);
  /// Marks are a bit an element, 64 to a word, the first one lowest (marks.h).
  void (*lanes_of_marks)(const uint64_t* marks, Key* to, int64_t n);

  /// Population variance of `count` values in float64, rounded to float32.
  void (*variance)(const W* const* values, int count, W* to, int64_t n);
  /// In place: the elements of the mask, +0 elsewhere.
  void (*select_in_place)(W* x, const Key* mask, int64_t n);
  /// The mean of the elements above epsilon in size; with `factors`, one for each value, an element that one value
  /// alone is above in is that one times its factor.
  void (*ram)(const W* const* values, int count, W epsilon, const W* factors, W* to, int64_t n);
  /// Adds, for each value, how many of its elements are above epsilon in size, and in how many of these it is alone.
  void (*count_active)(const W* const* values, int count, W epsilon, int64_t n, int64_t* active, int64_t* alone);
  /// scale × the element that is largest in size, of equal ones the last.
  void (*magmax)(const W* const* values, int count, W scale, W* to, int64_t n);
  /// In place: x where at least so many values have |τᵢ| >= lambda × |x − τᵢ|, +0 elsewhere.
  void (*consensus)(const W* const* values, int count, W lambda, int at_least, W* x, int64_t n);

  /// Positions of the elements whose balances are of interest, of each value and, last, of any: lists with room for
  /// n + kCollectSlack. → their lengths.
  void (*contenders)(const W* const* values, int count, const Competitor<W>* rules, const BalanceBounds<W>& bounds,
                     int64_t n, uint32_t* const* positions, int64_t* found);
  /// What all values have at these positions together, in float64, which is put there.
  void (*rivals_at)(const W* const* values, int count, const Competitor<W>* rules, const uint32_t* positions, int64_t n,
                    double* rivals);
  /// The balances of the elements at these positions, one behind the other, in float64.
  void (*balances_at)(const W* x, const Competitor<W>& rule, int count, const double* rivals, const uint32_t* positions,
                      int64_t n, double* to);
  /// Adds what these elements count for to `divisor`, and the elements, held within their sizes, times that to `sum`.
  void (*add_scored)(const W* x, const Competitor<W>& rule, const double* balances, const uint32_t* positions,
                     int64_t n, W* sum, W* divisor);
  /// In place: scale × sum ÷ divisor.
  void (*divide_by_scores)(const W* divisor, W scale, W* sum, int64_t n);

  /// The largest of x and `largest`; a NaN is not looked at.
  W (*largest_of)(const W* x, int64_t n, W largest);
  /// exp(x − largest) in float64.
  void (*exponentials)(const W* x, W largest, double* to, int64_t n);
  /// |τ| × divergence in float64.
  void (*importances)(const W* tau, double divergence, double* to, int64_t n);
  /// τ where its importance is at least the threshold, +0 elsewhere.
  void (*keep_important)(const W* tau, double divergence, double threshold, W* to, int64_t n);

  /// Adds elements of a block to its lanes; `n` may be anything, element 0 belongs to lane 0.
  void (*lanes_absolute)(const W* x, int64_t n, double* lanes);
  void (*lanes_product)(const W* x, const W* y, int64_t n, double* lanes);
  /// The same for all pairs i ≤ j of `count` values; lanes of each, in the order of gram_pair.
  void (*lanes_gram)(const W* const* x, int64_t count, int64_t n, double* const* lanes);
  /// Squares of the elements of the mask.
  void (*lanes_square_where)(const W* x, const Key* mask, int64_t n, double* lanes);
};

struct KernelTable {
  const char* name;
  /// By dtype: whether any element is NaN or infinite.
  bool (*any_not_finite[kDtypes])(const std::byte* from, int64_t n);
  /// ties[j] = mix64(first + positions[j])
  void (*tie_keys)(const uint32_t* positions, int64_t n, uint64_t first, uint64_t* ties);
  /// As `keys` and `collect`, in the order of numbers (number_key_of).
  void (*number_keys)(const double* x, uint64_t* to, int64_t n);
  int64_t (*collect_numbers)(const double* x, int64_t n, uint64_t low, uint64_t high, uint64_t* keys,
                             uint32_t* positions, int64_t& above, uint64_t* marks);
  /// How many heads are at least `bound`, and marks where they are; those behind the last are clear up to the next
  /// multiple of 16 and undefined from there on.
  int64_t (*count_heads_from)(const uint16_t* heads, int64_t n, uint16_t bound);
  void (*mark_heads_from)(const uint16_t* heads, int64_t n, uint16_t bound, uint64_t* marks);
  /// words[i]: that of element first + i of a stream.
  void (*random_words)(uint64_t seed, uint64_t stream, int64_t first, int64_t n, uint32_t* words);
  /// Which words are below `low`, 1 or 0, and the positions of those from there on and below `high`; → their number.
  /// Reads up to the next multiple of kMatchGroup words, and has room for kMatchGroup positions more.
  int64_t (*words_between)(const uint32_t* words, int64_t n, uint32_t low, uint32_t high, uint8_t* below,
                           uint32_t* positions);
  /// Of elements of which bucket << kOrderBits | order is expected: their buckets, which are counted.
  void (*count_buckets)(const uint32_t* expected, int64_t n, uint16_t* buckets, uint32_t* counts);
  /// Makes next[bucket] its first rank, and next[stride] the number of all elements; puts those of `count` buckets, of
  /// which free slots have all bits set, in the order of their ranks. Needs room for kBucketRows elements more. Of what
  /// was spilled nothing is put anywhere. → in how many buckets orders are equal, of which `room` are told.
  int64_t (*sort_buckets)(const BucketRows& rows, int64_t count, uint16_t* sorted, uint32_t* equal, int64_t room);
  /// In place: x, exponentials of elements, become terms of the divergence from the softmax that has y's.
  void (*divergence_terms)(double* x, double x_sum, const double* y, double y_sum, int64_t n);
  WorkKernels<float> f32;
  WorkKernels<double> f64;
  MeasureKernels measure;
};

template <typename W>
const WorkKernels<W>& kernels_of(const KernelTable& table) {
  if constexpr (sizeof(W) == sizeof(float)) {
    return table.f32;
  } else {
    return table.f64;
  }
}

/// Best last within an architecture.
enum class Isa : uint8_t { plain, avx2, avx512, neon };

/// Instruction sets that this build has and this CPU can run, best first; `plain` is always the last.
const std::vector<Isa>& supported_isas();
/// `isa` must be supported.
const KernelTable& kernels_for(Isa isa);
const char* isa_name(Isa isa);
std::optional<Isa> isa_of(std::string_view name);

/// Rounding to nearest even, denormals kept, no traps: for the calling thread. A library built with -ffast-math may
/// have changed it for the process.
void set_default_floating_point_environment();

}  // namespace theta
