// What the engine is asked to do and what it answers. Knows no JavaScript.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../cpu/comparison.h"
#include "../cpu/evaluate.h"
#include "../cpu/tensor_statistics.h"
#include "../cpu/window_search.h"
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

/// The parts of a task's inputs that stand for all: `task` reads and works on those alone.
GatherTask sampled(GatherTask task, const Sampling& sampling);

/// Ranks the elements of several tensors in one order, and writes for some tensors the threshold of every element under
/// a della mask over all of them.
struct RankTask {
  struct Tensor {
    /// What gives its values, in its own W; without windows and sums.
    GatherTask values;
    /// Whether values can be had of parts of the inputs.
    bool is_sampleable;
    /// Streams of its ties and of its random words.
    uint64_t tie, word;
  };
  struct Rule {
    double density, epsilon;
    uint64_t seed;
  };
  struct Target {
    size_t tensor, rule;
    /// Of its first threshold, in the file.
    int64_t offset;
  };
  /// In the order of their names.
  std::vector<Tensor> tensors;
  std::vector<Rule> rules;
  std::vector<Target> targets;
  int to;
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

/// Finds elements by rank among what gather tasks kept of several tensors, which stays the caller's.
struct FindTask {
  std::vector<WindowPart> parts;
  std::vector<double> ranks;
};

using Task = std::variant<ComputeTask, GatherTask, RankTask, HashTask, CopyTask, MeasureTask, CompareTask, FindTask>;

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
  /// Of a find task, one a rank, or none where there are no elements.
  std::vector<FoundElement> found;
  /// Of a rank task: whether each rule's mask keeps any element of the tensors.
  std::vector<bool> keeps_any;
  /// Of a compute task whose output was measured: alone, then with each that it was compared with.
  std::vector<Measured> output;
};

}  // namespace theta
