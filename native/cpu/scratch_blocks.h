// Blocks of one size in as much memory as there is for them, and in scratch space behind that. A block knows the one
// that follows it, so that lists of them grow without bound; what a list holds is its owner's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "carver.h"
#include "scratch_space.h"

namespace theta {

class ScratchBlocks {
 public:
  using Id = uint32_t;
  /// No block, at the end of a list.
  static constexpr Id kNone = ~Id{0};

  /// At most `most` blocks are used at once. Throws Error(memory) where that are too many to be numbered.
  ScratchBlocks(int64_t block_bytes, int64_t most, ScratchSpace& space, Carver& memory);
  /// As many as `bytes` of memory hold, if so many are needed, lie there. Comes before the first block is taken.
  void make_resident(int64_t bytes, Carver& memory);

  int64_t block_bytes() const { return block_bytes_; }
  /// Bytes of scratch space that are used at most.
  int64_t most_in_space() const { return (most_ - int64_t{resident_count_}) * block_bytes_; }
  ScratchSpace& space() const { return space_; }

  /// A block with unspecified content, the end of a list.
  Id take();
  void link(Id block, Id next) { next_[block] = next; }
  Id next(Id block) const { return next_[block]; }
  /// Blocks from `first` to `last` of a list are free again.
  void give_back(Id first, Id last);

  /// Null where the block lies in scratch space.
  std::byte* resident(Id block) const {
    return block < resident_count_ ? resident_ + int64_t{block} * block_bytes_ : nullptr;
  }
  /// Part of a block that is not resident, from byte `at` of it on.
  void write(Id block, int64_t at, std::span<const std::byte> from) { space_.write(position(block) + at, from); }
  void read(Id block, int64_t at, std::span<std::byte> to) const { space_.read(position(block) + at, to); }

 private:
  int64_t position(Id block) const { return int64_t{block - resident_count_} * block_bytes_; }

  const int64_t block_bytes_;
  const int64_t most_;
  ScratchSpace& space_;
  Id* const next_;
  std::byte* resident_ = nullptr;
  Id resident_count_ = 0;
  Id used_ = 0, free_ = kNone;
};

}  // namespace theta
