// A task on its way through the engine.
#pragma once

#include <exception>

#include "task.h"

namespace theta {

struct Job {
  /// The caller's; the engine only carries it.
  uint64_t id;
  Task task;
  /// Needs more memory than one worker's share: no other task runs beside it.
  bool alone;
  TaskResult result;
  /// Set: it failed, and `result` means nothing.
  std::exception_ptr error;
};

}  // namespace theta
