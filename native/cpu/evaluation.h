// Runs a prepared task: the walk over spans, passes, groups, chunks, units and blocks.
#pragma once

#include "output_writer.h"
#include "prepared_task.h"

namespace theta {

template <typename W>
class Evaluation {
 public:
  Evaluation(PreparedTask<W>& task, ChunkSource& source, ChunkSink& sink, const std::atomic<bool>& cancelled);

  Counters run();

 private:
  void read_factors();
  void read_unused();
  void run_span(int64_t begin, int64_t end);
  void run_statistics(BoundPass<W> pass, int64_t begin, int64_t end);
  void leave_out_known(BoundPass<W>& pass, bool now = false) const;
  void run_pass(const BoundPass<W>& pass, int64_t begin, int64_t end);
  const SampleRuns* sample_of(const BoundPass<W>& pass) const;
  void run_chunk(const BoundPass<W>& pass, int64_t begin, int64_t end);
  /// Calls `body(block)` for each block of [begin, end) of the chunk that is in memory, with the stage's values.
  template <typename Body>
  void run_stage(const BoundStage<W>& stage, int64_t begin, int64_t end, Body&& body);
  void gather_local(const BoundStage<W>& stage, const Block<W>& block);
  void write_block(const Block<W>& block);
  void check_cancelled() const;
  std::vector<MaskCounters> mask_counters() const;

  PreparedTask<W>& task_;
  ChunkSource& source_;
  ChunkSink& sink_;
  const std::atomic<bool>& cancelled_;
  const OutputWriter<W> writer_;
  Counters counters_;
  /// First element of the chunk in memory, and its inputs.
  int64_t chunk_begin_ = 0;
  /// The chunk of the output that is being made.
  std::byte* output_ = nullptr;
  bool chunk_is_cold_ = false;
  std::vector<const std::byte*> chunk_stored_;
  /// By operation and by input, as a Block shows them.
  std::vector<const W*> values_;
  std::vector<const std::byte*> block_stored_;
};

extern template class Evaluation<float>;
extern template class Evaluation<double>;

}  // namespace theta
