// Scratch space of a test: says what was written, and holds that nothing else is read.
#pragma once

#include <algorithm>
#include <vector>

#include "../check.h"
#include "cpu/scratch_space.h"

namespace theta_test {

class MemoryScratch final : public theta::ScratchSpace {
 public:
  void write(int64_t at, std::span<const std::byte> from) override {
    const auto begin = static_cast<size_t>(at), end = begin + from.size();
    if (end > bytes_.size()) {
      bytes_.resize(end);
      written_.resize(end);
    }
    std::ranges::copy(from, bytes_.begin() + at);
    std::fill(written_.begin() + at, written_.begin() + static_cast<int64_t>(end), true);
  }
  void read(int64_t at, std::span<std::byte> to) override {
    const auto end = at + static_cast<int64_t>(to.size());
    CHECK(end <= static_cast<int64_t>(bytes_.size()));
    CHECK(std::all_of(written_.begin() + at, written_.begin() + end, [](bool written) { return written; }));
    std::copy(bytes_.begin() + at, bytes_.begin() + end, to.begin());
  }
  void stop_if_cancelled() override {}

  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  std::vector<std::byte> bytes_;
  std::vector<bool> written_;
};

}  // namespace theta_test
