// Runs a program over the tensors of one action. Knows no file and no thread: bytes come from a ChunkSource and go to
// a ChunkSink. Results do not depend on chunk size, memory limit or kernels.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../program.h"
#include "../tensor.h"
#include "arena.h"
#include "kernels.h"
#include "scratch_space.h"
#include "window.h"

namespace theta {

/// Asks for bytes [begin, begin + bytes) of an input's payload.
struct ReadRequest {
  int32_t input;
  int64_t begin;
  int64_t bytes;
  std::byte* to;
  /// Whether these bytes are read for the first time: over a task, the first reads of an input come in order from 0 and
  /// cover each byte exactly once, whatever is read again in between.
  bool first;
  /// Whether digests can be taken from them: these requests, too, come in order and cover each byte once. They are of
  /// the pass for the output, in which what is hashed has company.
  bool for_digest;
};

class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  /// Fills every request; requests of one call are of different inputs. Throws, and evaluate() lets it through.
  virtual void read(std::span<const ReadRequest> requests) = 0;
  /// Instead of read(), of what is for digests and lies at `to` still, from an earlier pass: there is nothing to fill.
  virtual void revisit(std::span<const ReadRequest> requests) { (void)requests; }
};

class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  /// Memory to make the next bytes of the output in, [begin, begin + bytes), at most a chunk. It is the sink's, and
  /// elements in it are aligned. What is not handed in is given out again.
  virtual std::byte* place(int64_t begin, int64_t bytes) = 0;
  /// Takes what was made at the last place: the output's bytes in order, each once.
  virtual void write(int64_t begin, const std::byte* from, int64_t bytes) = 0;
};

/// Takes the values of a program's last operation instead of an output: block by block in order, in W.
class ValueSink {
 public:
  virtual ~ValueSink() = default;
  virtual void take(const float* values, int64_t begin, int64_t count) = 0;
  virtual void take(const double* values, int64_t begin, int64_t count) = 0;
};

/// The type W that arithmetic runs in; `bytes` takes the first input over as it is.
enum class Work : uint8_t { f32, f64, bytes };
/// What becomes of infinities made from finite inputs.
enum class Overflow : uint8_t { inf, saturate };

struct TaskSpec {
  Program program;
  std::vector<TensorDesc> inputs;
  TensorDesc output;
  Work work;
  Overflow overflow;
  /// What lies in these windows is gathered, and of these values Σ|x|.
  std::vector<Window> windows = {};
  std::vector<ValueId> sums = {};
  /// Set: takes the values.
  ValueSink* values = nullptr;

  /// If not it only gathers: the output states shape and W.
  bool writes() const { return windows.empty() && sums.empty() && !values; }
};

/// Counts over one input; `first_*` are linear indices or -1. Zero for dtypes that are only copied.
struct InputCounters {
  int64_t nan = 0, first_nan = -1, inf = 0, first_inf = -1;
};

/// Of one magnitude, breadcrumbs or select operation. For a select whose mask combines others, groups are those of the
/// combined masks where they agree, else the whole tensor.
struct MaskCounters {
  int32_t operation = 0;
  int64_t kept = 0;
  /// Groups with elements of which none is kept, and the first such group's first element, or -1.
  int64_t empty = 0, first_empty = -1;
};

struct Counters {
  std::vector<InputCounters> inputs;
  std::vector<MaskCounters> masks;
  /// Output elements that are not finite though all inputs at that place are.
  int64_t overflow = 0, first_overflow = -1;
  /// slerp groups whose tensors point in opposite directions.
  int64_t antiparallel = 0;
  /// One a window of the task.
  std::vector<FoundInWindow> windows;
  /// One a sum of the task.
  std::vector<double> sums;
};

struct EvaluateOptions {
  /// Bytes that buffers of this task may take; everything that evaluate() reserves stays within it.
  int64_t memory_bytes;
  /// Bytes of an input that are read at a time.
  int64_t chunk_bytes;
};

/// Throws Error(input) for a malformed program, Error(memory) when the limit does not suffice, Error(cancelled) soon
/// after `cancelled` is set, and what source, sink and scratch throw. Call set_default_floating_point_environment()
/// before.
Counters evaluate(const TaskSpec& task, ChunkSource& source, ChunkSink& sink, ScratchSpace& scratch, Arena& arena,
                  const EvaluateOptions& options, const KernelTable& kernels, const std::atomic<bool>& cancelled);

/// What evaluate() takes for a task: bytes that it reserves, at most memory_bytes, and, at most, of scratch space.
struct TaskNeeds {
  int64_t memory = 0, scratch = 0;
};

/// Throws as evaluate() does before it reads.
TaskNeeds needs_of(const TaskSpec& task, const EvaluateOptions& options);

}  // namespace theta
