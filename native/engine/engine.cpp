// See engine.h.

#include "engine.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "../page.h"
#include "run_compute.h"
#include "run_gather.h"
#include "run_measure.h"
#include "run_rank.h"
#include "stream_session.h"

namespace theta {
namespace {

/// With less, chunks get so small that more threads make it slower: there are fewer threads instead.
constexpr int64_t kSmallestShare = 16 << 20;
/// Of a thread's memory, at most, for the chunks of its outputs.
constexpr int64_t kRingShare = 8;

/// Threads inherit the mask of their maker: signals stay with Node's threads.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

int32_t useful_threads(const EngineOptions& options) {
  const int64_t fitting = std::max<int64_t>(1, options.memory_bytes / kSmallestShare);
  return static_cast<int32_t>(std::clamp<int64_t>(options.threads, 1, fitting));
}

EngineOptions with_useful_threads(EngineOptions options) {
  options.threads = useful_threads(options);
  return options;
}

bool is_stream(const Task& task) {
  return std::holds_alternative<HashTask>(task) || std::holds_alternative<CopyTask>(task);
}

/// Of a task that runs a program.
const TaskSpec* spec_of(const Task& task) {
  if (const auto* compute = std::get_if<ComputeTask>(&task)) return &compute->spec;
  const auto* gather = std::get_if<GatherTask>(&task);
  return gather == nullptr ? nullptr : &gather->spec;
}

/// Any task but a stream.
Computed run_task(const Task& task, Worker& worker) {
  if (const auto* find = std::get_if<FindTask>(&task)) {
    return {{.found = find_elements(find->parts, find->ranks)}, nullptr};
  }
  if (const auto* measure = std::get_if<MeasureTask>(&task)) return {run_measure(*measure, worker), nullptr};
  if (const auto* compare = std::get_if<CompareTask>(&task)) return {run_compare(*compare, worker), nullptr};
  if (const auto* gather = std::get_if<GatherTask>(&task)) return {run_gather(*gather, worker), nullptr};
  if (const auto* rank = std::get_if<RankTask>(&task)) return {run_rank(*rank, worker), nullptr};
  return run_compute(std::get<ComputeTask>(task), worker);
}

}  // namespace

Engine::Engine(const EngineOptions& options, std::function<void()> notify)
    : options_(with_useful_threads(options)), notify_(std::move(notify)) {
  const SignalsBlocked blocked;
  for (int32_t i = 0; i < options_.threads; ++i) threads_.push_back(std::make_unique<Thread>(ring_bytes()));
  try {
    for (auto& thread : threads_) {
      thread->thread = std::thread([this, &thread = *thread] { work(thread); });
    }
  } catch (const std::system_error& error) {
    close();
    throw Error(ErrorCode::memory, std::string("the system gives no more threads: ") + error.what());
  }
}

Engine::~Engine() { close(); }

int64_t Engine::chunk_bytes() const {
  const int64_t most = options_.memory_bytes / options_.threads / kRingShare / OutputRing::kFewestChunks;
  return std::clamp<int64_t>(most, kWidestElement, options_.chunk_bytes);
}

int64_t Engine::ring_bytes() const {
  const int64_t room = room_to_move(chunk_bytes()), share = options_.memory_bytes / options_.threads;
  return std::clamp(share / kRingShare, OutputRing::kFewestChunks * room, OutputRing::kChunks * room);
}

EvaluateOptions Engine::share() const {
  return {options_.memory_bytes / options_.threads - ring_bytes(), chunk_bytes()};
}

EvaluateOptions Engine::all_memory() const {
  return {options_.memory_bytes - options_.threads * ring_bytes(), chunk_bytes()};
}

TaskNeeds Engine::needs(const Task& task) const {
  TaskNeeds needs = arena_needs(task);
  if (std::holds_alternative<ComputeTask>(task)) needs.memory += ring_bytes();
  return needs;
}

int32_t Engine::at_once(const Task& task) const { return runs_alone(task) ? 1 : options_.threads; }

bool Engine::runs_alone(const Task& task) const { return arena_needs(task).memory > share().memory_bytes; }

TaskNeeds Engine::arena_needs(const Task& task) const {
  const TaskSpec* spec = spec_of(task);
  if (const auto* rank = std::get_if<RankTask>(&task)) return needs_in_share_or_all(*rank);
  if (is_stream(task)) return {StreamSession::buffer_bytes(share()), 0};
  if (const auto* find = std::get_if<FindTask>(&task)) return {find_peak_bytes(find->ranks), 0};
  if (spec == nullptr) return {measure_buffer_bytes(share()), 0};
  return needs_in_share_or_all(*spec);
}

/// Of what runs a program: in a thread's share, else in all the memory.
template <typename Work>
TaskNeeds Engine::needs_in_share_or_all(const Work& task) const {
  try {
    return needs_of(task, share());
  } catch (const Error& error) {
    if (error.code != ErrorCode::memory) throw;
    return needs_of(task, all_memory());
  }
}

void Engine::submit(uint64_t id, Task task, uint32_t group) {
  const bool alone = runs_alone(task);
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || cancelled_) throw Error(ErrorCode::cancelled, "the engine takes no more work: it was cancelled");
    queue_.push(std::make_unique<Job>(Job{id, std::move(task), alone, {}, nullptr}), group);
  }
  changed_.notify_one();
}

