// What the planner knows of each operation: operands, whether it is a mask, and which groups it needs statistics of.
#pragma once

#include <optional>
#include <vector>

#include "../program.h"

namespace theta {

/// Groups of a tensor; they follow each other in the linear index, each of `size` elements.
struct Geometry {
  int64_t groups;
  int64_t size;
  bool operator==(const Geometry&) const = default;
};

/// `row`: all that lies behind the first dimension; `last`: the last dimension alone; of tensors of two or more
/// dimensions.
Geometry grouped(const std::vector<int64_t>& shape, Group per);

/// Positions [drop, drop + keep) of a group's canonical order survive.
struct Band {
  int64_t drop;
  int64_t keep;
};

/// trunc(double(size) × share), within 0 and size.
int64_t count_of(int64_t size, double share);

/// A mask that keeps a band of each group's canonical order: all that statistics, steps and counters need of it.
struct MaskRule {
  ValueId of;
  Band band;
  uint64_t tie;
  /// Above 0: instead of `band`, the trunc(count of elements other than 0 × this) first elements survive.
  double of_nonzero = 0;
};

/// What an operation's value is: elements in W, lanes of ones and zeros, or no tensor but a number for each row, or
/// two sizes.
enum class ValueKind : uint8_t { tensor, mask, rows, sizes };

struct Facts {
  std::vector<ValueId> operands;
  ValueKind kind = ValueKind::tensor;
  /// Of masks: their groups (tensor where a combined mask's parts disagree).
  Geometry groups{};
  /// Of masks that keep a band.
  std::optional<MaskRule> rule;
  /// Groups that a statistic must be known of before the operation can run on an element: a threshold, a norm.
  std::optional<Geometry> statistic;

  /// Of a mask: how many elements it keeps is known without looking at one.
  bool tells_what_it_keeps() const { return rule && rule->of_nonzero == 0; }
};

/// One an operation. Throws Error(input) where an operand is not an earlier operation of the right kind.
std::vector<Facts> facts_of(const Program& program, const std::vector<int64_t>& shape);

}  // namespace theta
