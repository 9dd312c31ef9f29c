// See run_compute.h.

#include "run_compute.h"

#include "file_chunks.h"
#include "task_scratch.h"

namespace theta {

TaskResult run_compute(const ComputeTask& task, Worker& worker) {
  std::optional<OutputMeter> meter;
  if (task.measure || !task.compare.empty()) meter.emplace(task, worker);
  FileSink sink(task, meter ? &*meter : nullptr, worker);
  FileSource source(task.spec, task.places, task.digests, &sink, worker);
  TaskScratch scratch(worker);
  TaskResult result;
  result.counters =
      evaluate(task.spec, source, sink, scratch, worker.arena, worker.options, worker.kernels, worker.cancelled);
  result.digest = sink.finish();
  result.input_digests = source.digests();
  if (meter) result.output = meter->finish();
  return result;
}

}  // namespace theta
