#include "competition.h"

#include <algorithm>

#include "facts.h"
#include "steps.h"

namespace theta {

namespace {

std::vector<Rank> ends_of(int64_t size, double clip) {
  const int64_t outside = std::min(count_of(size, clip), (size - 1) / 2);
  return {{size - 1 - outside}, {outside}};
}

/// Behind so many balances comes the one that is the least, and counts no more.
int64_t counting_of(int64_t size, double select) {
  return std::min(std::max<int64_t>(count_of(size, select), 1), size - 1);
}

}  // namespace

template <typename W>
SizeRange<W>::SizeRange(const Extremes& operation, int64_t group_size, int64_t capacity, const KernelTable& kernels,
                        Carver& memory)
    : Statistic<W>(group_size),
      of_(operation.of),
      found_(kBlock, memory),
      ranks_(ends_of(group_size, operation.clip), group_size, capacity, 0, by_magnitude<W>(kernels), kernels, found_,
             memory) {}

template <typename W>
Competition<W>::Competition(const Pcb& operation, std::vector<const SizeRange<W>*> ranges, int64_t group_size,
                            int64_t capacity, const KernelTable& kernels, Carver& memory)
    : Statistic<W>(group_size),
      operation_(operation),
      kernels_(kernels),
      ranges_(std::move(ranges)),
      found_(kBlock, memory),
      values_(operation.of.size()) {
  ranks_.reserve(operation.of.size());
  for (size_t k = 0; k < operation.of.size(); ++k) {
    balances_.push_back(memory.take<double>(kBlock));
    ranks_.emplace_back(std::vector<Rank>{{counting_of(group_size, operation.select)}}, group_size, capacity, 0,
                        by_number(kernels), kernels, found_, memory);
    rules_.push_back({0, 0, static_cast<W>(operation.weights[k]), 0, 0});
  }
}

template <typename W>
void Competition<W>::begin(int64_t) {
  for (size_t k = 0; k < rules_.size(); ++k) {
    rules_[k].low = ranges_[k]->low();
    rules_[k].high = ranges_[k]->high();
    rules_[k].most = -__builtin_inf();
    ranks_[k].begin();
  }
}

template <typename W>
void Competition<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  for (size_t k = 0; k < values_.size(); ++k) values_[k] = block.value(operation_.of[k]) + offset;
  kernels_of<W>(kernels_).balances(values_.data(), static_cast<int>(values_.size()), rules_.data(), balances_.data(),
                                   count);
  for (size_t k = 0; k < values_.size(); ++k) {
    rules_[k].most = kernels_.f64.largest_of(balances_[k], count, rules_[k].most);
    ranks_[k].gather(balances_[k], count, block.begin + offset);
  }
}

template <typename W>
bool Competition<W>::end_pass() {
  bool all_found = true;
  // Every one must end its pass.
  for (StreamedRanks<double>& ranks : ranks_) all_found = ranks.end_pass() && all_found;
  if (!all_found) return false;
  for (size_t k = 0; k < rules_.size(); ++k) rules_[k].least = number_of_key(ranks_[k].cut(0).key);
  return true;
}

template <typename W>
Step<W> make_pcb_step(ValueId id, const Pcb& operation, const StepContext<W>& context) {
  const auto* statistic = static_cast<const Competition<W>*>(context.statistics[id].get());
  return [of = operation.of, values = std::make_shared<std::vector<const W*>>(operation.of.size()), statistic,
          scale = static_cast<W>(operation.scale),
          &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    for (size_t k = 0; k < of.size(); ++k) (*values)[k] = block.value(of[k]);
    kernels.balanced_mean(values->data(), static_cast<int>(of.size()), statistic->rules(), scale, to, block.count);
  };
}

template class SizeRange<float>;
template class SizeRange<double>;
template class Competition<float>;
template class Competition<double>;
template Step<float> make_pcb_step<float>(ValueId, const Pcb&, const StepContext<float>&);
template Step<double> make_pcb_step<double>(ValueId, const Pcb&, const StepContext<double>&);

}  // namespace theta
