// Asks the system for what will be read soon: it reads while we compute, which only a cold file gains from. Advice, so
// it cannot fail.
#pragma once

#include <algorithm>
#include <cstdint>

namespace theta {

/// Of bytes of a file that are read from the first to the last.
class ReadAhead {
 public:
  ReadAhead(int fd, int64_t offset, int64_t bytes) : fd_(fd), begin_(offset), end_(offset + bytes) {}

  /// Before the first of them is read.
  void start() const { ask(begin_, wanted(begin_)); }
  /// Before those from `offset` on are read.
  void go_on(int64_t offset, int64_t bytes) const { ask(wanted(offset), wanted(offset + bytes)); }

 private:
  /// A disk takes milliseconds to answer: it must be asked for more than is computed in that time. Whole stretches at a
  /// time, so that it can put requests together.
  static constexpr int64_t kStretch = 4 << 20;

  /// Up to where everything is asked for by who is to read at `offset`: between one stretch and two ahead of it.
  int64_t wanted(int64_t offset) const {
    return std::min(end_, begin_ + ((offset - begin_) / kStretch + 2) * kStretch);
  }
  void ask(int64_t begin, int64_t end) const;

  int fd_;
  int64_t begin_, end_;
};

}  // namespace theta
