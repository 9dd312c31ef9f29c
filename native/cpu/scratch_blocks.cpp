#include "scratch_blocks.h"

#include <algorithm>

#include "../error.h"

namespace theta {

namespace {
int64_t checked(int64_t most) {
  if (most < int64_t{ScratchBlocks::kNone}) return most;
  throw Error(ErrorCode::memory, "the tensor has too many elements to be ranked in so little memory");
}
}  // namespace

ScratchBlocks::ScratchBlocks(int64_t block_bytes, int64_t most, ScratchSpace& space, Carver& memory)
    : block_bytes_(block_bytes), most_(checked(most)), space_(space), next_(memory.take<Id>(most_)) {}

void ScratchBlocks::make_resident(int64_t bytes, Carver& memory) {
  resident_count_ = static_cast<Id>(std::clamp<int64_t>(bytes / block_bytes_, 0, most_));
  resident_ = memory.take<std::byte>(resident_count_ * block_bytes_);
}

ScratchBlocks::Id ScratchBlocks::take() {
  if (free_ == kNone && used_ >= most_)
    throw Error(ErrorCode::input, "more scratch blocks are taken than were planned");
  const Id block = free_ == kNone ? used_++ : std::exchange(free_, next_[free_]);
  next_[block] = kNone;
  return block;
}

void ScratchBlocks::give_back(Id first, Id last) {
  next_[last] = free_;
  free_ = first;
}

}  // namespace theta
