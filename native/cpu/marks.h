// A bit for each element of a span: what a mask keeps, or what lies before a cut. Written in order, read anywhere.
#pragma once

#include <cstdint>

#include "carver.h"

namespace theta {

class Marks {
 public:
  /// Words that hold `count` marks.
  static constexpr int64_t words(int64_t count) { return (count + 63) / 64; }
  static constexpr int64_t bytes(int64_t count) { return 8 * (words(count) + 1); }

  Marks(int64_t count, Carver& memory) : words_(memory.take<uint64_t>(words(count) + 1)) {}

  /// `index` of what follows is that of the first element plus this.
  void start_at(int64_t origin) { origin_ = origin; }

  /// `count` marks for the elements from `index` on. Those behind them are undefined until they are put, too.
  void put(int64_t index, const uint64_t* from, int64_t count) {
    const int64_t at = index - origin_, shift = at % 64;
    uint64_t* to = words_ + at / 64;
    uint64_t before = *to & ((uint64_t{1} << shift) - 1);
    for (int64_t i = 0; i < words(count); ++i) {
      to[i] = before | from[i] << shift;
      before = from[i] >> 1 >> (63 - shift);
    }
    to[words(count)] = before;
  }

  /// As put(), for whole words.
  void get(int64_t index, uint64_t* to, int64_t count) const {
    const int64_t at = index - origin_, shift = at % 64;
    const uint64_t* from = words_ + at / 64;
    for (int64_t i = 0; i < words(count); ++i) to[i] = from[i] >> shift | from[i + 1] << 1 << (63 - shift);
  }

  /// Marks one more, or leaves it as it is.
  void add(int64_t index, bool mark) {
    const int64_t at = index - origin_;
    words_[at / 64] |= uint64_t{mark} << (at % 64);
  }

 private:
  uint64_t* const words_;
  int64_t origin_ = 0;
};

}  // namespace theta
