// The kernels of measure_kernels.h. Included by kernels_body.h, once an instruction set; its rules hold here.
#pragma once

#include "kernels.h"

namespace theta::THETA_ISA {
namespace {

int64_t count_zeros(const double* x, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += x[i] == 0;
  return count;
}

template <typename Element>
int64_t count_different_bits(const std::byte* a, const std::byte* b, int64_t n) {
  const auto* left = reinterpret_cast<const Element*>(a);
  const auto* right = reinterpret_cast<const Element*>(b);
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += left[i] != right[i];
  return count;
}

// As integers: of the bits of numbers without sign the larger is that of the larger number, and a maximum of integers
// is vectorised, whereas numbers have to be compared in the order in which they stand.
double largest_absolute(const double* x, int64_t n) {
  int64_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto magnitude = static_cast<int64_t>(std::bit_cast<uint64_t>(x[i]) & F64::kMagnitude);
    largest = magnitude > largest ? magnitude : largest;
  }
  return std::bit_cast<double>(largest);
}

/// An integer that is larger for a larger number; its own inverse.
THETA_HD int64_t ordered(int64_t bits) { return bits ^ ((bits >> 63) & static_cast<int64_t>(F64::kMagnitude)); }

void extend_range(const double* x, int64_t n, double& least, double& largest) {
  int64_t low = ordered(std::bit_cast<int64_t>(least)), high = ordered(std::bit_cast<int64_t>(largest));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t key = ordered(std::bit_cast<int64_t>(x[i]));
    low = key < low ? key : low;
    high = key > high ? key : high;
  }
  least = std::bit_cast<double>(ordered(low));
  largest = std::bit_cast<double>(ordered(high));
}

void lanes_sum(const double* x, int64_t n, double* lanes) {
  alignas(64) double sums[kLanes];
  for (int j = 0; j < kLanes; ++j) sums[j] = lanes[j];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) sums[j] = sums[j] + x[i + j];
  }
  for (int j = 0; i < n; ++i, ++j) sums[j] = sums[j] + x[i];
  for (int j = 0; j < kLanes; ++j) lanes[j] = sums[j];
}

constexpr MeasureKernels measure_kernels() {
  return {count_zeros,
          largest_absolute,
          extend_range,
          lanes_sum,
          {count_different_bits<uint8_t>, count_different_bits<uint16_t>, count_different_bits<uint32_t>,
           count_different_bits<uint64_t>}};
}

}  // namespace
}  // namespace theta::THETA_ISA
