// Hands out parts of an arena. Run over no memory first, it measures: the same code states the need and lays it out.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theta {

class Carver {
 public:
  /// `begin` may be null: then what is taken must not be touched.
  explicit Carver(std::byte* begin) : begin_(begin) {}

  /// `count` objects of a trivial type, not initialised, on a boundary of a cache line.
  template <typename T>
  T* take(int64_t count) {
    const int64_t at = used_;
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
    used_ += (bytes + kLine - 1) / kLine * kLine;
    return begin_ ? reinterpret_cast<T*>(begin_ + at) : nullptr;
  }

  int64_t used() const { return used_; }

 private:
  static constexpr int64_t kLine = 64;
  std::byte* begin_;
  int64_t used_ = 0;
};

}  // namespace theta
