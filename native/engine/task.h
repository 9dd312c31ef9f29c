// What the engine is asked to do and what it answers. Knows no JavaScript.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../cpu/evaluate.h"
#include "../io/sha256.h"

namespace theta {

/// A payload's first byte: an open descriptor, which stays the caller's, and an offset in the file.
struct Place {
  int fd;
  int64_t offset;
};

struct TaskInput {
  Place place;
  TensorDesc tensor;
  /// Whether its SHA-256 is wanted.
  bool digest;
};

/// Runs a program. `places` are those of `spec.inputs`, in their order.
struct ComputeTask {
  TaskSpec spec;
  std::vector<Place> places;
  std::vector<bool> digests;
  Place output;
};

struct HashTask {
  std::vector<TaskInput> inputs;
};

struct CopyTask {
  Place from, to;
  int64_t bytes;
};

using Task = std::variant<ComputeTask, HashTask, CopyTask>;

/// Bytes that pass through the task; the largest tasks run first, so that none is left for the end.
int64_t payload_bytes(const Task& task);

struct TaskResult {
  /// Of what was written.
  std::optional<Digest> digest;
  std::vector<std::optional<Digest>> input_digests;
  Counters counters;
};

}  // namespace theta
