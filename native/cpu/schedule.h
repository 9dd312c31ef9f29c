// In which passes over the data a program is run: statistics first, each as soon as what it is of can be computed.
//
// Groups of at most `local_limit` elements are local: they are resolved in cache, stage by stage, wherever a pass needs
// them. Statistics of larger groups are global: they take passes of their own over each group, and what they find is
// kept until the last pass, which writes the output.
#pragma once

#include <vector>

#include "facts.h"

namespace theta {

/// Operations that run block by block, in order, and the statistics that are gathered after them from each block.
struct Stage {
  std::vector<ValueId> steps;
  /// Where each step's value lies while the stage runs; a slot is used again when its value is no longer needed.
  std::vector<int> slots;
  std::vector<ValueId> statistics;
  /// By operation: no step of its own, since the one step that uses it makes it as it goes, and it is never stored.
  std::vector<bool> folded;
};

struct Pass {
  /// All but the last resolve local statistics of a unit of whole groups; the last does what the pass is for.
  std::vector<Stage> stages;
  /// Groups whose statistics this pass gathers; the output pass goes over spans.
  Geometry groups;
  bool is_output = false;
};

struct Schedule {
  std::vector<Facts> facts;
  /// By operation: its statistic is resolved in cache.
  std::vector<bool> is_local;
  /// By operation: resolved in cache, in the first pass over a span, and kept for the later ones, because it is dear
  /// and small. Such a stage has no other statistics.
  std::vector<bool> is_kept;
  /// By operation: a mask of which a bit an element is kept once its cuts are known: to know what it keeps, nothing
  /// that it is of need be computed again.
  std::vector<bool> is_marked;
  /// The output pass is the last.
  std::vector<Pass> passes;
  /// Elements that all passes run over before the next ones are looked at: the largest global group, or everything.
  int64_t span = 0;
  /// Elements of the largest local group; chunks are multiples of it.
  int64_t unit = 1;
  int slot_count = 0;
  /// Selects whose mask has no rule that tells what they keep, so that it must be counted.
  std::vector<ValueId> counted_selects;
};

/// Elements of local groups; local groups whose results may be kept; bytes that marks of larger groups may take.
struct ScheduleLimits {
  int64_t local, kept, marks;
};

/// `results`: values that the output pass is for.
Schedule schedule_of(const Program& program, const std::vector<int64_t>& shape, const ScheduleLimits& limits,
                     const std::vector<ValueId>& results);

}  // namespace theta