std::vector<std::unique_ptr<Job>> Engine::take_finished() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void Engine::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    const auto error = std::make_exception_ptr(Error(ErrorCode::cancelled, "the work was cancelled"));
    while (!queue_.empty()) {
      finished_.push_back(queue_.pop());
      finished_.back()->error = error;
    }
  }
  notify_();
}

void Engine::close() {
  cancel();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) {
    if (thread->thread.joinable()) thread->thread.join();
    thread->arena.release();
  }
}

bool Engine::may_start() const {
  if (queue_.empty() || running_alone_) return false;
  return running_ == 0 || !queue_.first().alone;
}

/// A second payload for a thread that is streaming one, unless an idle thread would start it right away.
std::unique_ptr<Job> Engine::pop_stream() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() || running_ < threads_.size() || !is_stream(queue_.first().task)) return nullptr;
  return queue_.pop();
}

void Engine::work(Thread& self) {
  pthread_setname_np(pthread_self(), "theta");
  set_default_floating_point_environment();
  std::unique_lock lock(mutex_);
  while (true) {
    if (closing_ || !may_start()) {
      lock.unlock();
      end(self);
      lock.lock();
    }
    changed_.wait(lock, [this] { return closing_ || may_start(); });
    if (closing_) return;
    auto job = queue_.pop();
    ++running_;
    running_alone_ = job->alone;
    if (job->alone) {
      for (auto& other : threads_) other->arena.release();
    }
    lock.unlock();
    run(std::move(job), self);
    lock.lock();
    --running_;
    if (running_alone_) {
      running_alone_ = false;
      self.arena.release();
    }
    changed_.notify_all();
  }
}

/// The job before has had until now to be written.
void Engine::run(std::unique_ptr<Job> job, Thread& self) {
  if (is_stream(job->task)) end(self);
  Worker worker{self.arena,
                self.writer,
                self.ring,
                self.ending ? &*self.ending->sink : nullptr,
                job->alone ? all_memory() : share(),
                options_.scratch,
                kernels_for(options_.isa),
                progress_,
                cancelled_};
  if (is_stream(job->task)) {
    StreamSession session(
        worker, [this] { return pop_stream(); }, [this](auto ended) { finish(std::move(ended)); });
    session.run(std::move(job));
    return;
  }
  std::unique_ptr<FileSink> sink;
  try {
    Computed computed = run_task(job->task, worker);
    job->result = std::move(computed.result);
    sink = std::move(computed.sink);
  } catch (...) {
    job->error = std::current_exception();
  }
  end(self);
  if (sink == nullptr) return finish(std::move(job));
  self.ending.emplace(Ending{std::move(job), std::move(sink)});
}

void Engine::end(Thread& self) {
  if (!self.ending) return;
  auto [job, sink] = *std::exchange(self.ending, std::nullopt);
  try {
    job->result.digest = sink->finish();
  } catch (...) {
    job->error = std::current_exception();
  }
  // Whoever gets the job may close its files.
  sink.reset();
  finish(std::move(job));
}

void Engine::finish(std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    finished_.push_back(std::move(job));
  }
  notify_();
}

}  // namespace theta
