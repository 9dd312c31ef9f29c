// Where elements that are looked at more closely are put, and which of equal ones comes where.
#pragma once

#include "carver.h"
#include "kernels.h"

namespace theta {

/// Buffers for working on elements found in a group or block of at most `room`; shared by all statistics of a task.
template <typename W>
struct FoundElements {
  FoundElements(int64_t room, Carver& memory)
      : keys(memory.take<Bits<W>>(room + kCollectSlack)),
        positions(memory.take<uint32_t>(room + kCollectSlack)),
        ties(memory.take<uint64_t>(room)) {}
  Bits<W>* keys;
  uint32_t* positions;
  uint64_t* ties;
};

/// The tie at `rank` (0 is the largest) of `count` ties, which are reordered.
uint64_t tie_at(uint64_t* ties, int64_t count, int64_t rank);

}  // namespace theta
