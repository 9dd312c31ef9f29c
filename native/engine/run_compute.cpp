// See run_compute.h.

#include "run_compute.h"

#include "task_scratch.h"

namespace theta {

Computed run_compute(const ComputeTask& task, Worker& worker) {
  std::optional<OutputMeter> meter;
  if (task.measure || !task.compare.empty()) meter.emplace(task, worker);
  auto sink = std::make_unique<FileSink>(task, meter ? &*meter : nullptr, worker);
  FileSource source(task.spec, task.places, task.digests, &*sink, worker);
  TaskScratch scratch(worker);
  TaskResult result;
  result.counters =
      evaluate(task.spec, source, *sink, scratch, worker.arena, worker.options, worker.kernels, worker.cancelled);
  result.input_digests = source.digests();
  if (meter) result.output = meter->finish();
  return {std::move(result), std::move(sink)};
}

}  // namespace theta
