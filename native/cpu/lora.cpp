#include "lora.h"

#include <algorithm>
#include <cmath>

#include "../error.h"

namespace theta {

namespace {

Dtype float_dtype(const TensorDesc& tensor) {
  if (!tensor.dtype) throw Error(ErrorCode::input, "a LoRA factor must be of a floating-point dtype");
  return *tensor.dtype;
}

/// to [columns, rows] = from [rows, columns]
template <typename W>
void transpose(const W* from, int64_t rows, int64_t columns, W* to) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) to[column * rows + row] = from[row * columns + column];
  }
}

}  // namespace

template <typename W>
LoraProduct<W>::LoraProduct(const Lora& operation, const std::vector<TensorDesc>& inputs,
                            const std::vector<int64_t>& shape, Carver& memory)
    : operation(operation), rank_(operation.rank) {
  const TensorDesc &a = inputs[operation.a], &b = inputs[operation.b];
  dtype_a_ = float_dtype(a);
  dtype_b_ = float_dtype(b);
  const bool matrices = a.shape.size() == 2 && b.shape.size() == 2 && shape.size() == 2;
  if (!matrices || a.shape[0] != rank_ || b.shape[1] != rank_) {
    throw Error(ErrorCode::input, "LoRA factors must be [rank, in] and [out, rank]");
  }
  rows_ = operation.transposed ? a.shape[1] : b.shape[0];
  columns_ = operation.transposed ? b.shape[0] : a.shape[1];
  if (rows_ != shape[0] || columns_ != shape[1]) {
    throw Error(ErrorCode::input, "the product of the LoRA factors does not have the output's shape");
  }
  stored_a_ = memory.take<std::byte>(elements(a.shape) * size_of(dtype_a_));
  stored_b_ = memory.take<std::byte>(elements(b.shape) * size_of(dtype_b_));
  left_ = memory.take<W>(rows_ * rank_);
  right_ = memory.take<W>(columns_ * rank_);
  widened_ = operation.transposed ? memory.take<W>(std::max(rows_, columns_) * rank_) : nullptr;
  finite_rows_ = memory.take<bool>(rows_);
  finite_columns_ = memory.take<bool>(columns_);
}

template <typename W>
void LoraProduct<W>::prepare(const KernelTable& kernels) {
  const auto widen = [&](Dtype dtype, const std::byte* from, W* to, int64_t count) {
    kernels_of<W>(kernels).widen[static_cast<int>(dtype)](from, to, count);
  };
  if (operation.transposed) {
    widen(dtype_a_, stored_a_, widened_, rank_ * rows_);
    transpose(widened_, rank_, rows_, left_);
    widen(dtype_b_, stored_b_, widened_, columns_ * rank_);
    transpose(widened_, columns_, rank_, right_);
  } else {
    widen(dtype_b_, stored_b_, left_, rows_ * rank_);
    widen(dtype_a_, stored_a_, right_, rank_ * columns_);
  }
  std::fill(finite_rows_, finite_rows_ + rows_, true);
  std::fill(finite_columns_, finite_columns_ + columns_, true);
  for (int64_t i = 0; i < rows_ * rank_; ++i) {
    if (!std::isfinite(left_[i])) finite_rows_[i / rank_] = false;
  }
  for (int64_t i = 0; i < rank_ * columns_; ++i) {
    if (!std::isfinite(right_[i])) finite_columns_[i % columns_] = false;
  }
}

template <typename W>
void LoraProduct<W>::run(const WorkKernels<W>& kernels, const Block<W>& block, W* to) const {
  for_each_group(block.begin, block.count, columns_, [&](int64_t first, int64_t offset, int64_t count) {
    const int64_t row = first / columns_, column = block.begin + offset - first;
    std::fill(to + offset, to + offset + count, W{0});
    for (int64_t k = 0; k < rank_; ++k) {
      kernels.multiply_add(to + offset, left_[row * rank_ + k], right_ + k * columns_ + column, count);
    }
  });
  kernels.scale(to, static_cast<W>(operation.scaling), block.count);
}

template class LoraProduct<float>;
template class LoraProduct<double>;

}  // namespace theta
