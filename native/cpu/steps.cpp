#include "steps.h"

#include <algorithm>
#include <string>

#include "../error.h"
#include "../formula/combine.h"
#include "absolute_ratio.h"
#include "overloaded.h"

namespace theta {

namespace {

template <typename W>
Step<W> make_rescale_l1_step(ValueId id, const RescaleL1& operation, const StepContext<W>& context) {
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  const auto* statistic = static_cast<const AbsoluteRatio<W>*>(context.statistics[id].get());
  return [operation, statistic, &kernels](const Block<W>& block, W* to) {
    const W* x = block.value(operation.of);
    for_each_group(block.begin, block.count, statistic->group_size(),
                   [&](int64_t first, int64_t offset, int64_t count) {
                     kernels.multiply(x + offset, statistic->ratio(first), to + offset, count);
                   });
  };
}

/// A kernel of two values.
template <typename W, typename Kernel>
Step<W> binary(Kernel kernel, ValueId left, ValueId right) {
  return [kernel, left, right](const Block<W>& block, W* to) {
    kernel(block.value(left), block.value(right), to, block.count);
  };
}

/// A kernel of a value and a number, which is rounded to W.
template <typename W, typename Kernel>
Step<W> with_number(Kernel kernel, ValueId of, double number) {
  return [kernel, of, by = static_cast<W>(number)](const Block<W>& block, W* to) {
    kernel(block.value(of), by, to, block.count);
  };
}

template <typename W, typename Kernel>
Step<W> combine_masks(Kernel kernel, ValueId left, ValueId right) {
  return [kernel, left, right](const Block<W>& block, W* to) {
    kernel(block.mask(left), block.mask(right), reinterpret_cast<Bits<W>*>(to), block.count);
  };
}

}  // namespace

template <typename W>
Step<W> make_step(ValueId id, const StepContext<W>& context) {
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  const auto band = [&] { return make_mask_step<W>(id, *context.facts[id].rule, context); };
  return std::visit(Overloaded{
                        [&](const Load& op) { return make_load_step<W>(id, op, context); },
                        [&](const Resize& op) { return make_resize_step<W>(op, context); },
                        [&](const Lora&) -> Step<W> {
                          return [product = context.lora[id].get(), &kernels](const Block<W>& block, W* to) {
                            product->run(kernels, block, to);
                          };
                        },
                        [&](const Subtract& op) { return make_subtract_step<W>(op, context); },
                        [&](const Add& op) { return binary<W>(kernels.add, op.left, op.right); },
                        [&](const Onto& op) { return binary<W>(kernels.onto, op.base, op.vector); },
                        [&](const Negate& op) -> Step<W> {
                          return [&kernels, of = op.of](const Block<W>& block, W* to) {
                            kernels.negate(block.value(of), to, block.count);
                          };
                        },
                        [&](const Multiply& op) { return with_number<W>(kernels.multiply, op.of, op.by); },
                        [&](const Divide& op) { return with_number<W>(kernels.divide, op.of, op.by); },
                        [&](const Magnitude&) { return band(); },
                        [&](const Breadcrumbs&) { return band(); },
                        [&](const Random& op) { return make_random_step<W>(op, context); },
                        [&](const Della& op) { return make_della_step<W>(id, op, context); },
                        [&](const ModelCut& op) { return make_cut_step<W>(op, context); },
                        [&](const ModelDella& op) { return make_model_della_step<W>(op, context); },
                        [&](const MaskAnd& op) { return combine_masks<W>(kernels.mask_and, op.left, op.right); },
                        [&](const MaskOr& op) { return combine_masks<W>(kernels.mask_or, op.left, op.right); },
                        [&](const MaskNot& op) -> Step<W> {
                          return [&kernels, of = op.of](const Block<W>& block, W* to) {
                            kernels.mask_not(block.mask(of), reinterpret_cast<Bits<W>*>(to), block.count);
                          };
                        },
                        [&](const Select& op) { return make_select_step<W>(op, context); },
                        [&](const RescaleInv& op) { return with_number<W>(kernels.divide, op.of, op.density); },
                        [&](const RescaleDella& op) { return make_rescale_della_step<W>(op, context); },
                        [&](const RescaleL1& op) { return make_rescale_l1_step<W>(id, op, context); },
                        [&](const Sum& op) { return make_sum_step<W>(op, context); },
                        [&](const Mean& op) { return make_mean_step<W>(op, context); },
                        [&](const Ties& op) { return make_ties_step<W>(op, context); },
                        [&](const Variance& op) { return make_variance_step<W>(op, context); },
                        [&](const Largest&) { return band(); },
                        [&](const Sce& op) { return make_sce_step<W>(id, op, context); },
                        [&](const Ram& op) { return make_ram_step<W>(op, context); },
                        [&](const RamPlus& op) { return make_ram_plus_step<W>(id, op, context); },
                        [&](const Consensus& op) { return make_consensus_step<W>(op, context); },
                        [&](const Magmax& op) { return make_magmax_step<W>(op, context); },
                        // Their statistics are all that there is of them.
                        [&](const Extremes&) -> Step<W> { return [](const Block<W>&, W*) {}; },
                        [&](const Divergence&) -> Step<W> { return [](const Block<W>&, W*) {}; },
                        [&](const Pcb& op) { return make_pcb_step<W>(id, op, context); },
                        [&](const ArceeFusion& op) { return make_arcee_fusion_step<W>(id, op, context); },
                        [&](const Linear& op) { return make_linear_step<W>(op, context); },
                        [&](const Slerp& op) { return make_slerp_step<W>(id, op, context); },
                        [&](const Karcher& op) { return make_karcher_step<W>(id, op, context); },
                        [&](const ModelStock& op) { return make_model_stock_step<W>(id, op, context); },
                        [&](const Nearswap& op) { return with_number<W>(kernels.nearswap, op.of, op.t); },
                    },
                    context.program.operations[id]);
}

template Step<float> make_step<float>(ValueId, const StepContext<float>&);
template Step<double> make_step<double>(ValueId, const StepContext<double>&);

}  // namespace theta
