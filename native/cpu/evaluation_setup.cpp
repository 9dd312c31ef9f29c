// How an Evaluation divides its memory and binds its program.
#include <algorithm>
#include <string>

#include "../error.h"
#include "cached_selection.h"
#include "evaluation.h"
#include "overloaded.h"
#include "streamed_selection.h"
#include "sum_statistics.h"

namespace theta {

namespace {

/// Groups of at most this many elements are resolved in cache.
constexpr int64_t kLocalElements = int64_t{1} << 16;
/// Elements that a streamed selection keeps a cut.
constexpr int64_t kMostCandidates = int64_t{1} << 18, kFewestCandidates = int64_t{1} << 10;

}  // namespace

template <typename W>
Evaluation<W>::Evaluation(const TaskSpec& task, const EvaluateOptions& options, const KernelTable& kernels,
                          Carver& memory)
    : task_(task), kernels_(kernels), count_(elements(task.output.shape)), inputs_(chunked_inputs()) {
  plan_sizes(options);
  reader_ = std::make_unique<ChunkReader>(inputs_, chunk_, memory);
  output_ = memory.take<std::byte>(chunk_ * size_of(*task_.output.dtype));
  if (!unused_inputs().empty()) unused_ = memory.take<std::byte>(chunk_ * static_cast<int64_t>(sizeof(double)));
  for (const Operation& operation : task_.program.operations) {
    const auto* lora = std::get_if<Lora>(&operation);
    lora_.push_back(lora ? std::make_unique<LoraProduct<W>>(*lora, task_.inputs, task_.output.shape, memory) : nullptr);
  }
  found_ = std::make_unique<FoundElements<W>>(std::max(kBlock, schedule_.unit), memory);
  make_statistics(options, memory);
  bind_passes(memory);
  writer_ = std::make_unique<OutputWriter<W>>(task_, kernels_, lora_);
  if (memory.used() > options.memory_bytes) {
    throw Error(ErrorCode::memory, "the tensor needs " + std::to_string(memory.used()) + " bytes of buffers, " +
                                       std::to_string(options.memory_bytes) + " are allowed");
  }
  if (passes_.size() > 1) reader_->make_resident(options.memory_bytes - memory.used(), schedule_.span, memory);
}

template <typename W>
std::vector<ChunkReader::Input> Evaluation<W>::chunked_inputs() const {
  std::vector<ChunkReader::Input> inputs;
  for (int32_t input = 0; input < static_cast<int32_t>(task_.inputs.size()); ++input) {
    const bool loaded = std::ranges::any_of(task_.program.operations, [input](const Operation& operation) {
      const auto* load = std::get_if<Load>(&operation);
      return load && load->input == input;
    });
    if (loaded) inputs.push_back({input, *task_.inputs[input].dtype});
  }
  return inputs;
}

template <typename W>
std::vector<int32_t> Evaluation<W>::unused_inputs() const {
  std::vector<int32_t> unused;
  for (int32_t input = 0; input < static_cast<int32_t>(task_.inputs.size()); ++input) {
    const bool used = std::ranges::any_of(task_.program.operations, [input](const Operation& operation) {
      const auto* load = std::get_if<Load>(&operation);
      const auto* lora = std::get_if<Lora>(&operation);
      return (load && load->input == input) || (lora && (lora->a == input || lora->b == input));
    });
    if (!used) unused.push_back(input);
  }
  return unused;
}

/// Chunks of whole local groups; a group too large for a chunk is not local.
template <typename W>
void Evaluation<W>::plan_sizes(const EvaluateOptions& options) {
  int64_t widest = sizeof(W), together = size_of(*task_.output.dtype);
  for (const ChunkReader::Input& input : inputs_) {
    widest = std::max(widest, size_of(input.dtype));
    together += size_of(input.dtype);
  }
  chunk_ = std::min({options.chunk_bytes / widest, options.memory_bytes / 2 / together, count_});
  chunk_ = std::max<int64_t>(chunk_, 1);
  schedule_ = schedule_of(task_.program, task_.output.shape, std::min(kLocalElements, chunk_));
  chunk_ = chunk_ / schedule_.unit * schedule_.unit;
  unit_ = std::max<int64_t>(1, kBlock / schedule_.unit) * schedule_.unit;
  values_.resize(task_.program.operations.size());
  chunk_stored_.resize(task_.inputs.size());
  block_stored_.resize(task_.inputs.size());
  for (const ValueId id : schedule_.counted_selects) {
    const ValueId mask = std::get<Select>(task_.program.operations[id]).mask;
    select_counters_.emplace_back(id, mask, schedule_.facts[mask].groups);
  }
}

template <typename W>
void Evaluation<W>::make_statistics(const EvaluateOptions& options, Carver& memory) {
  int64_t streamed = 0;
  for (size_t id = 0; id < schedule_.facts.size(); ++id) {
    const Facts& facts = schedule_.facts[id];
    if (facts.is_mask && facts.statistic && !schedule_.is_local[id]) streamed += 2;
  }
  const int64_t room = options.memory_bytes / 8 / std::max<int64_t>(streamed, 1);
  const int64_t capacity = std::min(std::clamp(room / StreamedSelection<W>::bytes_per_candidate, kFewestCandidates, kMostCandidates), std::max<int64_t>(schedule_.span, 1));
  for (size_t id = 0; id < schedule_.facts.size(); ++id) {
    const bool wanted = schedule_.facts[id].statistic.has_value();
    statistics_.push_back(wanted ? make_statistic(static_cast<ValueId>(id), capacity, memory) : nullptr);
  }
}

template <typename W>
std::unique_ptr<Statistic<W>> Evaluation<W>::make_statistic(ValueId id, int64_t capacity, Carver& memory) {
  const int64_t size = schedule_.facts[id].statistic->size;
  const bool local = schedule_.is_local[id];
  const int64_t kept = (local ? unit_ : schedule_.span) / size;
  const auto mask = [&](const auto& operation) -> std::unique_ptr<Statistic<W>> {
    const MaskRule rule{operation.of, band_of(operation, size), operation.tie};
    if (local) return std::make_unique<CachedSelection<W>>(rule, size, kept, kernels_, *found_, memory);
    return std::make_unique<StreamedSelection<W>>(rule, size, kept, capacity, kernels_, *found_, memory);
  };
  return std::visit(
      Overloaded{
          [&](const Magnitude& op) { return mask(op); },
          [&](const Breadcrumbs& op) { return mask(op); },
          [&](const RescaleL1& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<AbsoluteRatio<W>>(op, size, kept, kernels_, memory);
          },
          [&](const Slerp& op) -> std::unique_ptr<Statistic<W>> {
            return std::make_unique<SlerpStatistic<W>>(op, size, kept, kernels_, memory);
          },
          [](const auto&) -> std::unique_ptr<Statistic<W>> {
            throw Error(ErrorCode::input, "an operation without a statistic was asked for one");
          },
      },
      task_.program.operations[id]);
}

template <typename W>
void Evaluation<W>::bind_passes(Carver& memory) {
  std::vector<W*> slots;
  for (int slot = 0; slot < schedule_.slot_count; ++slot) slots.push_back(memory.take<W>(kBlock));
  const StepContext<W> context{task_.program, schedule_.facts, task_.inputs, kernels_, *found_, statistics_, lora_};
  for (const Pass& pass : schedule_.passes) {
    BoundPass bound{{}, pass.groups.size, pass.is_output};
    for (const Stage& stage : pass.stages) {
      BoundStage bound_stage;
      for (size_t i = 0; i < stage.steps.size(); ++i) {
        const ValueId id = stage.steps[i];
        bound_stage.steps.push_back({id, slots[stage.slots[i]], make_step<W>(id, context)});
      }
      for (const ValueId id : stage.statistics) bound_stage.statistics.push_back(statistics_[id].get());
      bound.stages.push_back(std::move(bound_stage));
    }
    passes_.push_back(std::move(bound));
  }
}

template Evaluation<float>::Evaluation(const TaskSpec&, const EvaluateOptions&, const KernelTable&, Carver&);
template Evaluation<double>::Evaluation(const TaskSpec&, const EvaluateOptions&, const KernelTable&, Carver&);
template std::vector<int32_t> Evaluation<float>::unused_inputs() const;
template std::vector<int32_t> Evaluation<double>::unused_inputs() const;

}  // namespace theta
