#include "facts.h"

#include <algorithm>
#include <string>

#include "../error.h"
#include "../tensor.h"
#include "overloaded.h"

namespace theta {

Geometry grouped(const std::vector<int64_t>& shape, Group per) {
  const int64_t size = elements(shape);
  if (shape.size() < 2 || per == Group::tensor || size == 0) return {1, size};
  if (per == Group::last) return {elements({shape.begin(), shape.end() - 1}), shape.back()};
  return {shape.front(), elements({shape.begin() + 1, shape.end()})};
}

int64_t count_of(int64_t size, double share) {
  return std::clamp<int64_t>(static_cast<int64_t>(static_cast<double>(size) * share), 0, size);
}

namespace {

/// A group is cut somewhere inside, so that a threshold must be found.
bool is_cut(const Band& band, int64_t size) {
  const auto inside = [size](int64_t position) { return position > 0 && position < size; };
  return band.keep > 0 && (inside(band.drop) || inside(band.drop + band.keep));
}

/// trunc(double(g) × density) and the rest of the rule, for groups of `size` elements.
Band band_of(const Magnitude& mask, int64_t size) {
  const int64_t keep = count_of(size, mask.density);
  return {0, std::min(mask.at_least_one ? std::max<int64_t>(keep, 1) : keep, size)};
}

Band band_of(const Breadcrumbs& mask, int64_t size) {
  const int64_t drop = count_of(size, mask.drop_top);
  const int64_t keep = count_of(size, std::min(mask.density, 1.0));
  return {drop, std::min(mask.at_least_one ? std::max<int64_t>(keep, 1) : keep, size - drop)};
}

template <typename Mask>
Facts band_facts(const Mask& mask, const std::vector<int64_t>& shape) {
  const Geometry groups = grouped(shape, mask.per);
  const MaskRule rule{mask.of, band_of(mask, groups.size), mask.tie};
  Facts facts{{mask.of}, ValueKind::mask, groups, rule, std::nullopt};
  if (is_cut(rule.band, groups.size)) facts.statistic = groups;
  return facts;
}

Facts combined(std::vector<ValueId> operands, const std::vector<Facts>& earlier, const std::vector<int64_t>& shape) {
  const auto groups = [&](ValueId id) {
    const bool known = id >= 0 && id < static_cast<ValueId>(earlier.size());
    return known ? earlier[id].groups : grouped(shape, Group::tensor);
  };
  const Geometry first = groups(operands.front());
  const bool agree = std::ranges::all_of(operands, [&](ValueId id) { return groups(id) == first; });
  return {std::move(operands), ValueKind::mask, agree ? first : grouped(shape, Group::tensor), std::nullopt,
          std::nullopt};
}

Facts facts_of_one(const Operation& operation, const std::vector<Facts>& earlier, const std::vector<int64_t>& shape) {
  const Geometry tensor = grouped(shape, Group::tensor);
  const auto plain = [](std::vector<ValueId> operands) {
    return Facts{std::move(operands), ValueKind::tensor, {}, std::nullopt, std::nullopt};
  };
  const auto over_tensor = [&](std::vector<ValueId> operands) {
    return Facts{std::move(operands), ValueKind::tensor, {}, std::nullopt, tensor};
  };
  return std::visit(Overloaded{
                        [&](const Load&) { return plain({}); },
                        [&](const Resize& op) { return plain({op.base}); },
                        [&](const Lora&) { return plain({}); },
                        [&](const Subtract& op) {
                          return plain({op.left, op.right});
                        },
                        [&](const Add& op) {
                          return plain({op.left, op.right});
                        },
                        [&](const Onto& op) {
                          return plain({op.base, op.vector});
                        },
                        [&](const Negate& op) { return plain({op.of}); },
                        [&](const Multiply& op) { return plain({op.of}); },
                        [&](const Divide& op) { return plain({op.of}); },
                        [&](const Magnitude& op) { return band_facts(op, shape); },
                        [&](const Breadcrumbs& op) { return band_facts(op, shape); },
                        [&](const Random&) {
                          return Facts{{}, ValueKind::mask, tensor, std::nullopt, std::nullopt};
                        },
                        [&](const Della& op) {
                          const Geometry groups = grouped(shape, op.per);
                          Facts facts{{op.of}, ValueKind::mask, groups, std::nullopt, std::nullopt};
                          if (groups.size > 1) facts.statistic = groups;
                          return facts;
                        },
                        [&](const ModelCut& op) {
                          return Facts{{op.of}, ValueKind::mask, tensor, std::nullopt, std::nullopt};
                        },
                        // Nothing of the value itself is asked for.
                        [&](const ModelDella&) {
                          return Facts{{}, ValueKind::mask, tensor, std::nullopt, std::nullopt};
                        },
                        [&](const MaskAnd& op) {
                          return combined({op.left, op.right}, earlier, shape);
                        },
                        [&](const MaskOr& op) {
                          return combined({op.left, op.right}, earlier, shape);
                        },
                        [&](const MaskNot& op) { return combined({op.of}, earlier, shape); },
                        [&](const Select& op) {
                          return plain({op.of, op.mask});
                        },
                        [&](const RescaleInv& op) { return plain({op.of}); },
                        [&](const RescaleDella& op) {
                          return plain({op.of, op.mask});
                        },
                        [&](const RescaleL1& op) {
                          return over_tensor({op.of, op.masked});
                        },
                        [&](const Sum& op) { return plain(op.of); },
                        [&](const Mean& op) { return plain(op.of); },
                        [&](const Ties& op) { return plain(op.of); },
                        [&](const Variance& op) { return plain(op.of); },
                        [&](const Largest& op) {
                          return Facts{{op.of}, ValueKind::mask, tensor, MaskRule{op.of, {}, op.tie, op.share}, tensor};
                        },
                        [&](const Sce& op) {
                          std::vector<ValueId> operands = op.of;
                          if (op.chosen != kNoValue) operands.push_back(op.chosen);
                          return over_tensor(std::move(operands));
                        },
                        [&](const Ram& op) { return plain(op.of); },
                        [&](const RamPlus& op) { return over_tensor(op.of); },
                        [&](const Consensus& op) { return plain(op.of); },
                        [&](const Magmax& op) { return plain(op.of); },
                        [&](const Extremes& op) {
                          return Facts{{op.of}, ValueKind::sizes, {}, std::nullopt, tensor};
                        },
                        [&](const Pcb& op) {
                          std::vector<ValueId> operands = op.of;
                          operands.insert(operands.end(), op.extremes.begin(), op.extremes.end());
                          return over_tensor(std::move(operands));
                        },
                        [&](const Divergence& op) {
                          return Facts{{op.of, op.base}, ValueKind::rows, {}, std::nullopt, grouped(shape, Group::row)};
                        },
                        [&](const ArceeFusion& op) {
                          return over_tensor({op.of, op.divergence});
                        },
                        [&](const Linear& op) { return plain(op.of); },
                        [&](const Slerp& op) {
                          Facts facts = plain({op.left, op.right});
                          if (op.t != 0 && op.t != 1) facts.statistic = grouped(shape, op.per);
                          return facts;
                        },
                        [&](const Karcher& op) { return over_tensor(op.of); },
                        [&](const ModelStock& op) {
                          return Facts{op.of, ValueKind::tensor, {}, std::nullopt, grouped(shape, op.per)};
                        },
                        [&](const Nearswap& op) { return plain({op.of}); },
                    },
                    operation);
}

/// What the operand at this position must be.
ValueKind wanted_kind(const Operation& operation, size_t position) {
  const auto mask_if = [](bool condition) { return condition ? ValueKind::mask : ValueKind::tensor; };
  if (std::holds_alternative<Select>(operation) || std::holds_alternative<RescaleDella>(operation)) {
    return mask_if(position == 1);
  }
  if (const auto* sce = std::get_if<Sce>(&operation)) return mask_if(position == sce->of.size());
  if (const auto* pcb = std::get_if<Pcb>(&operation)) {
    return position < pcb->of.size() ? ValueKind::tensor : ValueKind::sizes;
  }
  if (std::holds_alternative<ArceeFusion>(operation)) return position == 1 ? ValueKind::rows : ValueKind::tensor;
  return mask_if(std::holds_alternative<MaskAnd>(operation) || std::holds_alternative<MaskOr>(operation) ||
                 std::holds_alternative<MaskNot>(operation));
}

}  // namespace

std::vector<Facts> facts_of(const Program& program, const std::vector<int64_t>& shape) {
  std::vector<Facts> all;
  for (const Operation& operation : program.operations) {
    Facts facts = facts_of_one(operation, all, shape);
    for (size_t i = 0; i < facts.operands.size(); ++i) {
      const ValueId operand = facts.operands[i];
      const bool earlier = operand >= 0 && operand < static_cast<ValueId>(all.size());
      if (!earlier || all[operand].kind != wanted_kind(operation, i)) {
        throw Error(ErrorCode::input, "operation " + std::to_string(all.size()) + " cannot take operation " +
                                          std::to_string(operand) + " as operand " + std::to_string(i));
      }
    }
    if (facts.statistic && facts.statistic->size == 0) facts.statistic.reset();
    all.push_back(std::move(facts));
  }
  if (all.back().kind != ValueKind::tensor) throw Error(ErrorCode::input, "the program ends with no tensor");
  return all;
}

}  // namespace theta
