// Payloads that are taken over or only looked at, without arithmetic.
#pragma once

#include "evaluate.h"

namespace theta {

/// Whether the output is an input's payload, but for NaN, which are made canonical.
bool is_copy(const TaskSpec& task);

/// `rooms`: of copy_buffer_bytes().
Counters run_copy(const TaskSpec& task, ChunkSource& source, ChunkSink& sink, std::byte* rooms, int64_t chunk_bytes,
                  const KernelTable& kernels, const std::atomic<bool>& cancelled);

/// Bytes that a copy takes over at a time: whole elements of any dtype. Never 0.
int64_t copy_chunk_bytes(const TaskSpec& task, const EvaluateOptions& options);

/// Room for two chunks to move in their pages: while one is written, the next is read.
int64_t copy_buffer_bytes(int64_t chunk_bytes);

}  // namespace theta
