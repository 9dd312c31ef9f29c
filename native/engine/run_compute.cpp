// See run_compute.h.

#include "run_compute.h"

#include "file_chunks.h"

namespace theta {

TaskResult run_compute(const ComputeTask& task, Worker& worker) {
  FileSink sink(task, worker);
  FileSource source(task, sink, worker);
  TaskResult result;
  result.counters = evaluate(task.spec, source, sink, worker.arena, worker.options, worker.kernels, worker.cancelled);
  result.digest = sink.finish();
  result.input_digests = source.digests();
  return result;
}

}  // namespace theta
