// Steps that read what is stored: loads, and differences that read one of their terms as they go. What a mask leaves is
// computed from its marks where these are all that is wanted of it.
#include <algorithm>

#include "../error.h"
#include "steps.h"

namespace theta {

namespace {

/// Brings what blocks soon will load nearer while this one is worked on: with several inputs, what processors do by
/// themselves begins anew with each block of each. Into the second-level cache, since the first one's few misses at a
/// time would make this block wait, and far enough ahead for memory to keep up. Inlined by force: compilers take it for
/// a function without effect.
template <typename W>
THETA_HD void fetch_ahead(const Block<W>& block, int32_t input, int64_t size) {
  constexpr int64_t kLine = 64, kBlocksAhead = 3;
  constexpr int kSecondLevel = 2;
  if (!block.is_cold) return;
  const std::byte* soon = block.stored[input] + kBlocksAhead * block.count * size;
  for (int64_t at = 0; at < block.count * size; at += kLine) __builtin_prefetch(soon + at, 0, kSecondLevel);
}

/// A load that is folded into what uses it.
struct Stored {
  int32_t input;
  Dtype dtype;
};

template <typename W>
Stored stored_by(ValueId id, const StepContext<W>& context) {
  const int32_t input = std::get<Load>(context.program.operations[id]).input;
  return {input, *context.inputs[input].dtype};
}

}  // namespace

template <typename W>
Step<W> make_load_step(ValueId id, const Load& operation, const StepContext<W>& context) {
  const Dtype dtype = *context.inputs[operation.input].dtype;
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  const int32_t input = operation.input;
  if (!operation.zero_not_finite && dtype == (sizeof(W) == 8 ? Dtype::f64 : Dtype::f32)) {
    return
        [id, input](const Block<W>& block, W*) { block.values[id] = reinterpret_cast<const W*>(block.stored[input]); };
  }
  const auto widen = kernels.widen[static_cast<int>(dtype)];
  if (!widen) throw Error(ErrorCode::input, "a float64 input needs float64 work");
  if (!operation.zero_not_finite) {
    const int64_t size = size_of(dtype);
    return [input, widen, size](const Block<W>& block, W* to) {
      widen(block.stored[input], to, block.count);
      fetch_ahead(block, input, size);
    };
  }
  return [input, widen, &kernels](const Block<W>& block, W* to) {
    widen(block.stored[input], to, block.count);
    kernels.zero_not_finite(to, block.count);
  };
}

template <typename W>
Step<W> make_resize_step(const Resize& operation, const StepContext<W>& context) {
  const TensorDesc& tensor = context.inputs[operation.input];
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  const auto widen = kernels.widen[static_cast<int>(*tensor.dtype)];
  return [operation, widen, end = elements(tensor.shape), &kernels](const Block<W>& block, W* to) {
    const int64_t there = std::clamp<int64_t>(end - block.begin, 0, block.count);
    widen(block.stored[operation.input], to, there);
    if (operation.zero_not_finite) kernels.zero_not_finite(to, there);
    std::copy_n(block.value(operation.base) + there, block.count - there, to + there);
  };
}

template <typename W>
Step<W> make_subtract_step(const Subtract& operation, const StepContext<W>& context) {
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  if (!context.folded[operation.left]) {
    return [operation, &kernels](const Block<W>& block, W* to) {
      kernels.subtract(block.value(operation.left), block.value(operation.right), to, block.count);
    };
  }
  const auto [input, dtype] = stored_by(operation.left, context);
  const auto subtract = kernels.subtract_stored[static_cast<int>(dtype)];
  return [input, right = operation.right, subtract, size = size_of(dtype)](const Block<W>& block, W* to) {
    subtract(block.stored[input], block.value(right), to, block.count);
    fetch_ahead(block, input, size);
  };
}

template <typename W>
Step<W> make_select_step(const Select& operation, const StepContext<W>& context) {
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  if (!context.folded[operation.mask]) {
    if (context.folded[operation.of]) return make_rescaled_select_step(operation, context);
    return [operation, &kernels](const Block<W>& block, W* to) {
      kernels.select(block.value(operation.of), block.mask(operation.mask), to, block.count);
    };
  }
  const auto* mask = static_cast<const MaskStatistic<W>*>(context.statistics[operation.mask].get());
  if (!context.folded[operation.of]) {
    return [mask, of = operation.of, &kernels](const Block<W>& block, W* to) {
      uint64_t marks[Marks::words(kBlock)];
      mask->marks(block.begin, block.count, marks);
      kernels.select_marked(block.value(of), marks, to, block.count);
    };
  }
  const auto& difference = std::get<Subtract>(context.program.operations[operation.of]);
  const auto [input, dtype] = stored_by(difference.left, context);
  const auto subtract = kernels.subtract_stored_marked[static_cast<int>(dtype)];
  return [mask, input, right = difference.right, subtract, size = size_of(dtype)](const Block<W>& block, W* to) {
    uint64_t marks[Marks::words(kBlock)];
    mask->marks(block.begin, block.count, marks);
    subtract(block.stored[input], block.value(right), marks, to, block.count);
    fetch_ahead(block, input, size);
  };
}

template Step<float> make_load_step<float>(ValueId, const Load&, const StepContext<float>&);
template Step<double> make_load_step<double>(ValueId, const Load&, const StepContext<double>&);
template Step<float> make_resize_step<float>(const Resize&, const StepContext<float>&);
template Step<double> make_resize_step<double>(const Resize&, const StepContext<double>&);
template Step<float> make_subtract_step<float>(const Subtract&, const StepContext<float>&);
template Step<double> make_subtract_step<double>(const Subtract&, const StepContext<double>&);
template Step<float> make_select_step<float>(const Select&, const StepContext<float>&);
template Step<double> make_select_step<double>(const Select&, const StepContext<double>&);

}  // namespace theta
