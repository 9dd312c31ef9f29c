// Which elements a sample is made of: short runs, one in every period, at a place in it that follows no pattern of the
// tensor's. What is made from a sample is only ever a guess that is checked against all elements.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../formula/order.h"

namespace theta {

struct SampleRuns {
  static constexpr int64_t kRun = 16;
  /// Elements from one run to the next: a power of two, a few runs at least.
  int64_t period;
  bool operator==(const SampleRuns&) const = default;

  /// Runs of a group of `size` elements that hold at most `most` elements altogether.
  static SampleRuns of_at_most(int64_t most, int64_t size) {
    int64_t period = 16 * kRun;
    while ((size / period + 2) * kRun > most && period < size) period *= 2;
    return {period};
  }

  /// Calls `body(begin, end)` for the parts of runs that lie in [begin, end).
  template <typename Body>
  void for_each(int64_t begin, int64_t end, Body&& body) const {
    for (int64_t start = begin / period * period; start < end; start += period) {
      const auto place =
          static_cast<int64_t>(mix64(static_cast<uint64_t>(start)) % static_cast<uint64_t>(period / kRun));
      const int64_t run = start + place * kRun;
      const int64_t first = std::max(run, begin), last = std::min(run + kRun, end);
      if (first < last) body(first, last);
    }
  }
};

}  // namespace theta
