// Where a task puts what it has to find again and has no memory for. Knows no file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace theta {

class ScratchSpace {
 public:
  virtual ~ScratchSpace() = default;
  /// Bytes from position `at` on; what lies between ranges that were written is unspecified. Throws, and evaluate()
  /// lets it through.
  virtual void write(int64_t at, std::span<const std::byte> from) = 0;
  /// Of a range that was written. Throws the same.
  virtual void read(int64_t at, std::span<std::byte> to) = 0;
  /// Throws Error(cancelled) when the task is to end: asked now and then by who works without reading inputs.
  virtual void stop_if_cancelled() = 0;
};

/// Of a task that is only looked at.
class NoScratch final : public ScratchSpace {
 public:
  void write(int64_t, std::span<const std::byte>) override {}
  void read(int64_t, std::span<std::byte>) override {}
  void stop_if_cancelled() override {}
};

}  // namespace theta
