// Runs gather tasks: a program whose values are not written, but looked at where windows are.
#pragma once

#include "task.h"
#include "worker.h"

namespace theta {

/// Throws Error and IoError.
TaskResult run_gather(const GatherTask& task, Worker& worker);

}  // namespace theta
