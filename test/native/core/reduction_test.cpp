// The sum of METHODS.md, "Sums": the same bits for every kernel and however the elements are handed over.

#include <cmath>

#include "../check.h"
#include "cpu/pairwise_sum.h"
#include "formula/gram.h"
#include "samples.h"

namespace {

using namespace theta;

/// As the page says it, all at once.
double reference(const std::vector<double>& x) {
  std::vector<double> sums;
  for (size_t begin = 0; begin == 0 || begin < x.size(); begin += 4096) {
    double lanes[16] = {};
    for (size_t j = begin; j < std::min(begin + 4096, x.size()); ++j) lanes[(j - begin) % 16] += x[j];
    for (int width = 8; width > 0; width /= 2) {
      for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
    }
    sums.push_back(lanes[0]);
  }
  while (sums.size() > 1) {
    std::vector<double> pairs;
    for (size_t i = 0; i < sums.size(); i += 2) pairs.push_back(i + 1 < sums.size() ? sums[i] + sums[i + 1] : sums[i]);
    sums = pairs;
  }
  return sums[0];
}

template <typename W>
void sums_agree() {
  std::mt19937 random(5);
  std::vector<int64_t> sizes = theta_test::kSizes;
  for (const int64_t blocks : {2, 3, 5, 7, 8, 13}) sizes.insert(sizes.end(), {4096 * blocks, 4096 * blocks - 5});
  for (const int64_t size : sizes) {
    const std::vector<W> x = theta_test::numbers<W>(size, 1, true), y = theta_test::numbers<W>(size, 2, true);
    std::vector<double> magnitudes, products;
    for (size_t i = 0; i < x.size(); ++i) {
      magnitudes.push_back(std::abs(static_cast<double>(x[i])));
      products.push_back(static_cast<double>(x[i]) * static_cast<double>(y[i]));
    }
    for (const Isa isa : supported_isas()) {
      const WorkKernels<W>& kernels = kernels_of<W>(kernels_for(isa));
      PairwiseSum absolute, product;
      for (int64_t at = 0; at < size;) {
        const int64_t part = std::min<int64_t>(size - at, random() % 3 ? random() % 40 : random() % 3000);
        absolute.gather(part, [&](int64_t offset, int64_t count, double* lanes) {
          kernels.lanes_absolute(x.data() + at + offset, count, lanes);
        });
        product.gather(part, [&](int64_t offset, int64_t count, double* lanes) {
          kernels.lanes_product(x.data() + at + offset, y.data() + at + offset, count, lanes);
        });
        at += part;
      }
      CHECK(std::bit_cast<uint64_t>(absolute.finish()) == std::bit_cast<uint64_t>(reference(magnitudes)));
      CHECK(std::bit_cast<uint64_t>(product.finish()) == std::bit_cast<uint64_t>(reference(products)));
    }
  }
}

/// Each dot product of several values has the bits that it has alone.
template <typename W>
void dots_agree() {
  std::mt19937 random(6);
  for (const int64_t count : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 17}) {
    for (const int64_t size : {0, 1, 15, 16, 17, 100, 4096, 9000}) {
      std::vector<std::vector<W>> x;
      std::vector<const W*> at(static_cast<size_t>(count));
      for (unsigned i = 0; i < count; ++i) x.push_back(theta_test::numbers<W>(size, i, true));
      for (const Isa isa : supported_isas()) {
        const WorkKernels<W>& kernels = kernels_of<W>(kernels_for(isa));
        std::vector<PairwiseSum> sums(static_cast<size_t>(gram_pairs(count)));
        std::vector<double*> lanes(sums.size());
        // Twice: a sum that was taken begins again.
        for (int round = 0; round < 2; ++round) {
          for (int64_t done = 0; done < size;) {
            const int64_t part = std::min<int64_t>(size - done, random() % 3 ? random() % 40 : random() % 3000);
            PairwiseSum::gather_together(sums, lanes.data(), part, [&](int64_t offset, int64_t n, double* const* to) {
              for (size_t i = 0; i < x.size(); ++i) at[i] = x[i].data() + done + offset;
              kernels.lanes_gram(at.data(), count, n, to);
            });
            done += part;
          }
          for (int64_t i = 0; i < count; ++i) {
            for (int64_t j = i; j < count; ++j) {
              std::vector<double> products;
              for (size_t k = 0; k < static_cast<size_t>(size); ++k) {
                products.push_back(static_cast<double>(x[i][k]) * static_cast<double>(x[j][k]));
              }
              const double found = sums[static_cast<size_t>(gram_pair(j, i, count))].finish();
              CHECK(std::bit_cast<uint64_t>(found) == std::bit_cast<uint64_t>(reference(products)));
            }
          }
        }
      }
    }
  }
}

}  // namespace

TEST(reduction_f32) { sums_agree<float>(); }
TEST(reduction_f64) { sums_agree<double>(); }
TEST(reduction_dots_f32) { dots_agree<float>(); }
TEST(reduction_dots_f64) { dots_agree<double>(); }
