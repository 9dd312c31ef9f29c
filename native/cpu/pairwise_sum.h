// The float64 sum of METHODS.md, "Sums": blocks of 4,096 elements counted from the start of the group, 16 lanes a
// block, block sums combined by adjacent pairs. Does not depend on how the elements are handed over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels.h"

namespace theta {

class PairwiseSum {
 public:
  /// `add(offset, count, lanes)` adds elements [offset, offset + count) of those handed over to lanes 0, 1, … and round
  /// again, where `count` is at most 16 unless it begins with lane 0.
  template <typename Add>
  void gather(int64_t count, Add&& add) {
    gather_together<1>(this, count,
                       [&](int64_t offset, int64_t part, double* const* lanes) { add(offset, part, *lanes); });
  }

  /// The same for `sums`, which were always given the same elements: `add` is given the lanes of each.
  template <int kSums, typename Add>
  static void gather_together(PairwiseSum* sums, int64_t count, Add&& add) {
    double* lanes[kSums];
    gather_together({sums, kSums}, lanes, count, add);
  }

  /// `lanes`: room for a pointer a sum.
  template <typename Add>
  static void gather_together(std::span<PairwiseSum> sums, double** lanes, int64_t count, Add&& add) {
    for (int64_t offset = 0; offset < count;) {
      const int64_t in_block = sums.front().in_block_, lane = in_block % kLanes;
      const int64_t room = lane ? kLanes - lane : kBlockElements - in_block;
      const int64_t part = std::min(room, count - offset);
      for (size_t k = 0; k < sums.size(); ++k) lanes[k] = sums[k].lanes_ + lane;
      add(offset, part, static_cast<double* const*>(lanes));
      offset += part;
      for (PairwiseSum& sum : sums) {
        sum.in_block_ += part;
        if (sum.in_block_ == kBlockElements) sum.close_block();
      }
    }
  }

  /// The sum; afterwards it is one of nothing, as at first.
  double finish() {
    if (in_block_ > 0 || blocks_ == 0) close_block();
    // What is left on the stack are sums of falling powers of two of blocks; the odd ones are carried up.
    int64_t left = __builtin_popcountll(static_cast<uint64_t>(blocks_));
    while (left > 1) {
      --left;
      stack_[left - 1] = stack_[left - 1] + stack_[left];
    }
    blocks_ = 0;
    return stack_[0];
  }

 private:
  static constexpr int64_t kBlockElements = 4096;

  void close_block() {
    for (int64_t width = kLanes / 2; width > 0; width /= 2) {
      for (int64_t j = 0; j < width; ++j) lanes_[j] = lanes_[j] + lanes_[j + width];
    }
    double sum = lanes_[0];
    int64_t top = __builtin_popcountll(static_cast<uint64_t>(blocks_));
    // A binary counter: as many pairs close as the count of blocks so far ends in ones.
    for (int64_t bits = blocks_; bits & 1; bits >>= 1) sum = stack_[--top] + sum;
    stack_[top] = sum;
    ++blocks_;
    in_block_ = 0;
    std::fill(lanes_, lanes_ + 2 * kLanes, 0.0);
  }

  /// Twice as many as there are: a kernel that starts in the middle may look at lanes behind the last.
  double lanes_[2 * kLanes] = {};
  double stack_[64];
  int64_t blocks_ = 0;
  int64_t in_block_ = 0;
};

}  // namespace theta
