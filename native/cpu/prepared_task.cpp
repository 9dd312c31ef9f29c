#include "prepared_task.h"

#include <algorithm>
#include <string>

#include "../error.h"
#include "absolute_ratio.h"
#include "cached_selection.h"
#include "competition.h"
#include "della_thresholds.h"
#include "gram_statistics.h"
#include "importance.h"
#include "overloaded.h"
#include "selecting_statistics.h"
#include "streamed_selection.h"

namespace theta {

namespace {

/// Groups of at most this many elements are resolved in cache.
constexpr int64_t kLocalElements = int64_t{1} << 16;
/// Elements that a streamed selection keeps a cut.
constexpr int64_t kMostCandidates = int64_t{1} << 19, kFewestCandidates = int64_t{1} << 10;
constexpr int64_t kWidestElement = 8;
/// Part of the memory that results of small groups may take for the whole of a span.
constexpr int64_t kKeptShare = 16;
/// Part of the memory that marks may take.
constexpr int64_t kMarksShare = 4;

/// The input that an operation loads, or -1.
int32_t input_loaded_by(const Operation& operation) {
  if (const auto* load = std::get_if<Load>(&operation)) return load->input;
  if (const auto* resize = std::get_if<Resize>(&operation)) return resize->input;
  return -1;
}

/// Once each.
std::vector<ChunkReader::Input> loaded_inputs(const TaskSpec& task) {
  std::vector<ChunkReader::Input> inputs;
  for (int32_t input = 0; input < static_cast<int32_t>(task.inputs.size()); ++input) {
    const TensorDesc& tensor = task.inputs[input];
    const bool loaded = std::ranges::any_of(
        task.program.operations, [input](const Operation& operation) { return input_loaded_by(operation) == input; });
    if (loaded) inputs.push_back({input, *tensor.dtype, std::min(elements(tensor.shape), elements(task.output.shape))});
  }
  return inputs;
}

/// Values that the last pass is for.
std::vector<ValueId> results_of(const TaskSpec& task) {
  if (task.writes()) return {static_cast<ValueId>(task.program.operations.size()) - 1};
  std::vector<ValueId> results = task.sums;
  for (const Window& window : task.windows) results.push_back(window.of);
  return results;
}

std::vector<int32_t> inputs_not_used(const TaskSpec& task) {
  std::vector<int32_t> unused;
  for (int32_t input = 0; input < static_cast<int32_t>(task.inputs.size()); ++input) {
    const bool used = std::ranges::any_of(task.program.operations, [input](const Operation& operation) {
      const auto* lora = std::get_if<Lora>(&operation);
      return input_loaded_by(operation) == input || (lora && (lora->a == input || lora->b == input));
    });
    if (!used) unused.push_back(input);
  }
  return unused;
}

}  // namespace

template <typename W>
PreparedTask<W>::PreparedTask(const TaskSpec& task, const EvaluateOptions& options, const KernelTable& kernels,
                              Carver& memory)
    : task(task),
      kernels(kernels),
      count(elements(task.output.shape)),
      inputs(loaded_inputs(task)),
      unused_inputs(inputs_not_used(task)) {
  plan_sizes(options);
  reader = std::make_unique<ChunkReader>(inputs, chunk, memory);
  if (task.writes()) output = memory.take<std::byte>(chunk * size_of(*task.output.dtype));
  if (!unused_inputs.empty()) unused = memory.take<std::byte>(chunk * kWidestElement);
  for (const Operation& operation : task.program.operations) {
    const auto* factors = std::get_if<Lora>(&operation);
    lora.push_back(factors ? std::make_unique<LoraProduct<W>>(*factors, task.inputs, task.output.shape, memory)
                           : nullptr);
  }
  found_ = std::make_unique<FoundElements<W>>(std::max(kBlock, schedule.unit), memory);
  make_statistics(options, memory);
  for (const Window& window : task.windows) {
    window_gatherers.push_back(std::make_unique<WindowGatherer<W>>(window, count, kernels, *found_, memory));
  }
  for (const ValueId of : task.sums) sums.emplace_back(of, kernels);
  bind_passes(memory);
  if (memory.used() > options.memory_bytes) {
    throw Error(ErrorCode::memory, "the tensor needs " + std::to_string(memory.used()) + " bytes of buffers, " +
                                       std::to_string(options.memory_bytes) + " are allowed");
  }
  if (passes.size() > 1) reader->make_resident(options.memory_bytes - memory.used(), schedule.span, memory);
}

/// Chunks of whole local groups; a group too large for a chunk is not local.
template <typename W>
void PreparedTask<W>::plan_sizes(const EvaluateOptions& options) {
  int64_t widest = sizeof(W), together = size_of(*task.output.dtype);
  for (const ChunkReader::Input& input : inputs) {
    widest = std::max(widest, size_of(input.dtype));
    together += size_of(input.dtype);
  }
  chunk = std::min({options.chunk_bytes / widest, options.memory_bytes / 2 / together, count});
  chunk = std::max<int64_t>(chunk, 1);
  // What chunks take is left out, so that small limits leave no room for marks.
  const ScheduleLimits limits{std::min(kLocalElements, chunk), options.memory_bytes / kKeptShare / kWidestElement,
                              options.memory_bytes / kMarksShare - chunk * together};
  schedule = schedule_of(task.program, task.output.shape, limits, results_of(task));
  chunk = chunk / schedule.unit * schedule.unit;
  unit = std::max<int64_t>(1, kBlock / schedule.unit) * schedule.unit;
  for (const ValueId id : schedule.counted_selects) {
    const ValueId mask = std::get<Select>(task.program.operations[id]).mask;
    // A tensor of which a model's mask keeps nothing is no empty group, unless the mask keeps nothing at all.
    const auto* cut = std::get_if<ModelCut>(&task.program.operations[mask]);
    const bool may_be_empty = !cut || static_cast<Bits<W>>(cut->outer.key) == Cut<Bits<W>>::nothing().key;
    select_counters.emplace_back(id, mask, schedule.facts[mask].groups, may_be_empty);
  }
}

template <typename W>
void PreparedTask<W>::make_statistics(const EvaluateOptions& options, Carver& memory) {
  // Of one candidate at every cut that is looked for at once.
  int64_t bytes = 0;
  for (size_t id = 0; id < schedule.facts.size(); ++id) {
    const Facts& facts = schedule.facts[id];
    if (!facts.statistic || schedule.is_local[id]) continue;
    if (facts.rule) {
      const auto cuts = static_cast<int64_t>(cuts_wanted(*facts.rule, facts.statistic->size).size());
      bytes += cuts * StreamedSelection<W>::bytes_per_candidate;
    }
    if (std::holds_alternative<ArceeFusion>(task.program.operations[id])) {
      bytes += ImportanceThreshold<W>::bytes_per_candidate;
    }
    if (std::holds_alternative<Extremes>(task.program.operations[id])) bytes += SizeRange<W>::bytes_per_candidate;
    if (const auto* pcb = std::get_if<Pcb>(&task.program.operations[id])) {
      bytes += static_cast<int64_t>(pcb->of.size()) * Competition<W>::bytes_per_candidate;
    }
  }
  make_ranking(options, memory);
  const int64_t room = options.memory_bytes / 4 / std::max<int64_t>(bytes, 1);
  const int64_t capacity =
      std::min(std::clamp(room, kFewestCandidates, kMostCandidates), std::max<int64_t>(schedule.span, 1));
  for (size_t id = 0; id < schedule.facts.size(); ++id) {
    const bool wanted = schedule.facts[id].statistic.has_value();
    statistics.push_back(wanted ? make_statistic(static_cast<ValueId>(id), capacity, memory) : nullptr);
    if (schedule.is_kept[id]) statistics.back()->keep();
  }
}

/// What della masks share. A group that does not fit is ranked in stretches, which takes passes: local ones must fit.
template <typename W>
void PreparedTask<W>::make_ranking(const EvaluateOptions& options, Carver& memory) {
  int64_t largest = 0, largest_local = 0, masks = 0;
  for (size_t id = 0; id < schedule.facts.size(); ++id) {
    if (!schedule.facts[id].statistic || !std::holds_alternative<Della>(task.program.operations[id])) continue;
    const int64_t size = schedule.facts[id].statistic->size;
    largest = std::max(largest, size);
    if (schedule.is_local[id]) largest_local = std::max(largest_local, size);
    ++masks;
  }
  if (masks == 0) return;
  const int64_t room = options.memory_bytes / 8 / masks / DellaThresholds<W>::bytes_per_element;
  ranked_at_once_ = std::max(largest_local, std::min(largest, std::clamp(room, kFewestCandidates, kMostCandidates)));
  ranking_ = std::make_unique<Ranking<W>>(ranked_at_once_, kernels, memory);
  if (largest_local > 0) group_ranks_ = std::make_unique<GroupRanks<W>>(largest_local, kernels, memory);
}

template <typename W>
std::unique_ptr<Statistic<W>> PreparedTask<W>::make_statistic(ValueId id, int64_t capacity, Carver& memory) {
  const int64_t size = schedule.facts[id].statistic->size;
  const bool local = schedule.is_local[id];
  const int64_t kept = (local && !schedule.is_kept[id] ? unit : schedule.span) / size;
  if (const auto& rule = schedule.facts[id].rule) {
    if (local) return std::make_unique<CachedSelection<W>>(*rule, size, kept, kernels, *found_, memory);
    return std::make_unique<StreamedSelection<W>>(*rule, size, kept, capacity, schedule.is_marked[id], kernels, *found_,
                                                  memory);
  }
  return std::visit(
      Overloaded{
          [&](const Della& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<DellaThresholds<W>>(op, size, kept, ranked_at_once_, kernels, *found_, *ranking_,
                                                        local ? group_ranks_.get() : nullptr, memory);
          },
          [&](const RescaleL1& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<AbsoluteRatio<W>>(op, size, kept, kernels, memory);
          },
          [&](const Slerp& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<SlerpStatistic<W>>(op, size, kept, kernels, memory);
          },
          [&](const Karcher& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<KarcherStatistic<W>>(op, size, kept, kernels, memory);
          },
          [&](const ModelStock& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<ModelStockStatistic<W>>(op, size, kept, kernels, memory);
          },
          [&](const Sce& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<SceWeights<W>>(op, size, kernels);
          },
          [&](const RamPlus& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<RamFactors<W>>(op, size, kernels);
          },
          [&](const Divergence& op) -> std::unique_ptr<Statistic<W>> {
            if (local) return std::make_unique<CachedDivergence<W>>(op, size, kept, kernels, memory);
            return std::make_unique<StreamedDivergence<W>>(op, size, kept, kernels, memory);
          },
          [&](const ArceeFusion& op) -> std::unique_ptr<Statistic<W>> {
            const auto& rows = static_cast<const RowDivergence<W>&>(*statistics[op.divergence]);
            return std::make_unique<ImportanceThreshold<W>>(op, rows, size, local ? size : capacity, kernels, memory);
          },
          [&](const Extremes& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<SizeRange<W>>(op, size, local ? size : capacity, kernels, memory);
          },
          [&](const Pcb& op) -> std::unique_ptr<Statistic<W>> {
            std::vector<const SizeRange<W>*> ranges;
            for (const ValueId range : op.extremes) {
              ranges.push_back(static_cast<const SizeRange<W>*>(statistics[range].get()));
            }
            return std::make_unique<Competition<W>>(op, std::move(ranges), size, local ? size : capacity, kernels,
                                                    memory);
          },
          [](const auto&) -> std::unique_ptr<Statistic<W>> {
            throw Error(ErrorCode::input, "an operation without a statistic was asked for one");
          },
      },
      task.program.operations[id]);
}

template <typename W>
void PreparedTask<W>::bind_passes(Carver& memory) {
  std::vector<W*> slots;
  for (int slot = 0; slot < schedule.slot_count; ++slot) slots.push_back(memory.take<W>(kBlock));
  const StepContext<W> context{task.program, schedule.facts, task.inputs, kernels, *found_, statistics, lora};
  for (const Pass& pass : schedule.passes) {
    BoundPass<W> bound{{}, pass.groups.size, pass.is_output};
    for (const Stage& stage : pass.stages) {
      BoundStage<W> bound_stage;
      for (size_t i = 0; i < stage.steps.size(); ++i) {
        const ValueId id = stage.steps[i];
        bound_stage.steps.push_back({id, slots[stage.slots[i]], make_step<W>(id, context)});
      }
      for (const ValueId id : stage.statistics) bound_stage.statistics.push_back(statistics[id].get());
      bound.stages.push_back(std::move(bound_stage));
    }
    passes.push_back(std::move(bound));
  }
}

template class PreparedTask<float>;
template class PreparedTask<double>;

}  // namespace theta
