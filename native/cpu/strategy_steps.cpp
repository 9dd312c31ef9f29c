// Strategies: steps over several values, each with a weight.
#include <cmath>
#include <memory>

#include "../error.h"
#include "../formula/combine.h"
#include "steps.h"
#include "weights.h"

namespace theta {

namespace {

/// Operands and weights, bound once: what a kernel's Terms points at.
template <typename W>
class BoundTerms {
 public:
  BoundTerms(const std::vector<ValueId>& of, const std::vector<double>& weights, double scale)
      : of_(of), scale_(static_cast<W>(scale)), values_(of.size()) {
    if (of.size() != weights.size()) throw Error(ErrorCode::input, "a strategy needs one weight for each value");
    for (const double weight : weights) weights_.push_back(static_cast<W>(weight));
  }

  Terms<W> terms(const Block<W>& block, size_t skipped = 0) {
    for (size_t i = 0; i < of_.size(); ++i) values_[i] = block.value(of_[i]);
    return {values_.data() + skipped, weights_.data() + skipped, static_cast<int>(of_.size() - skipped), scale_};
  }
  W scale() const { return scale_; }
  ValueId first() const { return of_.front(); }
  size_t size() const { return of_.size(); }

 private:
  std::vector<ValueId> of_;
  W scale_;
  std::vector<W> weights_;
  std::vector<const W*> values_;
};

template <typename W>
W divisor_of_all(const std::vector<double>& weights) {
  double total = 0, absolute = 0;
  for (const double weight : weights) {
    total = total + weight;
    absolute = absolute + std::abs(weight);
  }
  const W divisor = static_cast<W>(divisor_of(total, absolute));
  if (divisor == 0) throw Error(ErrorCode::input, "the weights sum to zero");
  return divisor;
}

}  // namespace

template <typename W>
Step<W> make_sum_step(const Sum& operation, const StepContext<W>& context) {
  auto bound = std::make_shared<BoundTerms<W>>(operation.of, operation.weights, operation.scale);
  return [bound, &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    kernels.weighted_sum(bound->terms(block), to, block.count);
    kernels.scale(to, bound->scale(), block.count);
  };
}

template <typename W>
Step<W> make_mean_step(const Mean& operation, const StepContext<W>& context) {
  auto bound = std::make_shared<BoundTerms<W>>(operation.of, operation.weights, operation.scale);
  const W divisor = divisor_of_all<W>(operation.weights);
  return [bound, divisor, &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    kernels.weighted_sum(bound->terms(block), to, block.count);
    kernels.divide_in_place(to, divisor, block.count);
    kernels.scale(to, bound->scale(), block.count);
  };
}

template <typename W>
Step<W> make_ties_step(const Ties& operation, const StepContext<W>& context) {
  auto bound = std::make_shared<BoundTerms<W>>(operation.of, operation.weights, operation.scale);
  return [bound, weights = TermWeights<W>(operation.weights), elect = operation.elect, divide = operation.divide,
          &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
    kernels.ties(bound->terms(block), {elect, divide, weights.divisors(), weights.exact()}, to, block.count);
  };
}

template <typename W>
Step<W> make_linear_step(const Linear& operation, const StepContext<W>& context) {
  auto bound = std::make_shared<BoundTerms<W>>(operation.of, operation.weights, 1.0);
  if (bound->size() == 0) throw Error(ErrorCode::input, "linear needs a value");
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  if (!operation.normalize) {
    return
        [bound, &kernels](const Block<W>& block, W* to) { kernels.weighted_sum(bound->terms(block), to, block.count); };
  }
  const W divisor = divisor_of_all<W>(operation.weights);
  return [bound, divisor, &kernels](const Block<W>& block, W* to) {
    const W* first = block.value(bound->first());
    kernels.weighted_differences(first, bound->terms(block, 1), to, block.count);
    kernels.divide_in_place(to, divisor, block.count);
    kernels.onto_in_place(first, to, block.count);
  };
}

template Step<float> make_sum_step<float>(const Sum&, const StepContext<float>&);
template Step<double> make_sum_step<double>(const Sum&, const StepContext<double>&);
template Step<float> make_mean_step<float>(const Mean&, const StepContext<float>&);
template Step<double> make_mean_step<double>(const Mean&, const StepContext<double>&);
template Step<float> make_ties_step<float>(const Ties&, const StepContext<float>&);
template Step<double> make_ties_step<double>(const Ties&, const StepContext<double>&);
template Step<float> make_linear_step<float>(const Linear&, const StepContext<float>&);
template Step<double> make_linear_step<double>(const Linear&, const StepContext<double>&);

}  // namespace theta
