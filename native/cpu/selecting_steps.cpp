// Steps of the strategies that choose elements.
#include <memory>

#include "importance.h"
#include "selecting_statistics.h"
#include "steps.h"

namespace theta {

namespace {

/// Where a block's values lie.
template <typename W>
class BoundValues {
 public:
  explicit BoundValues(const std::vector<ValueId>& of) : of_(of), values_(of.size()) {}

  const W* const* in(const Block<W>& block) {
    for (size_t i = 0; i < of_.size(); ++i) values_[i] = block.value(of_[i]);
    return values_.data();
  }
  int count() const { return static_cast<int>(of_.size()); }

 private:
  std::vector<ValueId> of_;
  std::vector<const W*> values_;
};

template <typename W>
std::shared_ptr<BoundValues<W>> bind(const std::vector<ValueId>& of) {
  return std::make_shared<BoundValues<W>>(of);
}

}  // namespace

template <typename W>
Step<W> make_variance_step(const Variance& operation, const StepContext<W>& context) {
  return [bound = bind<W>(operation.of), &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    kernels.variance(bound->in(block), bound->count(), to, block.count);
  };
}

/// What is not chosen would be 0 in every value, and so is the result.
template <typename W>
Step<W> make_sce_step(ValueId id, const Sce& operation, const StepContext<W>& context) {
  const auto* statistic = static_cast<const SceWeights<W>*>(context.statistics[id].get());
  return [bound = bind<W>(operation.of), statistic, chosen = operation.chosen,
          &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    const TermWeights<W>& weights = statistic->weights();
    const Terms<W> terms{bound->in(block), weights.rounded(), bound->count(), W{1}};
    const TiesRule<W> rule{Elect::unweighted, DivideBy::weights, weights.divisors(), weights.exact()};
    kernels.ties(terms, rule, to, block.count);
    if (chosen != kNoValue) kernels.select_in_place(to, block.mask(chosen), block.count);
  };
}

template <typename W>
Step<W> make_ram_step(const Ram& operation, const StepContext<W>& context) {
  return [bound = bind<W>(operation.of), epsilon = static_cast<W>(operation.epsilon),
          &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    kernels.ram(bound->in(block), bound->count(), epsilon, nullptr, to, block.count);
  };
}

template <typename W>
Step<W> make_ram_plus_step(ValueId id, const RamPlus& operation, const StepContext<W>& context) {
  const auto* statistic = static_cast<const RamFactors<W>*>(context.statistics[id].get());
  return [bound = bind<W>(operation.of), epsilon = static_cast<W>(operation.epsilon), statistic,
          &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    kernels.ram(bound->in(block), bound->count(), epsilon, statistic->factors(), to, block.count);
  };
}

template <typename W>
Step<W> make_consensus_step(const Consensus& operation, const StepContext<W>& context) {
  std::vector<W> weights;
  for (const double weight : operation.weights) weights.push_back(static_cast<W>(weight));
  return [bound = bind<W>(operation.of), weights, scale = static_cast<W>(operation.scale),
          lambda = static_cast<W>(operation.lambda), at_least = operation.at_least,
          &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    const W* const* values = bound->in(block);
    kernels.weighted_sum({values, weights.data(), bound->count(), scale}, to, block.count);
    kernels.scale(to, scale, block.count);
    kernels.consensus(values, bound->count(), lambda, at_least, to, block.count);
  };
}

template <typename W>
Step<W> make_magmax_step(const Magmax& operation, const StepContext<W>& context) {
  return [bound = bind<W>(operation.of), scale = static_cast<W>(operation.scale),
          &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    kernels.magmax(bound->in(block), bound->count(), scale, to, block.count);
  };
}

template <typename W>
Step<W> make_arcee_fusion_step(ValueId id, const ArceeFusion& operation, const StepContext<W>& context) {
  const auto* rows = static_cast<const RowDivergence<W>*>(context.statistics[operation.divergence].get());
  const auto* statistic = static_cast<const ImportanceThreshold<W>*>(context.statistics[id].get());
  return [of = operation.of, rows, statistic, &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    const W* tau = block.value(of);
    const double threshold = statistic->threshold();
    for_each_group(block.begin, block.count, rows->group_size(), [&](int64_t first, int64_t offset, int64_t count) {
      kernels.keep_important(tau + offset, rows->of(first), threshold, to + offset, count);
    });
  };
}

template Step<float> make_variance_step<float>(const Variance&, const StepContext<float>&);
template Step<double> make_variance_step<double>(const Variance&, const StepContext<double>&);
template Step<float> make_sce_step<float>(ValueId, const Sce&, const StepContext<float>&);
template Step<double> make_sce_step<double>(ValueId, const Sce&, const StepContext<double>&);
template Step<float> make_ram_step<float>(const Ram&, const StepContext<float>&);
template Step<double> make_ram_step<double>(const Ram&, const StepContext<double>&);
template Step<float> make_ram_plus_step<float>(ValueId, const RamPlus&, const StepContext<float>&);
template Step<double> make_ram_plus_step<double>(ValueId, const RamPlus&, const StepContext<double>&);
template Step<float> make_consensus_step<float>(const Consensus&, const StepContext<float>&);
template Step<double> make_consensus_step<double>(const Consensus&, const StepContext<double>&);
template Step<float> make_magmax_step<float>(const Magmax&, const StepContext<float>&);
template Step<double> make_magmax_step<double>(const Magmax&, const StepContext<double>&);
template Step<float> make_arcee_fusion_step<float>(ValueId, const ArceeFusion&, const StepContext<float>&);
template Step<double> make_arcee_fusion_step<double>(ValueId, const ArceeFusion&, const StepContext<double>&);

}  // namespace theta
