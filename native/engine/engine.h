// Threads, their memory and one queue. A task runs on one thread from end to end: results cannot depend on how many
// there are. Knows no JavaScript; whoever makes the engine is told when something is finished and comes to fetch it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "file_chunks.h"
#include "job_queue.h"
#include "progress.h"
#include "worker.h"

namespace theta {

struct EngineOptions {
  int32_t threads;
  /// Of all tensor buffers together.
  int64_t memory_bytes;
  int64_t chunk_bytes;
  Isa isa;
  /// Folder for files that tasks make for want of memory; empty where there is none.
  std::string scratch = {};
};

class Engine {
 public:
  /// `notify` is called on the engine's threads whenever take_finished() has something new.
  Engine(const EngineOptions& options, std::function<void()> notify);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// What the task takes; of a rank task the memory alone. Throws Error(memory) when all of the engine's memory does
  /// not suffice, and Error(input) for a malformed program.
  TaskNeeds needs(const Task& task) const;
  /// How many such tasks run at a time. Throws the same.
  int32_t at_once(const Task& task) const;

  /// Queues the task; it comes back through take_finished() under `id`, whatever becomes of it. Tasks of a lower group
  /// run first. Throws as needs() does.
  void submit(uint64_t id, Task task, uint32_t group = 0);

  /// Jobs that ended since the last call, in the order in which they did.
  std::vector<std::unique_ptr<Job>> take_finished();

  /// Ends everything with Error(cancelled), and refuses what comes later with it.
  void cancel();

  /// Cancels what is left, joins the threads and frees the memory. May be called twice.
  void close();

  const Progress& progress() const { return progress_; }

 private:
  /// A compute job whose output is made but not yet all hashed and written: its thread goes on with another meanwhile.
  struct Ending {
    std::unique_ptr<Job> job;
    std::unique_ptr<FileSink> sink;
  };

  struct Thread {
    explicit Thread(int64_t ring_bytes) : ring(writer, ring_bytes) {}

    std::thread thread;
    Arena arena;
    BackgroundWriter writer;
    OutputRing ring;
    std::optional<Ending> ending;
  };

  TaskNeeds arena_needs(const Task& task) const;
  template <typename Work>
  TaskNeeds needs_in_share_or_all(const Work& task) const;
  int64_t chunk_bytes() const;
  int64_t ring_bytes() const;
  EvaluateOptions share() const;
  EvaluateOptions all_memory() const;
  bool runs_alone(const Task& task) const;
  bool may_start() const;
  std::unique_ptr<Job> pop_stream();
  void work(Thread& self);
  void run(std::unique_ptr<Job> job, Thread& self);
  void end(Thread& self);
  void finish(std::unique_ptr<Job> job);

  const EngineOptions options_;
  const std::function<void()> notify_;
  Progress progress_;
  std::atomic<bool> cancelled_{false};

  /// Guards everything below but the arenas, which belong to their threads; a task that runs alone has them all.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  JobQueue queue_;
  std::vector<std::unique_ptr<Job>> finished_;
  size_t running_ = 0;
  bool running_alone_ = false;
  bool closing_ = false;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace theta
