// The statistics of a task: which one an operation has, and how the task's memory is divided among them.

#include <algorithm>

#include "../error.h"
#include "absolute_ratio.h"
#include "cached_selection.h"
#include "competition.h"
#include "della_marks.h"
#include "della_thresholds.h"
#include "gram_statistics.h"
#include "importance.h"
#include "overloaded.h"
#include "prepared_task.h"
#include "selecting_statistics.h"
#include "streamed_selection.h"

namespace theta {

namespace {

/// Elements that a streamed selection keeps a cut.
constexpr int64_t kMostCandidates = int64_t{1} << 19, kFewestCandidates = int64_t{1} << 10;

/// Whether a rescaling asks for the thresholds of a della mask; else what it keeps will do.
bool wants_thresholds(const Program& program, ValueId mask) {
  return std::ranges::any_of(program.operations, [mask](const Operation& operation) {
    const auto* rescale = std::get_if<RescaleDella>(&operation);
    return rescale && rescale->mask == mask;
  });
}

}  // namespace

template <typename W>
void PreparedTask<W>::make_statistics(const EvaluateOptions& options, ScratchSpace& scratch, Carver& memory) {
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
  make_ranking(options, scratch, memory);
  const int64_t room = options.memory_bytes / 4 / std::max<int64_t>(bytes, 1);
  const int64_t capacity =
      std::min(std::clamp(room, kFewestCandidates, kMostCandidates), std::max<int64_t>(schedule.span, 1));
  for (size_t id = 0; id < schedule.facts.size(); ++id) {
    const bool wanted = schedule.facts[id].statistic.has_value();
    statistics.push_back(wanted ? make_statistic(static_cast<ValueId>(id), capacity, memory) : nullptr);
    if (schedule.is_kept[id]) statistics.back()->keep();
  }
}

/// What della masks share.
template <typename W>
void PreparedTask<W>::make_ranking(const EvaluateOptions& options, ScratchSpace& scratch, Carver& memory) {
  int64_t largest = 0, largest_local = 0, largest_ranked = 0;
  std::vector<ValueId> streamed;
  for (size_t id = 0; id < schedule.facts.size(); ++id) {
    if (!schedule.facts[id].statistic || !std::holds_alternative<Della>(task.program.operations[id])) continue;
    int64_t& most = schedule.is_local[id] ? largest_local : largest;
    most = std::max(most, schedule.facts[id].statistic->size);
    if (!schedule.is_local[id]) streamed.push_back(static_cast<ValueId>(id));
    if (schedule.is_local[id] && wants_thresholds(task.program, static_cast<ValueId>(id))) largest_ranked = most;
  }
  if (largest_local > 0) ranking_ = std::make_unique<Ranking<W>>(largest_local, kernels, memory);
  if (largest_ranked > 0) group_ranks_ = std::make_unique<GroupRanks<W>>(largest_ranked, kernels, memory);
  if (streamed.empty()) return;
  const auto masks = static_cast<int64_t>(streamed.size());
  rank_plan_ = RankPlan::of(options.memory_bytes, masks, largest, PartLayout<W>::kRecordBytes);
  const PartLayout<W> layout{rank_plan_.records};
  rank_room_ = std::make_unique<RankRoom<W>>(rank_plan_.capacity, tiles_of(largest), layout, kernels, memory);
  int64_t blocks = 0;
  for (const ValueId id : streamed) {
    blocks += rank_plan_.blocks(schedule.facts[id].statistic->size, groups_kept(id));
  }
  scratch_ = std::make_unique<ScratchBlocks>(layout.block_bytes(), blocks, scratch, memory);
}

/// Whose results are kept at a time.
template <typename W>
int64_t PreparedTask<W>::groups_kept(ValueId id) const {
  const bool of_unit = schedule.is_local[id] && !schedule.is_kept[id];
  return (of_unit ? unit : schedule.span) / schedule.facts[id].statistic->size;
}

template <typename W>
std::unique_ptr<Statistic<W>> PreparedTask<W>::make_statistic(ValueId id, int64_t capacity, Carver& memory) {
  const int64_t size = schedule.facts[id].statistic->size;
  const bool local = schedule.is_local[id];
  const int64_t kept = groups_kept(id);
  if (const auto& rule = schedule.facts[id].rule) {
    if (local) return std::make_unique<CachedSelection<W>>(*rule, size, kept, kernels, *found_, memory);
    return std::make_unique<StreamedSelection<W>>(*rule, size, kept, capacity, schedule.is_marked[id], kernels, *found_,
                                                  memory);
  }
  return std::visit(
      Overloaded{
          [&](const Della& op) -> std::unique_ptr<Statistic<W>> {
            if (local && !wants_thresholds(task.program, id)) {
              return std::make_unique<DellaMarks<W>>(op, size, kept, kernels, *ranking_, memory);
            }
            if (local) {
              return std::make_unique<CachedThresholds<W>>(op, size, kept, kernels, *ranking_, *group_ranks_, memory);
            }
            return std::make_unique<StreamedThresholds<W>>(op, size, kept, rank_plan_, kernels, *scratch_, *rank_room_,
                                                           memory);
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

template void PreparedTask<float>::make_statistics(const EvaluateOptions&, ScratchSpace&, Carver&);
template void PreparedTask<float>::make_ranking(const EvaluateOptions&, ScratchSpace&, Carver&);
template int64_t PreparedTask<float>::groups_kept(ValueId) const;
template std::unique_ptr<Statistic<float>> PreparedTask<float>::make_statistic(ValueId, int64_t, Carver&);
template void PreparedTask<double>::make_statistics(const EvaluateOptions&, ScratchSpace&, Carver&);
template void PreparedTask<double>::make_ranking(const EvaluateOptions&, ScratchSpace&, Carver&);
template int64_t PreparedTask<double>::groups_kept(ValueId) const;
template std::unique_ptr<Statistic<double>> PreparedTask<double>::make_statistic(ValueId, int64_t, Carver&);

}  // namespace theta
