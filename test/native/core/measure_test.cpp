// Comparing and measuring: the same bits for every kernel and however the elements are handed over, and what a few
// lines in plain numbers find.

#include <algorithm>
#include <cmath>

#include "../check.h"
#include "cpu/comparison.h"
#include "cpu/tensor_statistics.h"
#include "samples.h"

namespace {

using namespace theta;
using theta_test::kSizes;
using theta_test::numbers;

const std::byte* bytes_of(const std::vector<float>& x) { return reinterpret_cast<const std::byte*>(x.data()); }

TensorDesc tensor_of(const std::vector<float>& x) {
  const auto count = static_cast<int64_t>(x.size());
  return {Dtype::f32, {count}, 4 * count};
}

/// Some equal, some a little different, some NaN in one or both.
std::vector<float> like(const std::vector<float>& x) {
  std::vector<float> y = numbers<float>(static_cast<int64_t>(x.size()), 7);
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % 3 != 0) y[i] = i % 3 == 1 ? x[i] : x[i] + 0.001f;
  }
  return y;
}

Comparison compare(const std::vector<float>& a, const std::vector<float>& b, int64_t at_once, Isa isa) {
  PairComparison comparison(tensor_of(a), tensor_of(b), kernels_for(isa));
  InputCounters counters[2];
  const auto size = static_cast<int64_t>(a.size());
  for (int64_t i = 0; i < size; i += at_once) {
    comparison.add(bytes_of(a) + 4 * i, bytes_of(b) + 4 * i, std::min(at_once, size - i), counters);
  }
  return comparison.finish();
}

TensorStatistics measure(const std::vector<float>& x, int64_t at_once, Isa isa) {
  StatisticsGatherer statistics(Dtype::f32, kernels_for(isa));
  InputCounters counters;
  const auto size = static_cast<int64_t>(x.size());
  for (int64_t i = 0; i < size; i += at_once) {
    statistics.add(bytes_of(x) + 4 * i, std::min(at_once, size - i), counters);
  }
  return statistics.finish();
}

bool same(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool same(const Comparison& a, const Comparison& b) {
  return a.same_bytes == b.same_bytes && a.different == b.different && a.different_bits == b.different_bits &&
         a.finite == b.finite && same(a.largest, b.largest) && same(a.absolute, b.absolute) &&
         same(a.squares, b.squares) && same(a.a_squares, b.a_squares) && same(a.b_squares, b.b_squares) &&
         same(a.product, b.product);
}

bool same(const TensorStatistics& a, const TensorStatistics& b) {
  return a.finite == b.finite && a.zeros == b.zeros && same(a.least, b.least) && same(a.largest, b.largest) &&
         same(a.sum, b.sum) && same(a.squares, b.squares);
}

}  // namespace

TEST(comparison_does_not_depend_on_kernels_or_chunks) {
  for (const int64_t size : kSizes) {
    const std::vector<float> a = numbers<float>(size, 6), b = like(a);
    const Comparison expected = compare(a, b, std::max<int64_t>(size, 1), Isa::plain);
    for (const Isa isa : supported_isas()) {
      for (const int64_t at_once : {1, 16, 100, 512, 5000}) CHECK(same(compare(a, b, at_once, isa), expected));
    }
  }
}

TEST(comparison_finds_what_plain_numbers_find) {
  for (const int64_t size : kSizes) {
    const std::vector<float> a = numbers<float>(size, 8), b = like(a);
    int64_t different = 0, different_bits = 0, finite = 0;
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      if (std::isfinite(a[i]) && std::isfinite(b[i])) {
        ++finite;
        largest = std::max(largest, std::abs(double{a[i]} - double{b[i]}));
      }
      different += !(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])));
      different_bits += std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(b[i]);
    }
    const Comparison found = compare(a, b, 5000, supported_isas().front());
    CHECK(found.different == different && found.finite == finite && found.largest == largest);
    CHECK(found.different_bits == different_bits);
    CHECK(found.same_bytes == (size == 0 || std::memcmp(a.data(), b.data(), a.size() * 4) == 0));
  }
}

TEST(statistics_do_not_depend_on_kernels_or_chunks) {
  for (const int64_t size : kSizes) {
    for (const bool finite : {true, false}) {
      const std::vector<float> x = numbers<float>(size, 9, finite);
      const TensorStatistics expected = measure(x, std::max<int64_t>(size, 1), Isa::plain);
      for (const Isa isa : supported_isas()) {
        for (const int64_t at_once : {1, 16, 100, 1024, 5000}) CHECK(same(measure(x, at_once, isa), expected));
      }
    }
  }
}

TEST(statistics_find_what_plain_numbers_find) {
  for (const int64_t size : kSizes) {
    const std::vector<float> x = numbers<float>(size, 10);
    TensorStatistics expected;
    for (const float value : x) {
      if (!std::isfinite(value)) continue;
      ++expected.finite;
      expected.zeros += value == 0;
      expected.least = std::min(expected.least, double{value});
      expected.largest = std::max(expected.largest, double{value});
    }
    const TensorStatistics found = measure(x, 100, supported_isas().front());
    CHECK(found.finite == expected.finite && found.zeros == expected.zeros);
    CHECK(found.least == expected.least && found.largest == expected.largest);
  }
}

TEST(elements_without_arithmetic_are_compared_by_their_bits) {
  for (const Isa isa : supported_isas()) {
    for (const int64_t width : {1, 2, 4, 8}) {
      std::vector<std::byte> a(static_cast<size_t>(width) * 1000), b = a;
      // Two bytes of one element count once.
      for (const int64_t at : {0, 17, 999})
        b[static_cast<size_t>(at * width)] = b[at * width + width - 1] = std::byte{1};
      const TensorDesc tensor{std::nullopt, {10, 100}, width * 1000};
      PairComparison comparison(tensor, tensor, kernels_for(isa));
      InputCounters counters[2];
      for (int64_t i = 0; i < tensor.bytes; i += 64) {
        comparison.add(a.data() + i, b.data() + i, std::min<int64_t>(64, tensor.bytes - i), counters);
      }
      const Comparison found = comparison.finish();
      CHECK(found.different == 3 && found.different_bits == 3 && !found.same_bytes && found.finite == 0);
    }
  }
}

TEST(elements_that_are_not_whole_bytes_are_not_counted) {
  const TensorDesc tensor{std::nullopt, {4}, 2};
  const std::byte a[] = {std::byte{1}, std::byte{2}}, b[] = {std::byte{1}, std::byte{3}};
  InputCounters counters[2];
  PairComparison different(tensor, tensor, kernels_for(Isa::plain)), equal(tensor, tensor, kernels_for(Isa::plain));
  different.add(a, b, 2, counters);
  equal.add(a, a, 2, counters);
  CHECK(different.finish().different == -1 && equal.finish().different == 0);
}
