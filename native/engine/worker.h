// What a task finds on the thread that runs it.
#pragma once

#include <string>

#include "../cpu/arena.h"
#include "../cpu/evaluate.h"
#include "../error.h"
#include "output_ring.h"
#include "progress.h"

namespace theta {

class FileSink;

struct Worker {
  Arena& arena;
  BackgroundWriter& writer;
  /// Where outputs are made.
  OutputRing& ring;
  /// The output of the task before, of which a chunk may wait to be hashed along with something; null: there is none.
  FileSink* before;
  /// This task's share of the engine's memory, and the chunk size.
  EvaluateOptions options;
  /// Folder for what has no room in that memory; empty where there is none.
  const std::string& scratch;
  const KernelTable& kernels;
  Progress& progress;
  const std::atomic<bool>& cancelled;

  void stop_if_cancelled() const {
    if (cancelled.load(std::memory_order_relaxed)) throw Error(ErrorCode::cancelled, "the work was cancelled");
  }
};

}  // namespace theta
