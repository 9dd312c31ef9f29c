// Writes while its owner computes: a call that writes may wait for the disk long after it could have returned. What
// comes in while the disk is busy goes out together, which disks are faster at; its thread starts with the first.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "../io/output_sink.h"

namespace theta {

class BackgroundWriter {
 public:
  BackgroundWriter() = default;
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;
  ~BackgroundWriter();

  /// Appends to the sink, of which earlier ranges may be waiting; of another one, none may. Returns when at most
  /// `others` of those are not written yet: all before them may be overwritten. Throws what went wrong with one, once.
  void start(OutputSink& sink, Bytes bytes, size_t others);
  /// Returns when nothing is waiting. Throws what went wrong, once.
  void wait();
  /// The same for an owner that has failed anyway.
  void drain() noexcept;

 private:
  void wait_for(size_t left, std::unique_lock<std::mutex>& lock);
  void run();

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// Where the ranges go.
  OutputSink* sink_ = nullptr;
  /// Not written yet; some of the first are just being. After an error the others are dropped.
  std::deque<Bytes> ranges_;
  std::exception_ptr error_;
  bool closing_ = false;
};

}  // namespace theta
