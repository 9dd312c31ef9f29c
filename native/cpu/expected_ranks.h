// Where in the order of a group its elements are expected: learned from one group, better soon from several, and good
// for all that are like them. What it says rises with the order; how true it is decides nothing but how evenly elements
// spread.
#pragma once

#include <algorithm>
#include <bit>

#include "../formula/order.h"
#include "carver.h"
#include "kernels.h"

namespace theta {

/// Of the keys of both.
template <typename Key>
KeyRange<Key> joined(KeyRange<Key> a, KeyRange<Key> b) {
  // A smallest key of 0 is none; less 1, it is the largest number there is.
  const Key low = std::min(static_cast<Key>(a.low - 1), static_cast<Key>(b.low - 1));
  return {static_cast<Key>(low + 1), std::max(a.high, b.high)};
}

template <typename W>
class ExpectedRanks {
 public:
  using Key = Bits<W>;

  /// `width`: of an element in places.
  ExpectedRanks(int64_t group_size, int64_t width, Carver& memory)
      : group_size_(group_size),
        width_(width),
        digit_bits_(digit_bits(group_size)),
        places_(memory.take<uint32_t>(most_digits(group_size) + 1)),
        counts_(memory.take<uint32_t>(most_digits(group_size))) {}

  /// Keys of such a group have digits that were learned, and groups are alike.
  bool covers(KeyRange<Key> keys) const {
    return distrusted_ == 0 && buckets_ > 0 && keys.high <= high_ && (keys.low >= low_ || keys.high == 0);
  }

  /// A group that is covered was not like those before: for a while nothing is taken for known.
  void distrust() { distrusted_ = kGroupsDistrusted; }

  /// Chooses digits for a group and others with keys somewhat smaller or larger, and forgets what was learned.
  void cover(KeyRange<Key> keys) {
    constexpr Key kOctave = Key{1} << FormatOf<W>::kFractionBits;
    constexpr Key kBelow = 4 * kOctave, kAbove = kOctave;
    low_ = keys.low > kBelow ? keys.low - kBelow : 1;
    high_ = std::min<Key>(std::max<Key>(keys.high, 1) + kAbove, FormatOf<W>::kMagnitude);
    const int range_bits = std::bit_width(static_cast<Key>(high_ - low_));
    scale_.shift = std::max(1, range_bits - digit_bits_);
    scale_.base = static_cast<Key>((low_ >> scale_.shift) - 1);
    digits_ = 2 * (static_cast<int64_t>((high_ >> scale_.shift) - scale_.base) + 1);
    buckets_ = 0;
    if (distrusted_ > 0) --distrusted_;
    learn_from(1);
  }
  KeyScale<Key> scale() const { return scale_; }

  /// Wants to count the digits of a group.
  bool is_learning() const { return groups_wanted_ > 0; }
  /// Counts the digits of a group, whose ties are mix64(tie + i).
  void learn(const Key* keys, int64_t count, uint64_t tie, const WorkKernels<W>& kernels) {
    uint32_t digits[kRanksAtOnce], fractions[kRanksAtOnce];
    for (int64_t at = 0; at < count; at += kRanksAtOnce) {
      const int64_t some = std::min(kRanksAtOnce, count - at);
      kernels.rank_digits(keys + at, some, tie + static_cast<uint64_t>(at), scale_, digits, fractions);
      for (int64_t i = 0; i < some; ++i) ++counts_[digits[i]];
    }
    end_group();
  }

  /// By digit, where the first of its elements is expected; behind the last, where they end.
  const uint32_t* places() const { return places_; }
  /// All places lie in them.
  int64_t buckets() const { return buckets_; }

  /// Of a group of so many elements.
  static int64_t most_buckets(int64_t group_size, int64_t width) {
    return buckets_of(group_size, most_digits(group_size), width);
  }

 private:
  /// Of every digit besides: those that did not occur keep their order too.
  static constexpr int64_t digit_room(int64_t width) { return width / 64; }

  /// That are learned from together.
  static constexpr int64_t kMostGroups = 16;
  static constexpr int kGroupsDistrusted = 16;

  static int digit_bits(int64_t group_size) {
    return std::clamp(static_cast<int>(std::bit_width(static_cast<uint64_t>(group_size))) - 1, 4, 12);
  }
  /// A range of digit_bits bits touches one digit more than it counts; one lies below it, for 0.
  static int64_t most_digits(int64_t group_size) { return 2 * ((int64_t{1} << digit_bits(group_size)) + 2); }
  static int64_t buckets_of(int64_t count, int64_t digits, int64_t width) {
    // One at least behind the last place.
    return ((width * count + digit_room(width) * digits) >> kOrderBits) + 1;
  }

  /// All digits of a group are counted.
  void end_group() {
    if (++groups_ < groups_wanted_) return;
    const auto element_width = static_cast<uint32_t>(width_ / groups_),
               room = static_cast<uint32_t>(digit_room(width_));
    uint32_t place = 0;
    for (int64_t digit = 0; digit < digits_; ++digit) {
      places_[digit] = place;
      place += counts_[digit] * element_width + room;
    }
    places_[digits_] = place;
    buckets_ = buckets_of(group_size_, digits_, width_);
    learn_from(distrusted_ == 0 && groups_ < kMostGroups ? 4 * groups_ : 0);
  }

  void learn_from(int64_t groups) {
    groups_ = 0;
    groups_wanted_ = groups;
    if (groups > 0) std::fill_n(counts_, digits_, 0);
  }

  const int64_t group_size_, width_;
  const int digit_bits_;
  uint32_t* const places_;
  uint32_t* const counts_;
  Key low_ = 1, high_ = 0;
  KeyScale<Key> scale_{1, 0};
  int64_t digits_ = 0, buckets_ = 0;
  int64_t groups_ = 0, groups_wanted_ = 0;
  int distrusted_ = 0;
};

}  // namespace theta
