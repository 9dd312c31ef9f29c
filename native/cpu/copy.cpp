#include "copy.h"

#include <algorithm>
#include <string>

#include "../error.h"
#include "../formula/rounding.h"
#include "chunk_reader.h"

namespace theta {

namespace {

/// Reads an input chunk by chunk, counts what is not finite and hands each chunk on.
template <typename Use>
void stream(const TensorDesc& tensor, int32_t input, ChunkSource& source, ChunkSink& sink, int64_t chunk_bytes,
            const KernelTable& kernels, const std::atomic<bool>& cancelled, InputCounters& counters, Use&& use) {
  for (int64_t begin = 0; begin < tensor.bytes; begin += chunk_bytes) {
    if (cancelled.load(std::memory_order_relaxed)) throw Error(ErrorCode::cancelled, "cancelled");
    const int64_t bytes = std::min(chunk_bytes, tensor.bytes - begin);
    std::byte* const buffer = sink.place(begin, bytes);
    const ReadRequest request{input, begin, bytes, buffer, true, true};
    source.read({&request, 1});
    const int64_t nan_before = counters.nan;
    if (tensor.dtype) {
      const int64_t size = size_of(*tensor.dtype);
      count_not_finite_elements(kernels, *tensor.dtype, buffer, bytes / size, begin / size, counters);
    }
    use(begin, bytes, buffer, counters.nan > nan_before);
  }
}

void make_nan_canonical(Dtype dtype, std::byte* stored, int64_t bytes) {
  dispatch_dtype(dtype, [&](auto format) {
    using Stored = decltype(format);
    auto* bits = reinterpret_cast<typename Stored::Storage*>(stored);
    for (int64_t i = 0; i < bytes / size_of(dtype); ++i) bits[i] = is_nan<Stored>(bits[i]) ? Stored::kNan : bits[i];
  });
}

}  // namespace

bool is_copy(const TaskSpec& task) {
  if (task.work == Work::bytes) return true;
  if (task.program.operations.size() != 1 || !task.writes()) return false;
  const auto* load = std::get_if<Load>(&task.program.operations.front());
  return load && !load->zero_not_finite && task.inputs[load->input].dtype == task.output.dtype;
}

Counters run_copy(const TaskSpec& task, ChunkSource& source, ChunkSink& sink, int64_t chunk_bytes,
                  const KernelTable& kernels, const std::atomic<bool>& cancelled) {
  const int64_t whole = std::max(chunk_bytes / kWidestElement, int64_t{1}) * kWidestElement;
  Counters counters;
  counters.inputs.resize(task.inputs.size());
  const int32_t copied = std::get<Load>(task.program.operations.front()).input;
  const auto read = [&](int32_t input, auto&& use) {
    stream(task.inputs[input], input, source, sink, whole, kernels, cancelled, counters.inputs[input], use);
  };
  for (int32_t input = 0; input < static_cast<int32_t>(task.inputs.size()); ++input) {
    if (input != copied) read(input, [](int64_t, int64_t, std::byte*, bool) {});
  }
  // Last: what was made at a place that is given out again is lost.
  read(copied, [&](int64_t begin, int64_t bytes, std::byte* buffer, bool has_nan) {
    if (has_nan) make_nan_canonical(*task.inputs[copied].dtype, buffer, bytes);
    sink.write(begin, buffer, bytes);
  });
  return counters;
}

}  // namespace theta
