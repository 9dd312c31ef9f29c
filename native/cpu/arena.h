// Memory of one worker: one mapping that is reused from task to task, because the first touch of a page is slow.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theta {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// At least `bytes` bytes on a page boundary, valid until the next call; what they held is lost. Throws
  /// Error(memory). A mapping only grows.
  std::byte* reserve(int64_t bytes);
  /// Gives the mapping back.
  void release();
  int64_t capacity() const { return capacity_; }

 private:
  std::byte* begin_ = nullptr;
  int64_t capacity_ = 0;
};

}  // namespace theta
