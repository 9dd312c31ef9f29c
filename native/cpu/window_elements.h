// The encoding of FoundInWindow::elements: a few bytes an element, because they are stored beside the models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../error.h"

namespace theta {

class WindowElementWriter {
 public:
  explicit WindowElementWriter(std::vector<std::byte>& to) : to_(to) {}

  /// Indices ascend.
  void add(uint64_t key, int64_t index) {
    put(key);
    put(static_cast<uint64_t>(index - last_));
    last_ = index;
  }

 private:
  void put(uint64_t number) {
    for (; number >= 0x80; number >>= 7) to_.push_back(static_cast<std::byte>(number | 0x80));
    to_.push_back(static_cast<std::byte>(number));
  }

  std::vector<std::byte>& to_;
  int64_t last_ = 0;
};

/// Calls `body(key, index)` for each element. Throws Error(input) where the bytes end within one.
template <typename Body>
void for_each_element(std::span<const std::byte> elements, Body&& body) {
  const std::byte* at = elements.data();
  const std::byte* const end = at + elements.size();
  const auto get = [&] {
    uint64_t number = 0;
    for (int shift = 0; at < end && shift < 64; shift += 7) {
      const auto group = static_cast<uint64_t>(*at++);
      number |= (group & 0x7f) << shift;
      if (group < 0x80) return number;
    }
    throw Error(ErrorCode::input, "the elements of a window end early");
  };
  uint64_t index = 0;
  while (at < end) {
    const uint64_t key = get();
    index += get();
    body(key, index);
  }
}

}  // namespace theta
