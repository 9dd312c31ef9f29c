// Steps whose coefficients follow from dot products over a group.
#include <algorithm>
#include <memory>

#include "gram_statistics.h"
#include "steps.h"

namespace theta {

template <typename W>
Step<W> make_slerp_step(ValueId id, const Slerp& operation, const StepContext<W>& context) {
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  if (operation.t == 0 || operation.t == 1) {
    const ValueId taken = operation.t == 0 ? operation.left : operation.right;
    return [taken](const Block<W>& block, W* to) { std::copy_n(block.value(taken), block.count, to); };
  }
  const auto* statistic = static_cast<const SlerpStatistic<W>*>(context.statistics[id].get());
  return [operation, statistic, &kernels](const Block<W>& block, W* to) {
    const W *a = block.value(operation.left), *b = block.value(operation.right);
    for_each_group(
        block.begin, block.count, statistic->group_size(), [&](int64_t first, int64_t offset, int64_t count) {
          const SlerpCoefficients& found = statistic->coefficients(first);
          if (found.interpolate) {
            kernels.interpolate(a + offset, b + offset, static_cast<W>(operation.t), to + offset, count);
          } else {
            kernels.blend(static_cast<W>(found.a), a + offset, static_cast<W>(found.b), b + offset, to + offset, count);
          }
        });
  };
}

template <typename W>
Step<W> make_karcher_step(ValueId id, const Karcher& operation, const StepContext<W>& context) {
  const auto* statistic = static_cast<const KarcherStatistic<W>*>(context.statistics[id].get());
  auto values = std::make_shared<std::vector<const W*>>(operation.of.size());
  return [of = operation.of, values, statistic, &kernels = kernels_of<W>(context.kernels)](const Block<W>& block,
                                                                                           W* to) {
    for (size_t i = 0; i < of.size(); ++i) (*values)[i] = block.value(of[i]);
    const W* coefficients = statistic->coefficients(block.begin / statistic->group_size() * statistic->group_size());
    kernels.weighted_sum({values->data(), coefficients, static_cast<int>(of.size()), W{1}}, to, block.count);
  };
}

template <typename W>
Step<W> make_model_stock_step(ValueId id, const ModelStock& operation, const StepContext<W>& context) {
  const auto* statistic = static_cast<const ModelStockStatistic<W>*>(context.statistics[id].get());
  const auto ones = std::make_shared<std::vector<W>>(operation.of.size(), W{1});
  auto values = std::make_shared<std::vector<const W*>>(operation.of.size());
  return [of = operation.of, ones, values, statistic, &kernels = kernels_of<W>(context.kernels)](const Block<W>& block,
                                                                                                 W* to) {
    for (size_t i = 0; i < of.size(); ++i) (*values)[i] = block.value(of[i]);
    kernels.weighted_sum({values->data(), ones->data(), static_cast<int>(of.size()), W{1}}, to, block.count);
    kernels.divide_in_place(to, static_cast<W>(of.size()), block.count);
    for_each_group(block.begin, block.count, statistic->group_size(),
                   [&](int64_t first, int64_t offset, int64_t count) {
                     kernels.scale(to + offset, statistic->step(first), count);
                   });
  };
}

template Step<float> make_slerp_step<float>(ValueId, const Slerp&, const StepContext<float>&);
template Step<double> make_slerp_step<double>(ValueId, const Slerp&, const StepContext<double>&);
template Step<float> make_karcher_step<float>(ValueId, const Karcher&, const StepContext<float>&);
template Step<double> make_karcher_step<double>(ValueId, const Karcher&, const StepContext<double>&);
template Step<float> make_model_stock_step<float>(ValueId, const ModelStock&, const StepContext<float>&);
template Step<double> make_model_stock_step<double>(ValueId, const ModelStock&, const StepContext<double>&);

}  // namespace theta
