// Runs measure and compare tasks: payloads that are read once, in slices that stay in the second-level cache.
#pragma once

#include "task.h"
#include "worker.h"

namespace theta {

/// Both throw Error and IoError.
TaskResult run_measure(const MeasureTask& task, Worker& worker);
TaskResult run_compare(const CompareTask& task, Worker& worker);

/// Bytes of buffers that either takes.
int64_t measure_buffer_bytes(const EvaluateOptions& options);

}  // namespace theta
