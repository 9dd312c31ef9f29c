// Rounds values to the output's dtype, and judges those that are not finite.
#pragma once

#include <memory>
#include <vector>

#include "block.h"
#include "evaluate.h"
#include "lora.h"

namespace theta {

template <typename W>
class OutputWriter {
 public:
  OutputWriter(const TaskSpec& task, const KernelTable& kernels,
               const std::vector<std::unique_ptr<LoraProduct<W>>>& lora);

  /// Writes the block's elements and counts those made not finite from finite inputs.
  void write(const Block<W>& block, const W* values, std::byte* to, Counters& counters) const;

 private:
  void judge(const Block<W>& block, const W* values, std::byte* to, Counters& counters) const;
  bool inputs_finite(const Block<W>& block, int64_t offset) const;

  struct Watched {
    int32_t input;
    Dtype dtype;
    int64_t elements;
  };

  const Dtype dtype_;
  const bool saturate_;
  bool (*const narrow_)(const W*, std::byte*, int64_t);
  /// Inputs read as they are: one that is read with NaN as zero is finite everywhere.
  std::vector<Watched> watched_;
  std::vector<const LoraProduct<W>*> lora_;
};

extern template class OutputWriter<float>;
extern template class OutputWriter<double>;

}  // namespace theta
