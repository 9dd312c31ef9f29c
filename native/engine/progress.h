// Bytes that have passed since the engine was made. Workers add, anybody reads; the four need not fit each other.
#pragma once

#include <atomic>
#include <cstdint>

namespace theta {

struct Progress {
  std::atomic<int64_t> read{0};
  std::atomic<int64_t> hashed{0};
  std::atomic<int64_t> written{0};
  /// By copy tasks; these bytes are in none of the others but `hashed`.
  std::atomic<int64_t> copied{0};

  static void add(std::atomic<int64_t>& counter, int64_t bytes) { counter.fetch_add(bytes, std::memory_order_relaxed); }
};

}  // namespace theta
