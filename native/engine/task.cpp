// See task.h.

#include "task.h"

namespace theta {

int64_t payload_bytes(const Task& task) {
  int64_t bytes = 0;
  if (const auto* compute = std::get_if<ComputeTask>(&task)) {
    for (const TensorDesc& input : compute->spec.inputs) bytes += input.bytes;
    bytes += compute->spec.output.bytes;
  } else if (const auto* gather = std::get_if<GatherTask>(&task)) {
    for (const TensorDesc& input : gather->spec.inputs) bytes += input.bytes;
  } else if (const auto* hash = std::get_if<HashTask>(&task)) {
    for (const TaskInput& input : hash->inputs) bytes += input.tensor.bytes;
  } else if (const auto* measure = std::get_if<MeasureTask>(&task)) {
    bytes = measure->input.tensor.bytes;
  } else if (const auto* compare = std::get_if<CompareTask>(&task)) {
    bytes = compare->a.tensor.bytes + compare->b.tensor.bytes;
  } else {
    bytes = std::get<CopyTask>(task).bytes;
  }
  return bytes;
}

}  // namespace theta
