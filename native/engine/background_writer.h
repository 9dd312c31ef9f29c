// Writes while its owner computes: a call that writes may wait for the disk long after it could have returned. One
// range at a time; its thread starts with the first.
#pragma once

#include <condition_variable>
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

  /// Appends to the sink. Call it when nothing is being written; neither sink nor bytes may be touched before wait().
  void start(OutputSink& sink, Bytes bytes);
  /// Returns when nothing is being written. Throws what went wrong with the last range, once.
  void wait();
  /// The same for an owner that has failed anyway.
  void drain() noexcept;

 private:
  void run();

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// Null when nothing is being written.
  OutputSink* sink_ = nullptr;
  Bytes bytes_;
  std::exception_ptr error_;
  bool closing_ = false;
};

}  // namespace theta
