#include "importance.h"

#include <algorithm>

namespace theta {

namespace {

constexpr double kLeast = -__builtin_inf();

/// The element that numpy calls floor(part × (size − 1)) of the ascending order, as a rank of the descending one.
Rank quantile(double part, int64_t size) {
  return {size - 1 - static_cast<int64_t>(part * static_cast<double>(size - 1))};
}

}  // namespace

template <typename W>
CachedDivergence<W>::CachedDivergence(const Divergence& operation, int64_t group_size, int64_t groups_kept,
                                      const KernelTable& kernels, Carver& memory)
    : RowDivergence<W>(operation, group_size, groups_kept, kernels, memory),
      merged_(memory.take<W>(group_size)),
      base_(memory.take<W>(group_size)),
      p_(memory.take<double>(group_size)),
      q_(memory.take<double>(group_size)) {}

template <typename W>
void CachedDivergence<W>::begin(int64_t first) {
  first_ = first;
  count_ = 0;
}

template <typename W>
void CachedDivergence<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  this->lay_onto(block, offset, count, merged_ + count_);
  std::copy_n(block.value(this->operation_.base) + offset, count, base_ + count_);
  count_ += count;
}

template <typename W>
bool CachedDivergence<W>::end_pass() {
  const WorkKernels<W>& kernels = kernels_of<W>(this->kernels_);
  kernels.exponentials(merged_, kernels.largest_of(merged_, count_, static_cast<W>(kLeast)), p_, count_);
  kernels.exponentials(base_, kernels.largest_of(base_, count_, static_cast<W>(kLeast)), q_, count_);
  PairwiseSum p_sum, q_sum, divergence;
  this->add(p_sum, p_, count_);
  this->add(q_sum, q_, count_);
  this->kernels_.divergence_terms(p_, p_sum.finish(), q_, q_sum.finish(), count_);
  this->add(divergence, p_, count_);
  this->found(first_, divergence.finish());
  return true;
}

template <typename W>
StreamedDivergence<W>::StreamedDivergence(const Divergence& operation, int64_t group_size, int64_t groups_kept,
                                          const KernelTable& kernels, Carver& memory)
    : RowDivergence<W>(operation, group_size, groups_kept, kernels, memory),
      merged_(memory.take<W>(kBlock)),
      p_(memory.take<double>(kBlock)),
      q_(memory.take<double>(kBlock)) {}

template <typename W>
void StreamedDivergence<W>::begin(int64_t first) {
  first_ = first;
  pass_ = Pass::maxima;
  merged_largest_ = base_largest_ = static_cast<W>(kLeast);
}

template <typename W>
void StreamedDivergence<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  const WorkKernels<W>& kernels = kernels_of<W>(this->kernels_);
  const W* base = block.value(this->operation_.base) + offset;
  this->lay_onto(block, offset, count, merged_);
  if (pass_ == Pass::maxima) {
    merged_largest_ = kernels.largest_of(merged_, count, merged_largest_);
    base_largest_ = kernels.largest_of(base, count, base_largest_);
    return;
  }
  kernels.exponentials(merged_, merged_largest_, p_, count);
  kernels.exponentials(base, base_largest_, q_, count);
  if (pass_ == Pass::sums) {
    this->add(q_gathered_, q_, count);
  } else {
    this->kernels_.divergence_terms(p_, p_sum_, q_, q_sum_, count);
  }
  this->add(p_gathered_, p_, count);
}

template <typename W>
bool StreamedDivergence<W>::end_pass() {
  const double sum = pass_ == Pass::maxima ? 0 : p_gathered_.finish();
  p_gathered_ = PairwiseSum();
  switch (pass_) {
    case Pass::maxima:
      q_gathered_ = PairwiseSum();
      pass_ = Pass::sums;
      return false;
    case Pass::sums:
      p_sum_ = sum;
      q_sum_ = q_gathered_.finish();
      pass_ = Pass::terms;
      return false;
    case Pass::terms:
      this->found(first_, sum);
      return true;
  }
  return true;
}

template <typename W>
ImportanceThreshold<W>::ImportanceThreshold(const ArceeFusion& operation, const RowDivergence<W>& rows,
                                            int64_t group_size, int64_t capacity, const KernelTable& kernels,
                                            Carver& memory)
    : Statistic<W>(group_size),
      operation_(operation),
      rows_(rows),
      kernels_(kernels_of<W>(kernels)),
      importances_(memory.take<double>(kBlock)),
      found_(kBlock, memory),
      ranks_({quantile(0.5, group_size), quantile(0.75, group_size), quantile(0.25, group_size)}, group_size, capacity,
             0, by_number(kernels), kernels, found_, memory) {}

template <typename W>
void ImportanceThreshold<W>::begin(int64_t) {
  ranks_.begin();
}

template <typename W>
void ImportanceThreshold<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  const W* tau = block.value(operation_.of) + offset;
  const int64_t begin = block.begin + offset;
  for_each_group(begin, count, rows_.group_size(), [&](int64_t first, int64_t at, int64_t part) {
    kernels_.importances(tau + at, rows_.of(first), importances_ + at, part);
  });
  ranks_.gather(importances_, count, begin);
}

template <typename W>
bool ImportanceThreshold<W>::end_pass() {
  if (!ranks_.end_pass()) return false;
  const auto at = [this](size_t number) { return number_of_key(ranks_.cut(number).key); };
  threshold_ = at(0) + 1.5 * (at(1) - at(2));
  return true;
}

template class CachedDivergence<float>;
template class CachedDivergence<double>;
template class StreamedDivergence<float>;
template class StreamedDivergence<double>;
template class ImportanceThreshold<float>;
template class ImportanceThreshold<double>;

}  // namespace theta
