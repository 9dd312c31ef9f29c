#include "gram_statistics.h"

#include <memory>
#include <span>

#include "../formula/model_stock.h"

namespace theta {

template <typename W>
GramStatistic<W>::GramStatistic(std::vector<ValueId> of, int64_t group_size, const KernelTable& kernels, Carver& memory)
    : Statistic<W>(group_size),
      of_(std::move(of)),
      kernels_(kernels_of<W>(kernels)),
      values_(of_.size()),
      found_(static_cast<size_t>(gram_pairs(static_cast<int64_t>(of_.size())))),
      lanes_(found_.size()),
      sums_(memory.take<PairwiseSum>(static_cast<int64_t>(found_.size()))) {
  // Without memory there is only a need to state.
  if (sums_ != nullptr) std::uninitialized_default_construct_n(sums_, found_.size());
}

template <typename W>
void GramStatistic<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  const std::span<PairwiseSum> sums(sums_, found_.size());
  PairwiseSum::gather_together(sums, lanes_.data(), count, [&](int64_t at, int64_t part, double* const* lanes) {
    for (size_t i = 0; i < of_.size(); ++i) values_[i] = block.value(of_[i]) + offset + at;
    kernels_.lanes_gram(values_.data(), static_cast<int64_t>(of_.size()), part, lanes);
  });
}

template <typename W>
bool GramStatistic<W>::end_pass() {
  for (size_t pair = 0; pair < found_.size(); ++pair) found_[pair] = sums_[pair].finish();
  const bool antiparallel = solve({found_.data(), static_cast<int64_t>(of_.size())}, this->slot(first_));
  // Local groups are gathered again in every pass.
  if (first_ >= counted_to_) {
    antiparallel_ += antiparallel;
    counted_to_ = first_ + this->group_size();
  }
  return true;
}

template <typename W>
bool SlerpStatistic<W>::solve(const Gram& gram, int64_t slot) {
  kept_[slot] = slerp_coefficients(gram.dot(0, 0), gram.dot(1, 1), gram.dot(0, 1), t_);
  return kept_[slot].antiparallel;
}

template <typename W>
bool KarcherStatistic<W>::solve(const Gram& gram, int64_t slot) {
  const KarcherResult found = karcher_coefficients(gram, rule_);
  for (int64_t i = 0; i < count_; ++i) kept_[slot * count_ + i] = static_cast<W>(found.c[static_cast<size_t>(i)]);
  return found.antiparallel;
}

template <typename W>
bool ModelStockStatistic<W>::solve(const Gram& gram, int64_t slot) {
  kept_[slot] = static_cast<W>(model_stock_step(gram));
  return false;
}

template class GramStatistic<float>;
template class GramStatistic<double>;
template class SlerpStatistic<float>;
template class SlerpStatistic<double>;
template class KarcherStatistic<float>;
template class KarcherStatistic<double>;
template class ModelStockStatistic<float>;
template class ModelStockStatistic<double>;

}  // namespace theta
