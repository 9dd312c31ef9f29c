#include "schedule.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "../error.h"
#include "../tensor.h"
#include "streamed_selection.h"

namespace theta {

namespace {

/// Builds a schedule; lives during one call.
class Scheduler {
 public:
  Scheduler(const Program& program, const std::vector<int64_t>& shape, const ScheduleLimits& limits)
      : program_(program), count_(elements(shape)) {
    schedule_.facts = facts_of(program, shape);
    schedule_.span = count_;
    int64_t largest = 0;
    for (const Facts& facts : schedule_.facts) {
      const bool local = facts.statistic && facts.statistic->size <= limits.local;
      schedule_.is_local.push_back(local);
      const bool is_dear = facts.kind == ValueKind::rows || facts.kind == ValueKind::sizes;
      schedule_.is_kept.push_back(local && is_dear && facts.statistic->groups <= limits.kept);
      if (!facts.statistic) continue;
      int64_t& most = local ? schedule_.unit : largest;
      most = std::max(most, facts.statistic->size);
    }
    if (largest > 0) schedule_.span = largest;
    mark_masks(limits.marks);
  }

  Schedule build(std::vector<ValueId> targets) {
    add_global_passes();
    Pass output{{}, {1, schedule_.span}, true};
    for (ValueId id = 0; id <= last(); ++id) {
      const auto* select = std::get_if<Select>(&program_.operations[id]);
      if (!select || schedule_.facts[select->mask].tells_what_it_keeps()) continue;
      schedule_.counted_selects.push_back(id);
      targets.push_back(select->mask);
    }
    add_stages(output, targets, {});
    schedule_.passes.push_back(std::move(output));
    return std::move(schedule_);
  }

 private:
  ValueId last() const { return static_cast<ValueId>(program_.operations.size()) - 1; }
  const std::vector<ValueId>& operands(ValueId id) const { return schedule_.facts[id].operands; }
  bool is_global(ValueId id) const { return schedule_.facts[id].statistic && !schedule_.is_local[id]; }

  /// All that are resolved in cache, and the others if there is room for them together.
  void mark_masks(int64_t limit) {
    int64_t bytes = 0;
    for (ValueId id = 0; id <= last(); ++id) {
      const Facts& facts = schedule_.facts[id];
      if (!facts.rule || !is_global(id)) continue;
      bytes += StreamedSelection<float>::marks_bytes(*facts.rule, facts.statistic->size, schedule_.span);
    }
    for (ValueId id = 0; id <= last(); ++id) {
      const Facts& facts = schedule_.facts[id];
      schedule_.is_marked.push_back(facts.rule && facts.statistic && (schedule_.is_local[id] || bytes <= limit));
    }
  }

  /// By operation: how many rounds of statistics come before it can run, counting those that `counts` tells of.
  template <typename Counts>
  std::vector<int> levels(Counts counts) const {
    std::vector<int> level(program_.operations.size(), 0);
    for (ValueId id = 0; id <= last(); ++id) {
      for (const ValueId operand : operands(id)) level[id] = std::max(level[id], level[operand]);
      if (counts(id)) ++level[id];
    }
    return level;
  }

  /// What must be computed for these values, them included. `ready`: what need not be looked behind.
  template <typename Ready>
  std::vector<bool> needed_for(const std::vector<ValueId>& values, Ready ready) const {
    std::vector<bool> needed(program_.operations.size(), false);
    for (const ValueId id : values) needed[id] = true;
    for (ValueId id = last(); id >= 0; --id) {
      if (!needed[id] || ready(id)) continue;
      for (const ValueId operand : operands(id)) needed[operand] = true;
    }
    return needed;
  }

  std::vector<ValueId> operands_of_all(const std::vector<ValueId>& statistics) const {
    std::vector<ValueId> all;
    for (const ValueId id : statistics) all.insert(all.end(), operands(id).begin(), operands(id).end());
    return all;
  }

  void add_global_passes() {
    const std::vector<int> level = levels([this](ValueId id) { return is_global(id); });
    // By level, then by group size: statistics of one level and geometry share their passes.
    std::map<std::pair<int, int64_t>, std::vector<ValueId>> rounds;
    for (ValueId id = 0; id <= last(); ++id) {
      if (is_global(id)) rounds[{level[id], schedule_.facts[id].statistic->size}].push_back(id);
    }
    for (const auto& [key, statistics] : rounds) {
      Pass pass{{}, *schedule_.facts[statistics.front()].statistic, false};
      add_stages(pass, operands_of_all(statistics), statistics);
      schedule_.passes.push_back(std::move(pass));
    }
  }

