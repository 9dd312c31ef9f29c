// See not_finite.h.

#include "not_finite.h"

#include <cstring>

namespace theta {

void add_not_finite(InputCounters& counters, Dtype dtype, Bytes data, int64_t first, const KernelTable& kernels) {
  const int64_t n = static_cast<int64_t>(data.size()) / size_of(dtype);
  // The kernel answers for nearly every slice; the loop below runs where there is something to report.
  if (!kernels.any_not_finite[static_cast<int>(dtype)](data.data(), n)) return;
  dispatch_dtype(dtype, [&](auto format) {
    using Format = decltype(format);
    for (int64_t i = 0; i < n; ++i) {
      typename Format::Storage bits;
      std::memcpy(&bits, data.data() + i * static_cast<int64_t>(sizeof bits), sizeof bits);
      const auto magnitude = static_cast<typename Format::Storage>(bits & Format::kMagnitude);
      if (magnitude < Format::kInfinity) continue;
      const bool nan = magnitude > Format::kInfinity;
      int64_t& count = nan ? counters.nan : counters.inf;
      int64_t& index = nan ? counters.first_nan : counters.first_inf;
      if (count++ == 0) index = first + i;
    }
  });
}

}  // namespace theta
