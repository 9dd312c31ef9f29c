// Runs a compute task from its files to its file.
#pragma once

#include <memory>

#include "file_chunks.h"

namespace theta {

/// All that is known when the output's last byte is made: the digest is the sink's, when that has finished.
struct Computed {
  TaskResult result;
  std::unique_ptr<FileSink> sink;
};

/// Throws Error and IoError; what the output holds then is unspecified.
Computed run_compute(const ComputeTask& task, Worker& worker);

}  // namespace theta
