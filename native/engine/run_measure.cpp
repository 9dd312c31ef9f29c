// See run_measure.h.

#include "run_measure.h"

#include <algorithm>

#include "payload_slices.h"

namespace theta {
namespace {

/// Whole elements of any dtype.
int64_t slice_of(const EvaluateOptions& options) {
  return std::clamp<int64_t>(options.chunk_bytes / 64 * 64, 64, kMeasuredAtOnce);
}

}  // namespace

int64_t measure_buffer_bytes(const EvaluateOptions& options) { return 2 * slice_of(options); }

TaskResult run_measure(const MeasureTask& task, Worker& worker) {
  const TaskInput& input = task.input;
  const int64_t slice = slice_of(worker.options), size = size_of(*input.tensor.dtype);
  std::byte* const buffer = worker.arena.reserve(slice);
  TaskResult result;
  result.counters.inputs.resize(1);
  StatisticsGatherer statistics(*input.tensor.dtype, worker.kernels);
  PassingDigest digest(input.digest);
  for (int64_t begin = 0; begin < input.tensor.bytes; begin += slice) {
    worker.stop_if_cancelled();
    const MutableBytes read(buffer, static_cast<size_t>(std::min(slice, input.tensor.bytes - begin)));
    read_slice(input, begin, read, worker);
    digest.update(read, worker);
    statistics.add(buffer, static_cast<int64_t>(read.size()) / size, result.counters.inputs[0]);
  }
  result.input_digests = {digest.finish()};
  result.statistics = statistics.finish();
  return result;
}

TaskResult run_compare(const CompareTask& task, Worker& worker) {
  const int64_t slice = slice_of(worker.options);
  std::byte* const of_a = worker.arena.reserve(2 * slice);
  std::byte* const of_b = of_a + slice;
  TaskResult result;
  result.counters.inputs.resize(2);
  PassingDigest digest_of_a(task.a.digest), digest_of_b(task.b.digest);
  PairComparison comparison(task.a.tensor, task.b.tensor, worker.kernels);
  const int64_t a_bytes = comparison.unit_bytes_of_a(), b_bytes = comparison.unit_bytes_of_b();
  const int64_t units = task.a.tensor.bytes / a_bytes;
  const int64_t at_once = slice / std::max(a_bytes, b_bytes);
  for (int64_t begin = 0; begin < units; begin += at_once) {
    worker.stop_if_cancelled();
    const int64_t count = std::min(at_once, units - begin);
    const MutableBytes part_of_a(of_a, static_cast<size_t>(count * a_bytes));
    const MutableBytes part_of_b(of_b, static_cast<size_t>(count * b_bytes));
    read_slice(task.a, begin * a_bytes, part_of_a, worker);
    read_slice(task.b, begin * b_bytes, part_of_b, worker);
    digest_of_a.update(part_of_a, worker);
    digest_of_b.update(part_of_b, worker);
    comparison.add(of_a, of_b, count, result.counters.inputs.data());
  }
  result.input_digests = {digest_of_a.finish(), digest_of_b.finish()};
  result.comparison = comparison.finish();
  return result;
}

}  // namespace theta
