// What the engine is asked to do and what it answers. Knows no JavaScript.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../cpu/comparison.h"
#include "../cpu/evaluate.h"
#include "../cpu/tensor_statistics.h"
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
  /// Whether the output is measured while it is written, as by a MeasureTask.
  bool measure = false;
  /// What it is compared with meanwhile, as by a CompareTask each.
  std::vector<TaskInput> compare;
};

struct HashTask {
  std::vector<TaskInput> inputs;
};

struct CopyTask {
  Place from, to;
  int64_t bytes;
};

/// Measures one payload of a dtype that has arithmetic.
struct MeasureTask {
  TaskInput input;
};

/// Compares two payloads of one shape, and of one dtype unless both have arithmetic.
struct CompareTask {
  TaskInput a, b;
};

using Task = std::variant<ComputeTask, HashTask, CopyTask, MeasureTask, CompareTask>;

/// Bytes that pass through the task; the largest tasks run first, so that none is left for the end.
int64_t payload_bytes(const Task& task);

/// Of one payload, or of two.
struct Measured {
  std::vector<InputCounters> counters;
  std::optional<TensorStatistics> statistics;
  std::optional<Comparison> comparison;
  /// Of the payload that the output was compared with.
  std::optional<Digest> digest;
};

struct TaskResult {
  /// Of what was written.
  std::optional<Digest> digest;
  std::vector<std::optional<Digest>> input_digests;
  Counters counters;
  /// Of a measure task, of a compare task.
  std::optional<TensorStatistics> statistics;
  std::optional<Comparison> comparison;
  /// Of a compute task whose output was measured: alone, then with each that it was compared with.
  std::vector<Measured> output;
};

}  // namespace theta
