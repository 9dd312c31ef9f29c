// A task made ready to run in W: its memory divided, its schedule's steps and statistics bound. Made over no memory it
// states what it needs.
#pragma once

#include <memory>
#include <vector>

#include "absolute_sum.h"
#include "chunk_reader.h"
#include "della_thresholds.h"
#include "lora.h"
#include "mask_statistic.h"
#include "schedule.h"
#include "select_counter.h"
#include "steps.h"
#include "window_gatherer.h"

namespace theta {

template <typename W>
struct BoundStage {
  struct BoundStep {
    ValueId id;
    W* slot;
    Step<W> step;
  };
  std::vector<BoundStep> steps;
  /// Local ones, but in the last stage of a pass.
  std::vector<Statistic<W>*> statistics;
};

template <typename W>
struct BoundPass {
  std::vector<BoundStage<W>> stages;
  int64_t group_size;
  bool is_output;
};

template <typename W>
class PreparedTask {
 public:
  /// Takes all its memory from `memory`, at most options.memory_bytes, or throws Error(memory). `scratch` takes what of
  /// ranks has no room there.
  PreparedTask(const TaskSpec& task, const EvaluateOptions& options, const KernelTable& kernels, ScratchSpace& scratch,
               Carver& memory);

  const TaskSpec& task;
  const KernelTable& kernels;
  /// Elements of the output.
  const int64_t count;
  /// Those that the program loads: of the output's shape, or with more or fewer rows.
  const std::vector<ChunkReader::Input> inputs;
  /// Those that it does not look at.
  const std::vector<int32_t> unused_inputs;
  Schedule schedule;
  /// Elements read at a time, and resolved at a time where a pass has local statistics.
  int64_t chunk = 0;
  int64_t unit = 0;
  /// By operation, null where there is none.
  std::vector<std::unique_ptr<Statistic<W>>> statistics;
  std::vector<std::unique_ptr<LoraProduct<W>>> lora;
  std::vector<BoundPass<W>> passes;
  std::vector<SelectCounter> select_counters;
  /// One a window of the task, which then writes nothing.
  std::vector<std::unique_ptr<WindowGatherer<W>>> window_gatherers;
  /// One a sum of the task, the same.
  std::vector<AbsoluteSum<W>> sums;
  std::unique_ptr<ChunkReader> reader;
  /// Room for a chunk of any unused input.
  std::byte* unused = nullptr;

  /// Bytes of scratch space that it takes at most.
  int64_t scratch_bytes() const { return scratch_ ? scratch_->most_in_space() : 0; }

 private:
  void plan_sizes(const EvaluateOptions& options);
  void make_statistics(const EvaluateOptions& options, ScratchSpace& scratch, Carver& memory);
  void make_ranking(const EvaluateOptions& options, ScratchSpace& scratch, Carver& memory);
  int64_t groups_kept(ValueId id) const;
  std::unique_ptr<Statistic<W>> make_statistic(ValueId id, int64_t capacity, Carver& memory);
  void bind_passes(Carver& memory);
  bool reads_twice() const;

  std::unique_ptr<FoundElements<W>> found_;
  /// For ranking groups in cache, and larger ones; null where there are none.
  std::unique_ptr<Ranking<W>> ranking_;
  std::unique_ptr<GroupRanks<W>> group_ranks_;
  RankPlan rank_plan_{};
  std::unique_ptr<RankRoom<W>> rank_room_;
  std::unique_ptr<ScratchBlocks> scratch_;
};

extern template class PreparedTask<float>;
extern template class PreparedTask<double>;

}  // namespace theta
