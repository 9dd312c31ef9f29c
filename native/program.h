// A program as compiler/tensor-graph.ts states it, decoded. The fields' meanings and ranges are documented there.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "formula/order.h"

namespace theta {

/// Position of the operation whose result is meant.
using ValueId = int32_t;
/// An operand that may be left out, and is.
inline constexpr ValueId kNoValue = -1;

enum class Group : uint8_t { row, last, tensor };
enum class Elect : uint8_t { weighted, unweighted, count, none };
enum class DivideBy : uint8_t { weights, count, none };

struct Load {
  int32_t input;
  /// `nan: "zero"`: NaN and infinities are read as +0.
  bool zero_not_finite;
};
/// An input with another number of rows, as far as both go; behind that `base`.
struct Resize {
  int32_t input;
  bool zero_not_finite;
  ValueId base;
};
struct Lora {
  int32_t a, b;
  int64_t rank;
  double scaling;
  bool transposed;
};
struct Subtract {
  ValueId left, right;
};
struct Add {
  ValueId left, right;
};
struct Onto {
  ValueId base, vector;
};
struct Negate {
  ValueId of;
};
struct Multiply {
  ValueId of;
  double by;
};
struct Divide {
  ValueId of;
  double by;
};
struct Magnitude {
  ValueId of;
  double density;
  Group per;
  bool at_least_one;
  uint64_t tie;
};
struct Breadcrumbs {
  ValueId of;
  double density, drop_top;
  Group per;
  bool at_least_one;
  uint64_t tie;
};
/// A mask: elements whose random word is below floor(density·2³²).
struct Random {
  double density;
  uint64_t seed, stream;
};
/// The same, with a probability that rises with the element's rank in its group from density − epsilon to density +
/// epsilon.
struct Della {
  ValueId of;
  double density, epsilon;
  Group per;
  uint64_t tie, seed, stream;
};
/// Elements before `outer` and not before `inner`, in an order that other tensors share; the keys are of W.
struct ModelCut {
  ValueId of;
  uint64_t tie;
  Cut<uint64_t> outer, inner;
};
/// As Della over the tensors of a model: each element's threshold is known, 32 bits of an input that has no arithmetic.
struct ModelDella {
  ValueId of;
  uint64_t seed, stream;
  int32_t thresholds;
  /// Whether the mask keeps any element of the model.
  bool keeps_any;
};
struct MaskAnd {
  ValueId left, right;
};
struct MaskOr {
  ValueId left, right;
};
struct MaskNot {
  ValueId of;
};
struct Select {
  ValueId of, mask;
};
struct RescaleInv {
  ValueId of;
  double density;
};
/// Divided by the probability that `mask`, a Della or ModelDella, keeps each element with.
struct RescaleDella {
  ValueId of, mask;
};
struct RescaleL1 {
  ValueId of, masked;
};
struct Sum {
  std::vector<ValueId> of;
  std::vector<double> weights;
  double scale;
};
struct Mean {
  std::vector<ValueId> of;
  std::vector<double> weights;
  double scale;
};
struct Ties {
  std::vector<ValueId> of;
  std::vector<double> weights;
  double scale;
  Elect elect;
  DivideBy divide;
};
struct Variance {
  std::vector<ValueId> of;
};
/// The share of what is not 0 that comes first in the canonical order of the tensor.
struct Largest {
  ValueId of;
  double share;
  uint64_t tie;
};
struct Sce {
  std::vector<ValueId> of;
  /// A mask, or kNoValue: everything.
  ValueId chosen;
};
struct Ram {
  std::vector<ValueId> of;
  double epsilon;
};
struct RamPlus {
  std::vector<ValueId> of;
  double epsilon, r, alpha;
};
struct Consensus {
  std::vector<ValueId> of;
  std::vector<double> weights;
  double scale, lambda;
  int32_t at_least;
};
struct Magmax {
  std::vector<ValueId> of;
  double scale;
};
/// No tensor: the sizes between which all but the share `clip` at either end of a tensor's elements lie.
struct Extremes {
  ValueId of;
  double clip;
};
struct Pcb {
  std::vector<ValueId> of;
  /// An Extremes of each.
  std::vector<ValueId> extremes;
  std::vector<double> weights;
  double scale, select;
};
/// No tensor: a number for each row.
struct Divergence {
  ValueId of, base;
};
struct ArceeFusion {
  ValueId of, divergence;
};
struct Linear {
  std::vector<ValueId> of;
  std::vector<double> weights;
  bool normalize;
};
struct Slerp {
  ValueId left, right;
  double t;
  Group per;
};
struct Karcher {
  std::vector<ValueId> of;
  std::vector<double> weights;
  int64_t max_iterations;
  double tolerance;
};
struct ModelStock {
  std::vector<ValueId> of;
  Group per;
};
struct Nearswap {
  ValueId of;
  double t;
};

using Operation =
    std::variant<Load, Resize, Lora, Subtract, Add, Onto, Negate, Multiply, Divide, Magnitude, Breadcrumbs, ModelCut,
                 ModelDella, Random, Della, MaskAnd, MaskOr, MaskNot, Select, RescaleInv, RescaleDella, RescaleL1, Sum,
                 Mean, Ties, Variance, Largest, Sce, Ram, RamPlus, Consensus, Magmax, Extremes, Pcb, Divergence,
                 ArceeFusion, Linear, Slerp, Karcher, ModelStock, Nearswap>;

/// Static single assignment; the last operation's value is the output.
struct Program {
  std::vector<Operation> operations;
};

}  // namespace theta
