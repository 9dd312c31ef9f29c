// Dot products of several values with each other. Included by kernels_body.h, once an instruction set; its rules hold
// here.
#pragma once

#include "../formula/gram.h"
#include "kernels.h"

namespace theta::THETA_ISA {
namespace {

template <typename W>
void lanes_product(const W* x, const W* y, int64_t n, double* lanes) {
  alignas(64) double sums[kLanes];
  for (int j = 0; j < kLanes; ++j) sums[j] = lanes[j];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      sums[j] = sums[j] + static_cast<double>(x[i + j]) * static_cast<double>(y[i + j]);
    }
  }
  for (int j = 0; i < n; ++i, ++j) sums[j] = sums[j] + static_cast<double>(x[i]) * static_cast<double>(y[i]);
  for (int j = 0; j < kLanes; ++j) lanes[j] = sums[j];
}

/// Values of which all dot products are summed at once: their sums, and what is multiplied, stay in registers. Each is
/// then loaded and widened once for several products, which are three of four operations of each alone.
constexpr int64_t kGramTile = 4;

#if defined(__AVX512F__)
constexpr int kGramLanes = 8;
#elif defined(__AVX__)
constexpr int kGramLanes = 4;
#else
constexpr int kGramLanes = 2;
#endif

/// Products of each of x with each of y (triangle: of i ≤ j, y is x) over whole rounds of lanes. A part of the lanes at
/// a time, so many as a register holds.
template <typename W, int kRows, int kColumns, bool triangle>
void lanes_tile(const W* const* x, const W* const* y, int64_t rounds, double* const (&lanes)[kRows][kColumns]) {
  for (int part = 0; part < kLanes; part += kGramLanes) {
    double sums[kRows][kColumns][kGramLanes];
    for (int r = 0; r < kRows; ++r) {
      for (int c = triangle ? r : 0; c < kColumns; ++c) {
        for (int j = 0; j < kGramLanes; ++j) sums[r][c][j] = lanes[r][c][part + j];
      }
    }
    for (int64_t round = 0; round < rounds; ++round) {
      const int64_t i = round * kLanes + part;
      double row[kRows][kGramLanes], column[kColumns][kGramLanes];
      for (int r = 0; r < kRows; ++r) {
        for (int j = 0; j < kGramLanes; ++j) row[r][j] = static_cast<double>(x[r][i + j]);
      }
      for (int c = 0; c < kColumns; ++c) {
        for (int j = 0; j < kGramLanes; ++j) column[c][j] = triangle ? row[c][j] : static_cast<double>(y[c][i + j]);
      }
      for (int r = 0; r < kRows; ++r) {
        for (int c = triangle ? r : 0; c < kColumns; ++c) {
          for (int j = 0; j < kGramLanes; ++j) sums[r][c][j] = sums[r][c][j] + row[r][j] * column[c][j];
        }
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int c = triangle ? r : 0; c < kColumns; ++c) {
        for (int j = 0; j < kGramLanes; ++j) lanes[r][c][part + j] = sums[r][c][j];
      }
    }
  }
}

/// The tile of rows from `row` and columns from `column` on.
template <typename W, int kRows, int kColumns, bool triangle>
void gram_tile(const W* const* x, int64_t row, int64_t column, int64_t count, int64_t rounds, double* const* lanes) {
  double* of[kRows][kColumns];
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) of[r][c] = lanes[gram_pair(row + r, column + c, count)];
  }
  lanes_tile<W, kRows, kColumns, triangle>(x + row, x + column, rounds, of);
}

template <typename W>
void lanes_gram(const W* const* x, int64_t count, int64_t n, double* const* lanes) {
  const int64_t rounds = n / kLanes;
  for (int64_t row = 0; rounds > 0 && row < count; row += kGramTile) {
    const int64_t rows = count - row < kGramTile ? count - row : kGramTile;
    if (rows == 1) gram_tile<W, 1, 1, true>(x, row, row, count, rounds, lanes);
    if (rows == 2) gram_tile<W, 2, 2, true>(x, row, row, count, rounds, lanes);
    if (rows == 3) gram_tile<W, 3, 3, true>(x, row, row, count, rounds, lanes);
    if (rows == 4) gram_tile<W, 4, 4, true>(x, row, row, count, rounds, lanes);
    int64_t column = row + kGramTile;
    for (; column + 2 <= count; column += 2) gram_tile<W, 4, 2, false>(x, row, column, count, rounds, lanes);
    if (column < count) gram_tile<W, 4, 1, false>(x, row, column, count, rounds, lanes);
  }
  const int64_t done = rounds * kLanes;
  for (int64_t i = 0; done < n && i < count; ++i) {
    for (int64_t j = i; j < count; ++j)
      lanes_product(x[i] + done, x[j] + done, n - done, lanes[gram_pair(i, j, count)]);
  }
}

}  // namespace
}  // namespace theta::THETA_ISA
