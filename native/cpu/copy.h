// Payloads that are taken over or only looked at, without arithmetic.
#pragma once

#include "evaluate.h"

namespace theta {

/// Whether the output is an input's payload, but for NaN, which are made canonical.
bool is_copy(const TaskSpec& task);

/// Takes no memory but the sink's.
Counters run_copy(const TaskSpec& task, ChunkSource& source, ChunkSink& sink, int64_t chunk_bytes,
                  const KernelTable& kernels, const std::atomic<bool>& cancelled);

}  // namespace theta
