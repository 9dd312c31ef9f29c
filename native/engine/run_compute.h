// Runs a compute task from its files to its file.
#pragma once

#include "task.h"
#include "worker.h"

namespace theta {

/// Throws Error and IoError; what the output holds then is unspecified.
TaskResult run_compute(const ComputeTask& task, Worker& worker);

}  // namespace theta
