// See tensor_statistics.h.

#include "tensor_statistics.h"

#include <algorithm>

#include "chunk_reader.h"

namespace theta {

void StatisticsGatherer::add(const std::byte* stored, int64_t count, InputCounters& counters) {
  const int64_t before = counters.nan + counters.inf;
  count_not_finite_elements(kernels_, dtype_, stored, count, seen_, counters);
  const bool all_finite = counters.nan + counters.inf == before;
  for (int64_t done = 0; done < count; done += kBlock) {
    add_block(stored + done * size_of(dtype_), std::min(kBlock, count - done), all_finite);
  }
  seen_ += count;
}

void StatisticsGatherer::add_block(const std::byte* stored, int64_t n, bool all_finite) {
  kernels_.f64.widen[static_cast<int>(dtype_)](stored, x_, n);
  found_.zeros += kernels_.f64.count_zeros(x_, n);
  if (all_finite) {
    found_.finite += n;
    kernels_.measure.extend_range(x_, n, found_.least, found_.largest);
  } else {
    found_.finite += leave_out_not_finite(n);
  }
  sum_.gather(n, [&](int64_t at, int64_t part, double* lanes) { kernels_.measure.lanes_sum(x_ + at, part, lanes); });
  squares_.gather(
      n, [&](int64_t at, int64_t part, double* lanes) { kernels_.f64.lanes_product(x_ + at, x_ + at, part, lanes); });
}

/// Makes what is not finite +0, which changes no sum, and takes the rest into the range; → how many stay.
int64_t StatisticsGatherer::leave_out_not_finite(int64_t n) {
  int64_t stay = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (is_finite(x_[i])) {
      kernels_.measure.extend_range(x_ + i, 1, found_.least, found_.largest);
      ++stay;
    } else {
      x_[i] = 0;
    }
  }
  return stay;
}

TensorStatistics StatisticsGatherer::finish() {
  found_.least = found_.least + 0.0;
  found_.largest = found_.largest + 0.0;
  found_.sum = sum_.finish();
  found_.squares = squares_.finish();
  return found_;
}

}  // namespace theta
