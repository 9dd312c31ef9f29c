// The kernels of measure_kernels.h. Included by kernels_body.h, once an instruction set; its rules hold here.
#pragma once

#include "kernels.h"

namespace theta::THETA_ISA {
namespace {

template <typename Element>
int64_t count_different_bits(const std::byte* a, const std::byte* b, int64_t n) {
  const auto* left = reinterpret_cast<const Element*>(a);
  const auto* right = reinterpret_cast<const Element*>(b);
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += left[i] != right[i];
  return count;
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

/// One pass, because each alone would wait for its additions: five sums take as long as two. The largest difference is
/// found as an integer (the bits of numbers without sign are ordered as the numbers are), for which alone the compiler
/// changes the order of comparisons.
void lanes_pair(const double* a, const double* b, int64_t n, double* const* lanes, double& largest,
                int64_t& different) {
  alignas(64) double sums[kPairSums][kLanes];
  alignas(64) int64_t most[kLanes] = {}, count[kLanes] = {};
  for (int k = 0; k < kPairSums; ++k) {
    for (int j = 0; j < kLanes; ++j) sums[k][j] = lanes[k][j];
  }
  const auto add = [&](int64_t i, int j) __attribute__((always_inline)) {
    const double x = a[i], y = b[i], difference = x - y;
    const auto magnitude = static_cast<int64_t>(std::bit_cast<uint64_t>(difference) & F64::kMagnitude);
    most[j] = magnitude > most[j] ? magnitude : most[j];
    // Below the smallest normal number differences are exact, too: one is zero where a and b are equal, nowhere else.
    count[j] += magnitude != 0;
    sums[0][j] = sums[0][j] + std::bit_cast<double>(magnitude);
    sums[1][j] = sums[1][j] + difference * difference;
    sums[2][j] = sums[2][j] + x * x;
    sums[3][j] = sums[3][j] + y * y;
    sums[4][j] = sums[4][j] + x * y;
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) add(i + j, j);
  }
  for (int j = 0; i < n; ++i, ++j) add(i, j);
  for (int k = 0; k < kPairSums; ++k) {
    for (int j = 0; j < kLanes; ++j) lanes[k][j] = sums[k][j];
  }
  int64_t top = std::bit_cast<int64_t>(largest);
  for (int j = 0; j < kLanes; ++j) {
    top = most[j] > top ? most[j] : top;
    different += count[j];
  }
  largest = std::bit_cast<double>(top);
}

constexpr MeasureKernels measure_kernels() {
  return {extend_range,
          lanes_sum,
          lanes_pair,
          {count_different_bits<uint8_t>, count_different_bits<uint16_t>, count_different_bits<uint32_t>,
           count_different_bits<uint64_t>}};
}

}  // namespace
}  // namespace theta::THETA_ISA
