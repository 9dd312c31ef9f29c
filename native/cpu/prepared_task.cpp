#include "prepared_task.h"

#include <algorithm>
#include <string>

#include "../error.h"
#include "della_marks.h"

namespace theta {

namespace {

/// Groups of at most this many elements are resolved in cache.
constexpr int64_t kLocalElements = int64_t{1} << 16;
static_assert(kLocalElements <= DellaMarks<float>::kMost);
/// Part of the memory that results of small groups may take for the whole of a span.
constexpr int64_t kKeptShare = 16;
/// Part of the memory that marks may take.
constexpr int64_t kMarksShare = 4;
/// Of inputs that are read twice, however much memory there is: a page that is touched for the first time costs as much
/// as reading what would lie in it several times. Statistics in many passes read it that often.
constexpr int64_t kMostReadTwice = int64_t{32} << 20;

/// The input whose elements an operation has at hand, or -1.
int32_t input_loaded_by(const Operation& operation) {
  if (const auto* load = std::get_if<Load>(&operation)) return load->input;
  if (const auto* resize = std::get_if<Resize>(&operation)) return resize->input;
  if (const auto* della = std::get_if<ModelDella>(&operation)) return della->thresholds;
  return -1;
}

/// Once each.
std::vector<ChunkReader::Input> loaded_inputs(const TaskSpec& task) {
  std::vector<ChunkReader::Input> inputs;
  for (int32_t input = 0; input < static_cast<int32_t>(task.inputs.size()); ++input) {
    const TensorDesc& tensor = task.inputs[input];
    const bool loaded = std::ranges::any_of(
        task.program.operations, [input](const Operation& operation) { return input_loaded_by(operation) == input; });
    if (!loaded) continue;
    const int64_t size = tensor.dtype ? size_of(*tensor.dtype) : static_cast<int64_t>(sizeof(uint32_t));
    inputs.push_back({input, size, tensor.dtype, std::min(elements(tensor.shape), elements(task.output.shape))});
  }
  return inputs;
}

/// Values that the last pass is for.
std::vector<ValueId> results_of(const TaskSpec& task) {
  if (task.writes() || task.values) return {static_cast<ValueId>(task.program.operations.size()) - 1};
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
                              ScratchSpace& scratch, Carver& memory)
    : task(task),
      kernels(kernels),
      count(elements(task.output.shape)),
      inputs(loaded_inputs(task)),
      unused_inputs(inputs_not_used(task)) {
  plan_sizes(options);
  reader = std::make_unique<ChunkReader>(inputs, chunk, memory);
  if (!unused_inputs.empty()) unused = memory.take<std::byte>(chunk * kWidestElement);
  for (const Operation& operation : task.program.operations) {
    const auto* factors = std::get_if<Lora>(&operation);
    lora.push_back(factors ? std::make_unique<LoraProduct<W>>(*factors, task.inputs, task.output.shape, memory)
                           : nullptr);
  }
  found_ = std::make_unique<FoundElements<W>>(std::max(kBlock, schedule.unit), memory);
  make_statistics(options, scratch, memory);
  for (const Window& window : task.windows) {
    window_gatherers.push_back(std::make_unique<WindowGatherer<W>>(window, count, kernels, *found_, memory));
  }
  for (const ValueId of : task.sums) sums.emplace_back(of, kernels);
  bind_passes(memory);
  if (memory.used() > options.memory_bytes) {
    throw Error(ErrorCode::memory, "the tensor needs " + std::to_string(memory.used()) + " bytes of buffers, " +
                                       std::to_string(options.memory_bytes) + " are allowed");
  }
  // First: what has no room is written and read, while inputs are only read again.
  if (scratch_) scratch_->make_resident(options.memory_bytes - memory.used(), memory);
  if (passes.size() > 1) {
    const int64_t room = options.memory_bytes - memory.used();
    reader->make_resident(reads_twice() ? std::min(room, kMostReadTwice) : room, schedule.span, memory);
  }
}

/// Chunks of whole local groups; a group too large for a chunk is not local.
template <typename W>
void PreparedTask<W>::plan_sizes(const EvaluateOptions& options) {
  int64_t widest = sizeof(W), together = 0;
  for (const ChunkReader::Input& input : inputs) {
    widest = std::max(widest, input.size);
    together += input.size;
  }
  chunk = std::min({options.chunk_bytes / widest, options.memory_bytes / 2 / std::max<int64_t>(together, 1), count});
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
    const auto* della = std::get_if<ModelDella>(&task.program.operations[mask]);
    const bool may_be_empty =
        della ? !della->keeps_any : !cut || static_cast<Bits<W>>(cut->outer.key) == Cut<Bits<W>>::nothing().key;
    select_counters.emplace_back(id, mask, schedule.facts[mask].groups, may_be_empty);
  }
}

template <typename W>
void PreparedTask<W>::bind_passes(Carver& memory) {
  std::vector<W*> slots;
  for (int slot = 0; slot < schedule.slot_count; ++slot) slots.push_back(memory.take<W>(kBlock));
  for (const Pass& pass : schedule.passes) {
    BoundPass<W> bound{{}, pass.groups.size, pass.is_output};
    for (const Stage& stage : pass.stages) {
      const StepContext<W> context{task.program, schedule.facts, task.inputs, kernels,
                                   *found_,      statistics,     lora,        stage.folded};
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

/// Once for statistics, once for the output.
template <typename W>
bool PreparedTask<W>::reads_twice() const {
  const auto takes_one_pass = [](const Statistic<W>* statistic) { return statistic->takes_one_pass(); };
  return passes.size() == 2 && std::ranges::all_of(passes.front().stages.back().statistics, takes_one_pass);
}

template class PreparedTask<float>;
template class PreparedTask<double>;

}  // namespace theta
