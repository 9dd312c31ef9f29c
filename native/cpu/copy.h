// Payloads that are taken over or only looked at, without arithmetic.
#pragma once

#include "evaluate.h"

namespace theta {

/// Whether the output is an input's payload, but for NaN, which are made canonical.
bool is_copy(const TaskSpec& task);

/// `room`: for a chunk to move in its page.
Counters run_copy(const TaskSpec& task, ChunkSource& source, ChunkSink& sink, std::byte* room, int64_t chunk_bytes,
                  const KernelTable& kernels, const std::atomic<bool>& cancelled);

/// Bytes of the one buffer that a copy needs: whole elements of any dtype.
int64_t copy_chunk_bytes(const EvaluateOptions& options);

}  // namespace theta
