// One task being evaluated in W: buffers, bound steps and statistics, and the walk over passes, groups, chunks, units and
// blocks. Constructed over no memory it states what it needs.
#pragma once

#include <memory>
#include <vector>

#include "chunk_reader.h"
#include "output_writer.h"
#include "schedule.h"
#include "select_counter.h"
#include "steps.h"

namespace theta {

template <typename W>
class Evaluation {
 public:
  /// Takes all its memory from `memory`, at most options.memory_bytes, or throws Error(memory).
  Evaluation(const TaskSpec& task, const EvaluateOptions& options, const KernelTable& kernels, Carver& memory);

  Counters run(ChunkSource& source, ChunkSink& sink, const std::atomic<bool>& cancelled);

 private:
  struct BoundStage {
    struct BoundStep {
      ValueId id;
      W* slot;
      Step<W> step;
    };
    std::vector<BoundStep> steps;
    /// Of a stage that is not its pass's last: local ones.
    std::vector<Statistic<W>*> statistics;
  };
  struct BoundPass {
    std::vector<BoundStage> stages;
    int64_t group_size;
    bool is_output;
  };
  /// What one call of run() hands down.
  struct Running {
    ChunkSource& source;
    ChunkSink& sink;
    const std::atomic<bool>& cancelled;
    Counters counters;
  };

  std::vector<ChunkReader::Input> chunked_inputs() const;
  std::vector<int32_t> unused_inputs() const;
  void plan_sizes(const EvaluateOptions& options);
  void make_statistics(const EvaluateOptions& options, Carver& memory);
  std::unique_ptr<Statistic<W>> make_statistic(ValueId id, int64_t capacity, Carver& memory);
  void bind_passes(Carver& memory);

  void read_factors(Running& running);
  void read_unused(Running& running);
  void run_span(int64_t begin, int64_t end, Running& running);
  void run_statistics(BoundPass pass, int64_t begin, int64_t end, Running& running);
  void run_pass(const BoundPass& pass, int64_t begin, int64_t end, Running& running);
  void run_chunk(const BoundPass& pass, int64_t begin, int64_t end, Running& running);
  /// Calls `body(block)` for each block of [begin, end) of the chunk that is in memory, with the stage's values.
  template <typename Body>
  void run_stage(const BoundStage& stage, int64_t begin, int64_t end, const std::atomic<bool>& cancelled, Body&& body);
  void gather_local(const BoundStage& stage, const Block<W>& block);
  void write_block(const Block<W>& block, Running& running);
  std::vector<MaskCounters> mask_counters() const;

  const TaskSpec& task_;
  const KernelTable& kernels_;
  const int64_t count_;
  /// Those of the output's shape that the program loads.
  const std::vector<ChunkReader::Input> inputs_;
  /// Elements read at a time, and resolved at a time where a pass has local statistics.
  int64_t chunk_ = 0;
  int64_t unit_ = 0;
  /// First element of the chunk in memory.
  int64_t chunk_begin_ = 0;
  Schedule schedule_;
  std::vector<std::unique_ptr<Statistic<W>>> statistics_;
  std::vector<std::unique_ptr<LoraProduct<W>>> lora_;
  std::unique_ptr<FoundElements<W>> found_;
  std::unique_ptr<ChunkReader> reader_;
  std::unique_ptr<OutputWriter<W>> writer_;
  std::vector<BoundPass> passes_;
  /// By operation and by input, as a Block shows them.
  std::vector<const W*> values_;
  std::vector<const std::byte*> chunk_stored_, block_stored_;
  std::vector<SelectCounter> select_counters_;
  std::byte* output_ = nullptr;
  std::byte* unused_ = nullptr;
};

extern template class Evaluation<float>;
extern template class Evaluation<double>;

}  // namespace theta
