#include "output_writer.h"

#include <cmath>

#include "../formula/rounding.h"

namespace theta {

namespace {

bool element_is_finite(Dtype dtype, const std::byte* stored, int64_t offset) {
  return dispatch_dtype(dtype, [&](auto format) {
    using Stored = decltype(format);
    return !is_not_finite<Stored>(reinterpret_cast<const typename Stored::Storage*>(stored)[offset]);
  });
}

}  // namespace

template <typename W>
OutputWriter<W>::OutputWriter(const TaskSpec& task, const KernelTable& kernels,
                              const std::vector<std::unique_ptr<LoraProduct<W>>>& lora)
    : dtype_(*task.output.dtype),
      saturate_(task.overflow == Overflow::saturate),
      narrow_(kernels_of<W>(kernels).narrow[static_cast<int>(dtype_)]) {
  for (const Operation& operation : task.program.operations) {
    const auto watch = [&](const auto* load) {
      if (!load || load->zero_not_finite) return;
      const TensorDesc& tensor = task.inputs[load->input];
      watched_.push_back({load->input, *tensor.dtype, elements(tensor.shape)});
    };
    watch(std::get_if<Load>(&operation));
    watch(std::get_if<Resize>(&operation));
  }
  for (const auto& product : lora) {
    if (product) lora_.push_back(product.get());
  }
}

template <typename W>
void OutputWriter<W>::write(const Block<W>& block, const W* values, std::byte* to, Counters& counters) const {
  if (narrow_(values, to, block.count)) judge(block, values, to, counters);
}

template <typename W>
bool OutputWriter<W>::inputs_finite(const Block<W>& block, int64_t offset) const {
  for (const Watched& watched : watched_) {
    if (block.begin + offset >= watched.elements) continue;
    if (!element_is_finite(watched.dtype, block.stored[watched.input], offset)) return false;
  }
  for (const LoraProduct<W>* product : lora_) {
    if (!product->is_finite_at(block.begin + offset)) return false;
  }
  return true;
}

template <typename W>
void OutputWriter<W>::judge(const Block<W>& block, const W* values, std::byte* to, Counters& counters) const {
  dispatch_dtype(dtype_, [&](auto format) {
    using Stored = decltype(format);
    auto* bits = reinterpret_cast<typename Stored::Storage*>(to);
    for (int64_t i = 0; i < block.count; ++i) {
      if (!is_not_finite<Stored>(bits[i]) || !inputs_finite(block, i)) continue;
      if (counters.overflow++ == 0) counters.first_overflow = block.begin + i;
      if (saturate_ && !std::isnan(values[i])) {
        // A NaN that stands for an infinity has no sign.
        const auto sign = std::signbit(values[i]) ? Stored::kSign : typename Stored::Storage{0};
        bits[i] = static_cast<typename Stored::Storage>(sign | Stored::kLargest);
      }
    }
  });
}

template class OutputWriter<float>;
template class OutputWriter<double>;

}  // namespace theta
