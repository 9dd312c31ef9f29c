#include "competition.h"

#include <algorithm>

#include "../formula/choose.h"
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

/// So many vectors at most have bounds of their balances: powers of e stay well within float32.
constexpr size_t kMostBounded = 64;
/// Ranges of sizes and floors between which no product of float32 comes near its ends.
constexpr double kLeastUsual = 0x1p-100, kMostUsual = 0x1p100;
constexpr double kPerLn2 = 1.44269504088896338700;

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
Contenders<W>::Contenders(const Pcb& operation, const KernelTable& kernels, Carver& memory)
    : of_(operation.of),
      kernels_(kernels_of<W>(kernels)),
      values_(of_.size()),
      slopes_(of_.size()),
      levels_(of_.size()),
      floors_(of_.size()),
      found_(of_.size() + 1),
      rivals_(memory.take<double>(kBlock)),
      balances_(memory.take<double>(kBlock)) {
  const auto count = static_cast<W>(of_.size());
  // Four times what shares and their sum may be off by (compete.h).
  bounds_ = {slopes_.data(),     levels_.data(), floors_.data(), count * (count + 8) * W(0x1p-22),
             count * W(kPerLn2), false};
  for (size_t k = 0; k <= of_.size(); ++k) positions_.push_back(memory.take<uint32_t>(kBlock + kCollectSlack));
}

template <typename W>
void Contenders<W>::hold_within(const Competitor<W>* rules) {
  rules_ = rules;
  bounds_.are_of_use = of_.size() <= kMostBounded;
  for (size_t k = 0; k < of_.size(); ++k) {
    const double range = static_cast<double>(rules[k].high) - static_cast<double>(rules[k].low);
    slopes_[k] = range > 0 ? static_cast<W>(1 / range) : 0;
    levels_[k] = range > 0 ? 0 : 1;
    // What counts for nothing is left out of the sum, so that times nothing it must be nothing.
    const W most = absolute(rules[k].weight * rules[k].high);
    const bool is_usual = (range == 0 || (range > kLeastUsual && range < kMostUsual)) && most < __builtin_inf();
    bounds_.are_of_use = bounds_.are_of_use && is_usual;
  }
}

template <typename W>
void Contenders<W>::leave_out_below(size_t vector, double floor) {
  const double margin = 1 - 0x1p-10 - 0x1p-18 * static_cast<double>(of_.size());
  floors_[vector] = floor > kLeastUsual && floor < kMostUsual ? static_cast<W>(floor * margin) : 0;
}

template <typename W>
void Contenders<W>::leave_out(size_t vector) {
  floors_[vector] = __builtin_inf();
}

template <typename W>
void Contenders<W>::find(const Block<W>& block, int64_t offset, int64_t count) {
  for (size_t k = 0; k < values_.size(); ++k) values_[k] = block.value(of_[k]) + offset;
  const auto vectors = static_cast<int>(values_.size());
  kernels_.contenders(values_.data(), vectors, rules_, bounds_, count, positions_.data(), found_.data());
  kernels_.rivals_at(values_.data(), vectors, rules_, positions_.back(), found_.back(), rivals_);
}

template <typename W>
const double* Contenders<W>::balances(size_t vector) {
  kernels_.balances_at(values_[vector], rules_[vector], static_cast<int>(values_.size()), rivals_, positions_[vector],
                       found_[vector], balances_);
  return balances_;
}

template <typename W>
Competition<W>::Competition(const Pcb& operation, std::vector<const SizeRange<W>*> ranges, int64_t group_size,
                            int64_t capacity, const KernelTable& kernels, Carver& memory)
    : Statistic<W>(group_size),
      operation_(operation),
      kernels_(kernels),
      ranges_(std::move(ranges)),
      found_(kBlock, memory),
      contenders_(operation, kernels, memory),
      divisor_(memory.take<W>(kBlock)) {
  ranks_.reserve(operation.of.size());
  for (size_t k = 0; k < operation.of.size(); ++k) {
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
  contenders_.hold_within(rules_.data());
  aim();
}

/// A pass needs only balances that it looks at. Those that a search ends with are among these, and so is the largest.
template <typename W>
void Competition<W>::aim() {
  for (size_t k = 0; k < ranks_.size(); ++k) {
    const std::optional<uint64_t> least = ranks_[k].least_of_interest();
    if (least) {
      contenders_.leave_out_below(k, number_of_key(*least));
    } else {
      contenders_.leave_out(k);
    }
  }
}

template <typename W>
void Competition<W>::gather(const Block<W>& block, int64_t offset, int64_t count) {
  contenders_.find(block, offset, count);
  for (size_t k = 0; k < rules_.size(); ++k) {
    const std::span<const uint32_t> positions = contenders_.positions(k);
    if (positions.empty()) continue;
    const auto found = static_cast<int64_t>(positions.size());
    const double* balances = contenders_.balances(k);
    rules_[k].most = kernels_.f64.largest_of(balances, found, rules_[k].most);
    ranks_[k].gather_some(balances, positions.data(), found, block.begin + offset);
  }
}

template <typename W>
bool Competition<W>::end_pass() {
  bool all_found = true;
  // Every one must end its pass.
  for (StreamedRanks<double>& ranks : ranks_) all_found = ranks.end_pass() && all_found;
  aim();
  if (!all_found) return false;
  for (size_t k = 0; k < rules_.size(); ++k) {
    rules_[k].least = number_of_key(ranks_[k].cut(0).key);
    contenders_.leave_out_below(k, rules_[k].least);
  }
  return true;
}

template <typename W>
void Competition<W>::write(const Block<W>& block, W* to) {
  const WorkKernels<W>& kernels = kernels_of<W>(kernels_);
  contenders_.find(block, 0, block.count);
  std::fill_n(to, block.count, W{0});
  std::fill_n(divisor_, block.count, W{0});
  for (size_t k = 0; k < rules_.size(); ++k) {
    const std::span<const uint32_t> positions = contenders_.positions(k);
    kernels.add_scored(contenders_.values(k), rules_[k], contenders_.balances(k), positions.data(),
                       static_cast<int64_t>(positions.size()), to, divisor_);
  }
  kernels.divide_by_scores(divisor_, static_cast<W>(operation_.scale), to, block.count);
}

template <typename W>
Step<W> make_pcb_step(ValueId id, const Pcb&, const StepContext<W>& context) {
  auto* statistic = static_cast<Competition<W>*>(context.statistics[id].get());
  return [statistic](const Block<W>& block, W* to) { statistic->write(block, to); };
}

template class SizeRange<float>;
template class SizeRange<double>;
template class Contenders<float>;
template class Contenders<double>;
template class Competition<float>;
template class Competition<double>;
template Step<float> make_pcb_step<float>(ValueId, const Pcb&, const StepContext<float>&);
template Step<double> make_pcb_step<double>(ValueId, const Pcb&, const StepContext<double>&);

}  // namespace theta
