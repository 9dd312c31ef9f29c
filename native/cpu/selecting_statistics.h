// Statistics of strategies that choose elements, of the whole tensor: the weights of sce, the factors of ram_plus.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels.h"
#include "pairwise_sum.h"
#include "statistic.h"
#include "weights.h"

namespace theta {

/// S ÷ ΣS for each value, S the sum of squares of its chosen elements; equal ones where ΣS is 0.
template <typename W>
class SceWeights final : public Statistic<W> {
 public:
  SceWeights(const Sce& operation, int64_t group_size, const KernelTable& kernels)
      : Statistic<W>(group_size),
        operation_(operation),
        kernels_(kernels_of<W>(kernels)),
        squares_(operation.of.size()) {}

  void begin(int64_t) override { std::ranges::fill(squares_, PairwiseSum()); }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    for (size_t k = 0; k < squares_.size(); ++k) {
      const W* x = block.value(operation_.of[k]) + offset;
      squares_[k].gather(count, [&](int64_t at, int64_t part, double* lanes) {
        if (operation_.chosen == kNoValue) {
          kernels_.lanes_product(x + at, x + at, part, lanes);
        } else {
          kernels_.lanes_square_where(x + at, block.mask(operation_.chosen) + offset + at, part, lanes);
        }
      });
    }
  }
  bool end_pass() override {
    std::vector<double> weights;
    double total = 0;
    for (PairwiseSum& sum : squares_) {
      weights.push_back(sum.finish());
      total = total + weights.back();
    }
    for (double& weight : weights) weight = total != 0 ? weight / total : 1.0 / static_cast<double>(weights.size());
    weights_ = TermWeights<W>(std::move(weights));
    return true;
  }
  bool takes_one_pass() const override { return true; }

  const TermWeights<W>& weights() const { return weights_; }

 private:
  const Sce operation_;
  const WorkKernels<W>& kernels_;
  std::vector<PairwiseSum> squares_;
  TermWeights<W> weights_;
};

/// 1 + r × min(shared ÷ unique, alpha) for each value, 1 where nothing is unique; rounded to W.
template <typename W>
class RamFactors final : public Statistic<W> {
 public:
  RamFactors(const RamPlus& operation, int64_t group_size, const KernelTable& kernels)
      : Statistic<W>(group_size),
        operation_(operation),
        kernels_(kernels_of<W>(kernels)),
        values_(operation.of.size()),
        active_(operation.of.size()),
        alone_(operation.of.size()),
        factors_(operation.of.size()) {}

  void begin(int64_t) override {
    std::ranges::fill(active_, 0);
    std::ranges::fill(alone_, 0);
  }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    for (size_t k = 0; k < values_.size(); ++k) values_[k] = block.value(operation_.of[k]) + offset;
    kernels_.count_active(values_.data(), static_cast<int>(values_.size()), static_cast<W>(operation_.epsilon), count,
                          active_.data(), alone_.data());
  }
  bool end_pass() override {
    for (size_t k = 0; k < factors_.size(); ++k) {
      const double shared = static_cast<double>(active_[k] - alone_[k]), unique = static_cast<double>(alone_[k]);
      const double factor = unique == 0 ? 1.0 : 1.0 + operation_.r * std::min(shared / unique, operation_.alpha);
      factors_[k] = static_cast<W>(factor);
    }
    return true;
  }
  bool takes_one_pass() const override { return true; }

  const W* factors() const { return factors_.data(); }

 private:
  const RamPlus operation_;
  const WorkKernels<W>& kernels_;
  std::vector<const W*> values_;
  std::vector<int64_t> active_, alone_;
  std::vector<W> factors_;
};

}  // namespace theta
