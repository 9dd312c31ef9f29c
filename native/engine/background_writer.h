// Writes while its owner computes: a call that writes may wait for the disk long after it could have returned. Ranges
// go out a few at a time, because disks take 2 MiB up to twice as fast as four times 512 KiB. Its thread starts with
// the first.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "../io/output_sink.h"

namespace theta {

class BackgroundWriter {
 public:
  /// Where ranges go. Outlives what is on its way there.
  struct Target {
    Target(int fd, uint64_t offset, uint64_t bytes) : sink(fd, offset, bytes) {}
    OutputSink sink;
    /// What went wrong; ranges that came later were dropped. To be read behind wait_for() of the last range.
    std::exception_ptr error = nullptr;
  };
  /// Of one range. Ranges are written in the order in which they came, so those of a ticket and all before are done
  /// together. None has ticket 0.
  using Ticket = uint64_t;

  BackgroundWriter() = default;
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;
  /// Writes what is left.
  ~BackgroundWriter();

  /// Appends to the target; the bytes stay as they are until wait_for() has returned. Throws what went wrong with an
  /// earlier range of it.
  Ticket start(Target& target, Bytes bytes);
  /// Returns when the range has been written or dropped.
  void wait_for(Ticket ticket) noexcept;

 private:
  struct Range {
    Target* target;
    Bytes bytes;
  };

  void start_thread();
  bool is_worth_writing() const;
  std::size_t fitting() const;
  void run();

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// Not written yet; some of the first are just being.
  std::deque<Range> ranges_;
  /// The last ticket that was given out, that was done, and that somebody waits for.
  Ticket last_ = 0, done_ = 0, awaited_ = 0;
  bool closing_ = false;
};

}  // namespace theta
