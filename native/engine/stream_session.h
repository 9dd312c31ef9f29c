// Hash and copy tasks: payloads that only pass through. Several payloads run side by side on one thread, of one task or
// of more, as many as SHA-256 is fastest with. Ends when there is nothing left to begin.
#pragma once

#include <functional>
#include <memory>

#include "../io/output_sink.h"
#include "../io/read_ahead.h"
#include "job.h"
#include "worker.h"

namespace theta {

class StreamSession {
 public:
  /// `more` gives another hash or copy job, or null; `done` takes each job when it is finished, failed ones included.
  StreamSession(Worker& worker, std::function<std::unique_ptr<Job>()> more,
                std::function<void(std::unique_ptr<Job>)> done);

  void run(std::unique_ptr<Job> first);

  static int64_t buffer_bytes(const EvaluateOptions& options);

 private:
  /// A job with some payloads under way.
  struct OpenJob {
    std::unique_ptr<Job> job;
    size_t payloads;
    size_t started = 0;
    size_t running = 0;
  };

  struct Lane {
    OpenJob* open = nullptr;
    size_t payload = 0;
    Place from{};
    int64_t left = 0;
    ReadAhead ahead{-1, 0, 0};
    Sha256 message;
    std::optional<OutputSink> sink;
    std::byte* room = nullptr;
    /// Bytes of this round.
    MutableBytes slice;
  };

  void open(std::unique_ptr<Job> job);
  bool start(Lane& lane);
  void read(Lane& lane);
  void write(Lane& lane);
  void count(Lane& lane);
  void end(Lane& lane);
  void close_finished();
  /// Calls `step`; what it throws becomes the error of the lane's job alone.
  template <typename Step>
  void guarded(Lane& lane, Step step);

  Worker& worker_;
  std::function<std::unique_ptr<Job>()> more_;
  std::function<void(std::unique_ptr<Job>)> done_;
  std::vector<std::unique_ptr<OpenJob>> open_;
  int64_t slice_;
};

}  // namespace theta
