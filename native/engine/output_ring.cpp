// See output_ring.h.

#include "output_ring.h"

#include <algorithm>

#include "../page.h"

namespace theta {
namespace {

/// Of what is made by vector code.
constexpr int64_t kAlignment = 64;

}  // namespace

std::byte* OutputRing::place(int64_t bytes, int64_t position) {
  std::byte* const memory = arena_.reserve(bytes_);
  const int64_t room = room_to_move(bytes);
  if (next_ + room > bytes_) next_ = 0;
  std::byte* const from = memory + next_;
  const auto overlaps = [&](const Kept& kept) { return kept.begin < from + room && from < kept.end; };
  while (!kept_.empty() && std::any_of(kept_.begin(), kept_.end(), overlaps)) {
    writer_.wait_for(kept_.front().ticket);
    kept_.pop_front();
  }
  return move_in_page(from, position);
}

void OutputRing::keep(Bytes chunk, BackgroundWriter::Ticket ticket) {
  const std::byte* const end = chunk.data() + chunk.size();
  kept_.push_back({chunk.data(), end, ticket});
  next_ = (end - arena_.reserve(bytes_) + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace theta
