// See task.h.

#include "task.h"

#include <algorithm>

namespace theta {

GatherTask sampled(GatherTask task, const Sampling& sampling) {
  task.sampling = sampling;
  task.sampled_from = elements(task.spec.output.shape);
  const int64_t runs = std::max<int64_t>(task.sampled_from / sampling.period, 1);
  const int64_t count = runs * std::min(sampling.run, task.sampled_from);
  const auto reduce = [count](TensorDesc& tensor) {
    tensor.shape = {count};
    tensor.bytes = count * size_of(*tensor.dtype);
  };
  for (TensorDesc& input : task.spec.inputs) reduce(input);
  reduce(task.spec.output);
  return task;
}

int64_t payload_bytes(const Task& task) {
  int64_t bytes = 0;
  if (const auto* compute = std::get_if<ComputeTask>(&task)) {
    for (const TensorDesc& input : compute->spec.inputs) bytes += input.bytes;
    bytes += compute->spec.output.bytes;
  } else if (const auto* gather = std::get_if<GatherTask>(&task)) {
    for (const TensorDesc& input : gather->spec.inputs) bytes += input.bytes;
  } else if (const auto* rank = std::get_if<RankTask>(&task)) {
    for (const RankTask::Tensor& tensor : rank->tensors) {
      for (const TensorDesc& input : tensor.values.spec.inputs) bytes += input.bytes;
    }
  } else if (const auto* hash = std::get_if<HashTask>(&task)) {
    for (const TaskInput& input : hash->inputs) bytes += input.tensor.bytes;
  } else if (const auto* measure = std::get_if<MeasureTask>(&task)) {
    bytes = measure->input.tensor.bytes;
  } else if (const auto* compare = std::get_if<CompareTask>(&task)) {
    bytes = compare->a.tensor.bytes + compare->b.tensor.bytes;
  } else if (const auto* find = std::get_if<FindTask>(&task)) {
    for (const WindowPart& part : find->parts) bytes += static_cast<int64_t>(part.elements.size());
  } else {
    bytes = std::get<CopyTask>(task).bytes;
  }
  return bytes;
}

}  // namespace theta
