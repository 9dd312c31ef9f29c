#include "evaluate.h"

#include <algorithm>
#include <string>

#include "../error.h"
#include "copy.h"
#include "evaluation.h"

namespace theta {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::input, what); }

void check_tensor(const TensorDesc& tensor, const std::string& what) {
  if (tensor.bytes < 0) refuse(what + " has a negative size");
  for (const int64_t dimension : tensor.shape) {
    if (dimension < 0) refuse(what + " has a negative dimension");
  }
  if (tensor.dtype && elements(tensor.shape) * size_of(*tensor.dtype) != tensor.bytes) {
    refuse(what + " has a size that does not belong to its dtype and shape");
  }
}

void check_input(const TaskSpec& task, int32_t input) {
  if (input < 0 || input >= static_cast<int32_t>(task.inputs.size())) {
    refuse("there is no input " + std::to_string(input));
  }
  if (task.work == Work::bytes) return;
  if (!task.inputs[input].dtype) refuse("input " + std::to_string(input) + " is not of a floating-point dtype");
  if (task.work == Work::f32 && task.inputs[input].dtype == Dtype::f64) refuse("a float64 input needs float64 work");
}

void check_task(const TaskSpec& task) {
  const std::vector<Operation>& operations = task.program.operations;
  if (operations.empty()) refuse("the program is empty");
  for (size_t i = 0; i < task.inputs.size(); ++i) check_tensor(task.inputs[i], "input " + std::to_string(i));
  check_tensor(task.output, "the output");
  if (task.work != Work::bytes && !task.output.dtype) refuse("the output is not of a floating-point dtype");
  if (task.work == Work::f32 && task.output.dtype == Dtype::f64) refuse("a float64 output needs float64 work");
  for (const Operation& operation : operations) {
    if (const auto* load = std::get_if<Load>(&operation)) {
      check_input(task, load->input);
      const TensorDesc& tensor = task.inputs[load->input];
      const bool fits = task.work == Work::bytes ? tensor.bytes == task.output.bytes
                                                 : elements(tensor.shape) == elements(task.output.shape);
      if (!fits) refuse("input " + std::to_string(load->input) + " does not have the output's size");
    } else if (const auto* resize = std::get_if<Resize>(&operation)) {
      check_input(task, resize->input);
      const std::vector<int64_t>&stored = task.inputs[resize->input].shape, &shape = task.output.shape;
      const bool fits = !stored.empty() && stored.size() == shape.size() &&
                        std::equal(stored.begin() + 1, stored.end(), shape.begin() + 1);
      if (!fits) refuse("input " + std::to_string(resize->input) + " differs from the output in more than its rows");
    } else if (const auto* della = std::get_if<ModelDella>(&operation)) {
      const auto input = static_cast<size_t>(della->thresholds);
      const int64_t bytes = elements(task.output.shape) * static_cast<int64_t>(sizeof(uint32_t));
      if (input >= task.inputs.size() || task.inputs[input].dtype || task.inputs[input].bytes != bytes) {
        refuse("input " + std::to_string(della->thresholds) + " does not hold a threshold for each element");
      }
    } else if (const auto* lora = std::get_if<Lora>(&operation)) {
      check_input(task, lora->a);
      check_input(task, lora->b);
      if (lora->a == lora->b) refuse("a LoRA module needs two factors");
    }
  }
  if (!task.writes() && task.work == Work::bytes) refuse("bytes have no order and no size");
  const auto is_operation = [&](ValueId of) { return of >= 0 && of < static_cast<ValueId>(operations.size()); };
  for (const Window& window : task.windows) {
    if (!is_operation(window.of)) refuse("a window is of no operation");
  }
  for (const ValueId of : task.sums) {
    if (!is_operation(of)) refuse("a sum is of no operation");
  }
  if (task.work == Work::bytes && (operations.size() != 1 || !std::holds_alternative<Load>(operations.front()))) {
    refuse("bytes can only be loaded");
  }
}

template <typename W>
Counters evaluate_in(const TaskSpec& task, ChunkSource& source, ChunkSink& sink, ScratchSpace& scratch, Arena& arena,
                     const EvaluateOptions& options, const KernelTable& kernels, const std::atomic<bool>& cancelled) {
  Carver need(nullptr);
  PreparedTask<W>(task, options, kernels, scratch, need);
  Carver memory(arena.reserve(need.used()));
  PreparedTask<W> prepared(task, options, kernels, scratch, memory);
  return Evaluation<W>(prepared, source, sink, cancelled).run();
}

template <typename W>
TaskNeeds needs_in(const TaskSpec& task, const EvaluateOptions& options, const KernelTable& kernels) {
  NoScratch scratch;
  Carver need(nullptr);
  const PreparedTask<W> prepared(task, options, kernels, scratch, need);
  return {need.used(), prepared.scratch_bytes()};
}

}  // namespace

Counters evaluate(const TaskSpec& task, ChunkSource& source, ChunkSink& sink, ScratchSpace& scratch, Arena& arena,
                  const EvaluateOptions& options, const KernelTable& kernels, const std::atomic<bool>& cancelled) {
  check_task(task);
  if (is_copy(task)) return run_copy(task, source, sink, options.chunk_bytes, kernels, cancelled);
  if (task.work == Work::f64)
    return evaluate_in<double>(task, source, sink, scratch, arena, options, kernels, cancelled);
  return evaluate_in<float>(task, source, sink, scratch, arena, options, kernels, cancelled);
}

TaskNeeds needs_of(const TaskSpec& task, const EvaluateOptions& options) {
  check_task(task);
  if (is_copy(task)) return {};
  // No kernel is called, and nothing is written.
  const KernelTable& kernels = kernels_for(Isa::plain);
  if (task.work == Work::f64) return needs_in<double>(task, options, kernels);
  return needs_in<float>(task, options, kernels);
}

}  // namespace theta
