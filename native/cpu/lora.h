// The product of a LoRA adapter's factors, computed block by block; the factors stay in memory as W.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "../tensor.h"
#include "block.h"
#include "carver.h"
#include "kernels.h"

namespace theta {

/// Element (row, column) is Σₖ left[row, k] × right[k, column], scaled: B·A, or its transpose with the factors' places
/// exchanged.
template <typename W>
class LoraProduct {
 public:
  /// Throws Error(input) where the factors' shapes and the output's do not belong together.
  LoraProduct(const Lora& operation, const std::vector<TensorDesc>& inputs, const std::vector<int64_t>& shape,
              Carver& memory);

  /// Where the payloads of `a` and `b` are read to.
  std::byte* stored_a() const { return stored_a_; }
  std::byte* stored_b() const { return stored_b_; }
  /// Widens what was read.
  void prepare(const KernelTable& kernels);

  void run(const WorkKernels<W>& kernels, const Block<W>& block, W* to) const;
  /// Whether all elements of the factors that enter this element of the product are finite.
  bool is_finite_at(int64_t index) const { return finite_rows_[index / columns_] && finite_columns_[index % columns_]; }

  const Lora operation;

 private:
  int64_t rank_, rows_, columns_;
  Dtype dtype_a_, dtype_b_;
  std::byte *stored_a_, *stored_b_;
  W *left_, *right_, *widened_;
  bool *finite_rows_, *finite_columns_;
};

extern template class LoraProduct<float>;
extern template class LoraProduct<double>;

}  // namespace theta
