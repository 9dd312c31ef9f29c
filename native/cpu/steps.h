// How each operation computes its value of a block: the operation's parameters are rounded to W and bound once a task.
#pragma once

#include <memory>
#include <vector>

#include "block.h"
#include "lora.h"
#include "mask_statistic.h"
#include "schedule.h"

namespace theta {

/// What operations are bound to; outlives the steps.
template <typename W>
struct StepContext {
  const Program& program;
  const std::vector<Facts>& facts;
  const std::vector<TensorDesc>& inputs;
  const KernelTable& kernels;
  const FoundElements<W>& found;
  /// By operation, null where there is none.
  const std::vector<std::unique_ptr<Statistic<W>>>& statistics;
  const std::vector<std::unique_ptr<LoraProduct<W>>>& lora;
  /// As the stage's.
  const std::vector<bool>& folded;
};

/// Throws Error(input) where the operation's parameters make no sense.
template <typename W>
Step<W> make_step(ValueId id, const StepContext<W>& context);

/// What reads what is stored, or may; in stored_steps.cpp.
template <typename W>
Step<W> make_load_step(ValueId id, const Load& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_resize_step(const Resize& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_subtract_step(const Subtract& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_select_step(const Select& operation, const StepContext<W>& context);

/// The mask of a plain mask operation; in mask_step.cpp.
template <typename W>
Step<W> make_mask_step(ValueId id, const MaskRule& rule, const StepContext<W>& context);

/// The random masks and their rescaling; in random_steps.cpp.
template <typename W>
Step<W> make_random_step(const Random& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_della_step(ValueId id, const Della& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_model_della_step(const ModelDella& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_rescale_della_step(const RescaleDella& operation, const StepContext<W>& context);
/// What a della mask leaves of a value that is divided by its thresholds for nothing else.
template <typename W>
Step<W> make_rescaled_select_step(const Select& operation, const StepContext<W>& context);
/// A mask whose cuts are known; in mask_step.cpp.
template <typename W>
Step<W> make_cut_step(const ModelCut& operation, const StepContext<W>& context);

/// The strategies, which weigh several values; in strategy_steps.cpp.
template <typename W>
Step<W> make_sum_step(const Sum& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_mean_step(const Mean& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_ties_step(const Ties& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_linear_step(const Linear& operation, const StepContext<W>& context);

/// What turns with the angles between values; in spherical_steps.cpp.
template <typename W>
Step<W> make_slerp_step(ValueId id, const Slerp& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_karcher_step(ValueId id, const Karcher& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_model_stock_step(ValueId id, const ModelStock& operation, const StepContext<W>& context);
/// The strategies that choose elements; in selecting_steps.cpp.
template <typename W>
Step<W> make_variance_step(const Variance& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_sce_step(ValueId id, const Sce& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_ram_step(const Ram& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_ram_plus_step(ValueId id, const RamPlus& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_consensus_step(const Consensus& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_magmax_step(const Magmax& operation, const StepContext<W>& context);
template <typename W>
Step<W> make_arcee_fusion_step(ValueId id, const ArceeFusion& operation, const StepContext<W>& context);
/// In competition.cpp.
template <typename W>
Step<W> make_pcb_step(ValueId id, const Pcb& operation, const StepContext<W>& context);

}  // namespace theta
