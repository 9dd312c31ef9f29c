// What the tests of the compute core share: sizes at the edges, numbers of every kind, buffers with guards.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "cpu/kernels.h"

namespace theta_test {

inline const std::vector<int64_t> kSizes = {0,   1,   2,   15,   16,   17,   63,   64,   65,
                                            255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097};

/// Room for `count` elements with bytes behind them that must stay as they are.
template <typename T>
class Guarded {
 public:
  explicit Guarded(int64_t count)
      : count_(static_cast<size_t>(count)), bytes_(count_ * sizeof(T) + kGuard, std::byte{0xa5}) {}
  T* data() { return reinterpret_cast<T*>(bytes_.data()); }
  T& operator[](int64_t i) { return data()[i]; }
  std::byte* bytes() { return bytes_.data(); }
  bool guard_holds() const {
    for (size_t i = count_ * sizeof(T); i < bytes_.size(); ++i) {
      if (bytes_[i] != std::byte{0xa5}) return false;
    }
    return true;
  }
  bool operator==(const Guarded& other) const { return bytes_ == other.bytes_; }

 private:
  static constexpr size_t kGuard = 64;
  size_t count_;
  std::vector<std::byte> bytes_;
};

/// Normal numbers of ordinary size, many equal ones, and every special value: zeros, denormals, infinities, NaN.
template <typename W>
std::vector<W> numbers(int64_t count, unsigned seed, bool finite = false) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 0.01);
  using Format = theta::FormatOf<W>;
  std::vector<W> all(static_cast<size_t>(count));
  for (W& x : all) {
    const auto bits = static_cast<theta::Bits<W>>(random());
    switch (random() % 8) {
      case 0:
        x = static_cast<W>(static_cast<double>(static_cast<int>(random() % 9) - 4) / 64);
        break;
      case 1:
        x = std::bit_cast<W>(static_cast<theta::Bits<W>>(bits & (Format::kSign | 0xff)));
        break;
      case 2:
        x = std::bit_cast<W>(bits);
        break;
      default:
        x = static_cast<W>(normal(random));
    }
    const bool special = (std::bit_cast<theta::Bits<W>>(x) & Format::kMagnitude) >= Format::kInfinity;
    if (finite && special) x = 1;
  }
  return all;
}

}  // namespace theta_test
