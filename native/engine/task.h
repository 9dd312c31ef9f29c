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

/// Parts of an input that stand for all of it: from each period, `run` elements that follow each other.
struct Sampling {
  int64_t run, period;
};

/// Gathers what lies in the windows of `spec`; the output's place is not looked at.
struct GatherTask {
  TaskSpec spec;
  std::vector<Place> places;
  std::vector<bool> digests;
  /// Set: `spec` is of the sampled elements alone, all its inputs have the shape of this tensor, and no digest is
  /// taken.
  std::optional<Sampling> sampling;
  int64_t sampled_from = 0;
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

using Task = std::variant<ComputeTask, GatherTask, HashTask, CopyTask, MeasureTask, CompareTask>;

/// Bytes that pass through the task.
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
