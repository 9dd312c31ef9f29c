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

/// trunc(double(g) × density) and the rest of the rule, for groups of `size` elements.
Band band_of(const Magnitude& mask, int64_t size);
Band band_of(const Breadcrumbs& mask, int64_t size);

struct Facts {
  std::vector<ValueId> operands;
  bool is_mask = false;
  /// Of masks: their groups (tensor where a combined mask's parts disagree).
  Geometry groups{};
  /// Groups that a statistic must be known of before the operation can run on an element: a threshold, a norm.
  std::optional<Geometry> statistic;
};

/// One an operation. Throws Error(input) where an operand is not an earlier operation of the right kind.
std::vector<Facts> facts_of(const Program& program, const std::vector<int64_t>& shape);

}  // namespace theta
