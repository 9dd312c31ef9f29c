// Runs rank tasks: the values of several tensors are ranked in one order, and thresholds that follow from the ranks are
// written to a file, for tasks that come later.
#pragma once

#include "task.h"
#include "worker.h"

namespace theta {

/// Throws Error and IoError.
TaskResult run_rank(const RankTask& task, Worker& worker);

/// What run_rank() takes: of scratch space the most. Throws Error(memory) where options.memory_bytes do not suffice.
TaskNeeds needs_of(const RankTask& task, const EvaluateOptions& options);

}  // namespace theta
