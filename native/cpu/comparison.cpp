// See comparison.h.

#include "comparison.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "chunk_reader.h"

namespace theta {
namespace {

int64_t unit_bytes(const TensorDesc& tensor) { return tensor.dtype ? size_of(*tensor.dtype) : 1; }

int64_t whole_element_bytes(const TensorDesc& tensor) {
  const int64_t count = elements(tensor.shape);
  if (count == 0 || tensor.bytes % count != 0) return 0;
  const int64_t bytes = tensor.bytes / count;
  return bytes <= 8 && std::has_single_bit(static_cast<uint64_t>(bytes)) ? bytes : 0;
}

}  // namespace

PairComparison::PairComparison(const TensorDesc& a, const TensorDesc& b, const KernelTable& kernels)
    : dtypes_{a.dtype, b.dtype},
      one_dtype_(a.dtype == b.dtype),
      kernels_(kernels),
      unit_bytes_{unit_bytes(a), unit_bytes(b)} {
  element_bytes_ = a.dtype ? unit_bytes_[0] : whole_element_bytes(a);
  if (!one_dtype_ || element_bytes_ == 0) found_.different_bits = -1;
}

void PairComparison::add(const std::byte* a, const std::byte* b, int64_t units, InputCounters* counters) {
  if (one_dtype_) {
    compare_bits(a, b, units * unit_bytes_[0]);
  } else {
    found_.same_bytes = false;
  }
  if (!dtypes_[0]) return;
  const auto not_finite = [&] { return counters[0].nan + counters[0].inf + counters[1].nan + counters[1].inf; };
  const int64_t before = not_finite();
  count_not_finite_elements(kernels_, *dtypes_[0], a, units, seen_, counters[0]);
  count_not_finite_elements(kernels_, *dtypes_[1], b, units, seen_, counters[1]);
  const bool all_finite = not_finite() == before;
  for (int64_t done = 0; done < units; done += kBlock) {
    add_block(a + done * unit_bytes_[0], b + done * unit_bytes_[1], std::min(kBlock, units - done), all_finite);
  }
  seen_ += units;
}

void PairComparison::add_block(const std::byte* a, const std::byte* b, int64_t n, bool all_finite) {
  const WorkKernels<double>& work = kernels_.f64;
  work.widen[static_cast<int>(*dtypes_[0])](a, a_, n);
  work.widen[static_cast<int>(*dtypes_[1])](b, b_, n);
  found_.finite += all_finite ? n : leave_out_not_finite(n);
  PairwiseSum::gather_together<kPairSums>(sums_, n, [&](int64_t at, int64_t part, double* const* lanes) {
    kernels_.measure.lanes_pair(a_ + at, b_ + at, part, lanes, found_.largest, found_.different);
  });
}

/// Makes both of a pair +0, which changes no sum and no count, where one is not finite; → how many pairs stay.
int64_t PairComparison::leave_out_not_finite(int64_t n) {
  int64_t stay = n;
  for (int64_t i = 0; i < n; ++i) {
    if (is_finite(a_[i]) && is_finite(b_[i])) continue;
    const bool both_nan = a_[i] != a_[i] && b_[i] != b_[i];
    found_.different += !both_nan && a_[i] != b_[i];
    a_[i] = b_[i] = 0;
    --stay;
  }
  return stay;
}

void PairComparison::compare_bits(const std::byte* a, const std::byte* b, int64_t bytes) {
  if (std::memcmp(a, b, static_cast<size_t>(bytes)) == 0) return;
  found_.same_bytes = false;
  if (element_bytes_ == 0) return;
  const int width = std::countr_zero(static_cast<uint64_t>(element_bytes_));
  found_.different_bits += kernels_.measure.count_different_bits[width](a, b, bytes / element_bytes_);
}

Comparison PairComparison::finish() {
  // Without arithmetic bits are all there is to compare; equal bytes are equal whatever an element is.
  if (!dtypes_[0]) found_.different = found_.same_bytes ? 0 : found_.different_bits;
  if (one_dtype_ && found_.same_bytes) found_.different_bits = 0;
  found_.absolute = sums_[0].finish();
  found_.squares = sums_[1].finish();
  found_.a_squares = sums_[2].finish();
  found_.b_squares = sums_[3].finish();
  found_.product = sums_[4].finish();
  return found_;
}

}  // namespace theta
