// Counts what a select keeps where this does not follow from its mask's rule, as of masks that combine others.
#pragma once

#include "evaluate.h"
#include "facts.h"

namespace theta {

class SelectCounter {
 public:
  /// `may_be_empty`: a group of which nothing is kept is told of.
  SelectCounter(ValueId select, ValueId mask, const Geometry& groups, bool may_be_empty)
      : mask(mask), groups_(groups), may_be_empty_(may_be_empty) {
    counters_.operation = select;
  }

  /// `kept` of the next `count` elements, which are of the group with this first element, are in the mask.
  void add(int64_t first, int64_t count, int64_t kept) {
    counters_.kept += kept;
    in_group_ += kept;
    seen_ += count;
    if (seen_ < groups_.size) return;
    if (in_group_ == 0 && may_be_empty_ && counters_.empty++ == 0) counters_.first_empty = first;
    in_group_ = seen_ = 0;
  }

  int64_t group_size() const { return groups_.size; }
  const MaskCounters& counters() const { return counters_; }

  const ValueId mask;

 private:
  const Geometry groups_;
  const bool may_be_empty_;
  MaskCounters counters_;
  int64_t in_group_ = 0, seen_ = 0;
};

}  // namespace theta