  /// Local statistics that the values rest on, level by level, then the values with `statistics` gathered from them.
  void add_stages(Pass& pass, const std::vector<ValueId>& values, const std::vector<ValueId>& statistics) {
    const std::vector<int> level = levels([this](ValueId id) { return schedule_.is_local[id]; });
    // Marks of larger groups are there from an earlier pass, those of local ones are made for each unit.
    const std::vector<bool> needed =
        needed_for(values, [this](ValueId id) { return schedule_.is_marked[id] && !schedule_.is_local[id]; });
    std::map<int, std::vector<ValueId>> rounds;
    for (ValueId id = 0; id <= last(); ++id) {
      if (needed[id] && schedule_.is_local[id]) rounds[level[id]].push_back(id);
    }
    for (const auto& [round, local] : rounds) {
      for (const bool kept : {true, false}) {
        std::vector<ValueId> together;
        std::ranges::copy_if(local, std::back_inserter(together),
                             [&](ValueId id) { return schedule_.is_kept[id] == kept; });
        if (!together.empty()) add_stage(pass, operands_of_all(together), together);
      }
    }
    add_stage(pass, values, statistics);
  }

  void add_stage(Pass& pass, const std::vector<ValueId>& values, const std::vector<ValueId>& statistics) {
    const std::vector<bool> needed = needed_for(values, [this](ValueId id) { return schedule_.is_marked[id]; });
    Stage stage{{}, {}, statistics, folded_among(needed, values)};
    for (ValueId id = 0; id <= last(); ++id) {
      if (needed[id] && !stage.folded[id]) stage.steps.push_back(id);
    }
    assign_slots(stage, values);
    pass.stages.push_back(std::move(stage));
  }

  /// What a della mask selects from is divided by its thresholds.
  bool is_rescaled_by_ranks(const Select& select) const {
    const auto* rescale = std::get_if<RescaleDella>(&program_.operations[select.of]);
    return rescale && rescale->mask == select.mask && schedule_.facts[select.mask].statistic;
  }

  /// What a difference reads from an input, the marks that select, and a difference of which they do, or what is
  /// divided by thresholds.
  std::vector<bool> folded_among(const std::vector<bool>& needed, const std::vector<ValueId>& values) const {
    std::vector<int> uses(program_.operations.size(), 0);
    for (const ValueId id : values) ++uses[id];
    for (ValueId id = 0; id <= last(); ++id) {
      if (!needed[id] || schedule_.is_marked[id]) continue;
      for (const ValueId operand : operands(id)) ++uses[operand];
    }
    std::vector<bool> folded(program_.operations.size(), false);
    for (ValueId id = 0; id <= last(); ++id) {
      if (!needed[id]) continue;
      if (const auto* subtract = std::get_if<Subtract>(&program_.operations[id])) {
        const auto* load = std::get_if<Load>(&program_.operations[subtract->left]);
        folded[subtract->left] = load && !load->zero_not_finite && uses[subtract->left] == 1;
      } else if (const auto* select = std::get_if<Select>(&program_.operations[id])) {
        folded[select->mask] = schedule_.is_marked[select->mask] && uses[select->mask] == 1;
        const auto* of = std::get_if<Subtract>(&program_.operations[select->of]);
        const bool is_difference = folded[select->mask] && of && folded[of->left];
        folded[select->of] = (is_difference || is_rescaled_by_ranks(*select)) && uses[select->of] == 1;
      }
    }
    return folded;
  }

  /// Values that a step looks at.
  std::vector<ValueId> values_read_by(ValueId id, const Stage& stage) const {
    if (schedule_.is_marked[id]) return {};
    std::vector<ValueId> all;
    for (const ValueId operand : operands(id)) {
      const std::vector<ValueId> read =
          stage.folded[operand] ? values_read_by(operand, stage) : std::vector<ValueId>{operand};
      all.insert(all.end(), read.begin(), read.end());
    }
    return all;
  }

  void assign_slots(Stage& stage, const std::vector<ValueId>& kept) {
    std::vector<ValueId> last_use(program_.operations.size(), -1);
    for (const ValueId id : stage.steps) {
      for (const ValueId value : values_read_by(id, stage)) last_use[value] = id;
    }
    for (const ValueId id : kept) last_use[id] = last() + 1;
    std::vector<int> free, slot(program_.operations.size(), -1);
    int used = 0;
    for (const ValueId id : stage.steps) {
      if (free.empty()) free.push_back(used++);
      slot[id] = free.back();
      free.pop_back();
      stage.slots.push_back(slot[id]);
      // Only now: a kernel may read its operands while it writes its result.
      std::vector<ValueId> done = values_read_by(id, stage);
      std::ranges::sort(done);
      done.erase(std::unique(done.begin(), done.end()), done.end());
      for (const ValueId value : done) {
        if (last_use[value] == id) free.push_back(slot[value]);
      }
    }
    schedule_.slot_count = std::max(schedule_.slot_count, used);
  }

  const Program& program_;
  const int64_t count_;
  Schedule schedule_;
};

}  // namespace

Schedule schedule_of(const Program& program, const std::vector<int64_t>& shape, const ScheduleLimits& limits,
                     const std::vector<ValueId>& results) {
  return Scheduler(program, shape, limits).build(results);
}

}  // namespace theta
