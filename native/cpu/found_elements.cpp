#include "found_elements.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace theta {

uint64_t tie_at(uint64_t* ties, int64_t count, int64_t rank) {
  constexpr int64_t kFew = 64;
  if (count > kFew) {
    // Ties are uniform: the one wanted lies near its share of the range. What lies outside the window is only counted.
    const double size = static_cast<double>(count);
    const double share = 1 - (static_cast<double>(rank) + 0.5) / size;
    const double width = 4 / std::sqrt(size);
    const auto at = [](double part) { return static_cast<uint64_t>(std::clamp(part, 0.0, 0x1.fffffp-1) * 0x1p64); };
    const uint64_t low = at(share - width), high = at(share + width);
    int64_t above = 0, inside = 0;
    for (int64_t i = 0; i < count; ++i) above += ties[i] > high;
    for (int64_t i = 0; i < count; ++i) inside += ties[i] >= low && ties[i] <= high;
    if (rank >= above && rank < above + inside) {
      uint64_t* end = std::partition(ties, ties + count, [&](uint64_t tie) { return tie >= low && tie <= high; });
      std::nth_element(ties, ties + (rank - above), end, std::greater<>());
      return ties[rank - above];
    }
  }
  std::nth_element(ties, ties + rank, ties + count, std::greater<>());
  return ties[rank];
}

}  // namespace theta
