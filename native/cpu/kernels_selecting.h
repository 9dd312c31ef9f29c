// Strategies that choose elements: variances and the choices themselves. Included by kernels_body.h, once an
// instruction set; its rules hold here.
#pragma once

#include "../formula/choose.h"
#include "kernels.h"
#include "kernels_tile.h"

namespace theta::THETA_ISA {
namespace {

/// With the number of values known, all that belongs to an element stays in registers.
template <int count, typename W>
void variance_of(const W* const* values, W* __restrict to, int64_t n) {
  const W* x[count];
  for (int k = 0; k < count; ++k) x[k] = values[k];
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int k = 0; k < count; ++k) sum = sum + static_cast<double>(x[k][i]);
    const double mean = sum / count;
    double squares = 0;
    for (int k = 0; k < count; ++k) squares = add_square(squares, static_cast<double>(x[k][i]) - mean);
    to[i] = static_cast<W>(static_cast<float>(squares / count));
  }
}

template <typename W>
THETA_HD void variance_tile(const W* const* values, int count, int64_t begin, int64_t n, W* __restrict to) {
  alignas(64) double mean[kTile], squares[kTile];
  for (int64_t i = 0; i < n; ++i) mean[i] = 0;
  for (int k = 0; k < count; ++k) {
    const W* x = values[k] + begin;
    for (int64_t i = 0; i < n; ++i) mean[i] = mean[i] + static_cast<double>(x[i]);
  }
  for (int64_t i = 0; i < n; ++i) mean[i] = mean[i] / count;
  for (int64_t i = 0; i < n; ++i) squares[i] = 0;
  for (int k = 0; k < count; ++k) {
    const W* x = values[k] + begin;
    for (int64_t i = 0; i < n; ++i) squares[i] = add_square(squares[i], static_cast<double>(x[i]) - mean[i]);
  }
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<W>(static_cast<float>(squares[i] / count));
}

template <typename W>
void variance(const W* const* values, int count, W* __restrict to, int64_t n) {
  switch (count) {
    case 2:
      return variance_of<2>(values, to, n);
    case 3:
      return variance_of<3>(values, to, n);
    case 4:
      return variance_of<4>(values, to, n);
    default:
      for (int64_t begin = 0; begin < n; begin += kTile) {
        variance_tile(values, count, begin, n - begin < kTile ? n - begin : kTile, to + begin);
      }
  }
}

template <typename W>
void lanes_square_where(const W* x, const Bits<W>* mask, int64_t n, double* lanes) {
  alignas(64) double sums[kLanes];
  for (int j = 0; j < kLanes; ++j) sums[j] = lanes[j];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) sums[j] = add_square(sums[j], static_cast<double>(kept(x[i + j], mask[i + j])));
  }
  for (int j = 0; i < n; ++i, ++j) sums[j] = add_square(sums[j], static_cast<double>(kept(x[i], mask[i])));
  for (int j = 0; j < kLanes; ++j) lanes[j] = sums[j];
}

template <typename W>
void select_in_place(W* x, const Bits<W>* mask, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = kept(x[i], mask[i]);
}

template <typename W>
void magmax(const W* const* values, int count, W scale, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
  for (int k = 0; k < count; ++k) {
    const W* x = values[k];
    for (int64_t i = 0; i < n; ++i) to[i] = larger(to[i], x[i]);
  }
  for (int64_t i = 0; i < n; ++i) to[i] = scale * to[i];
}

/// `to` is scale × Σ wᵢτᵢ when it comes in.
template <typename W>
void consensus(const W* const* values, int count, W lambda, int at_least, W* to, int64_t n) {
  for (int64_t begin = 0; begin < n; begin += kTile) {
    const int64_t here = n - begin < kTile ? n - begin : kTile;
    W* sum = to + begin;
    alignas(64) Bits<W> number[kTile];
    for (int64_t i = 0; i < here; ++i) number[i] = 0;
    for (int k = 0; k < count; ++k) {
      const W* x = values[k] + begin;
      for (int64_t i = 0; i < here; ++i) number[i] += is_tall(x[i], sum[i], lambda) & 1;
    }
    for (int64_t i = 0; i < here; ++i) {
      sum[i] = kept(sum[i], lanes_of<W>(number[i] >= static_cast<Bits<W>>(at_least)));
    }
  }
}

// ------------------------------------------------------------------------------------------------ importance of
// changes

template <typename W>
W largest_of(const W* x, int64_t n, W largest) {
  // Sixteen at once: a maximum in order would wait for itself.
  W most[kLanes];
  for (int j = 0; j < kLanes; ++j) most[j] = largest;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) most[j] = x[i + j] > most[j] ? x[i + j] : most[j];
  }
  for (int j = 0; i < n; ++i, ++j) most[j] = x[i] > most[j] ? x[i] : most[j];
  for (int j = 0; j < kLanes; ++j) largest = most[j] > largest ? most[j] : largest;
  return largest;
}

template <typename W>
void exponentials(const W* x, W largest, double* __restrict to, int64_t n) {
  const double most = static_cast<double>(largest);
  for (int64_t i = 0; i < n; ++i) to[i] = exponential(static_cast<double>(x[i]) - most);
}

/// In place: `x` are exponentials with this sum, and `y`; x becomes the terms of the divergence.
void divergence_terms(double* __restrict x, double x_sum, const double* y, double y_sum, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = divergence_term(x[i], x_sum, y[i], y_sum);
}

template <typename W>
void importances(const W* tau, double divergence, double* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = importance_of(tau[i], divergence);
}

template <typename W>
void keep_important(const W* tau, double divergence, double threshold, W* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = importance_of(tau[i], divergence) >= threshold ? tau[i] : W{0};
}

}  // namespace
}  // namespace theta::THETA_ISA
