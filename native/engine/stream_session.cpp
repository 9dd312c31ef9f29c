// See stream_session.h.

#include "stream_session.h"

#include <algorithm>
#include <utility>

#include "../cpu/chunk_reader.h"

namespace theta {
namespace {

/// Those of all lanes stay in the second-level cache between reading and hashing.
constexpr int64_t kSlice = 128 << 10;

/// Whole elements of any dtype.
int64_t slice_of(const EvaluateOptions& options) {
  return std::clamp<int64_t>(options.chunk_bytes / 64 * 64, 64, kSlice);
}

}  // namespace

StreamSession::StreamSession(Worker& worker, std::function<std::unique_ptr<Job>()> more,
                             std::function<void(std::unique_ptr<Job>)> done)
    : worker_(worker), more_(std::move(more)), done_(std::move(done)), slice_(slice_of(worker.options)) {}

int64_t StreamSession::buffer_bytes(const EvaluateOptions& options) {
  return static_cast<int64_t>(sha256_lanes()) * slice_of(options);
}

void StreamSession::run(std::unique_ptr<Job> first) {
  std::vector<Lane> lanes(sha256_lanes());
  try {
    std::byte* room = worker_.arena.reserve(buffer_bytes(worker_.options));
    for (Lane& lane : lanes) lane.room = std::exchange(room, room + slice_);
  } catch (...) {
    // Other jobs are left to be tried in turn.
    first->error = std::current_exception();
    done_(std::move(first));
    return;
  }
  open(std::move(first));
  close_finished();
  while (true) {
    std::vector<HashPiece> pieces;
    for (Lane& lane : lanes) {
      if (lane.open == nullptr && !start(lane)) continue;
      guarded(lane, [&] { read(lane); });
      if (lane.open != nullptr) pieces.push_back({&lane.message, lane.slice});
    }
    if (pieces.empty() && open_.empty()) return;
    update_all(pieces);
    for (Lane& lane : lanes) {
      if (lane.open == nullptr) continue;
      Progress::add(worker_.progress.hashed, static_cast<int64_t>(lane.slice.size()));
      guarded(lane, [&] { write(lane); });
      if (lane.open != nullptr && lane.left == 0) end(lane);
    }
    close_finished();
  }
}

void StreamSession::open(std::unique_ptr<Job> job) {
  const auto* hash = std::get_if<HashTask>(&job->task);
  const size_t payloads = hash != nullptr ? hash->inputs.size() : 1;
  if (hash != nullptr) {
    job->result.input_digests.resize(payloads);
    job->result.counters.inputs.resize(payloads);
  }
  open_.push_back(std::make_unique<OpenJob>(OpenJob{std::move(job), payloads}));
}

/// Gives the lane the next payload that nobody has begun; false when there is none.
bool StreamSession::start(Lane& lane) {
  const auto waiting = [](const auto& open) { return open->job->error == nullptr && open->started < open->payloads; };
  auto found = std::find_if(open_.begin(), open_.end(), waiting);
  if (found == open_.end()) {
    auto job = more_();
    if (job == nullptr) return false;
    open(std::move(job));
    found = open_.end() - 1;
    if (!waiting(*found)) return false;
  }
  lane.open = found->get();
  lane.payload = lane.open->started++;
  ++lane.open->running;
  lane.message = Sha256();
  lane.sink.reset();
  if (const auto* copy = std::get_if<CopyTask>(&lane.open->job->task)) {
    lane.from = copy->from;
    lane.left = copy->bytes;
    lane.sink.emplace(copy->to.fd, static_cast<uint64_t>(copy->to.offset), static_cast<uint64_t>(copy->bytes));
  } else {
    const TaskInput& input = std::get<HashTask>(lane.open->job->task).inputs[lane.payload];
    lane.from = input.place;
    lane.left = input.tensor.bytes;
  }
  lane.ahead = ReadAhead(lane.from.fd, lane.from.offset, lane.left);
  lane.ahead.start();
  return true;
}

void StreamSession::read(Lane& lane) {
  worker_.stop_if_cancelled();
  // The other payload of the job has failed: this one is of no use any more.
  if (lane.open->job->error != nullptr) std::rethrow_exception(lane.open->job->error);
  const int64_t bytes = std::min(lane.left, slice_);
  lane.slice = MutableBytes(lane.room, static_cast<size_t>(bytes));
  lane.ahead.go_on(lane.from.offset, bytes);
  read_exactly(lane.from.fd, lane.slice, static_cast<uint64_t>(lane.from.offset));
  lane.from.offset += bytes;
  lane.left -= bytes;
}

void StreamSession::write(Lane& lane) {
  const auto bytes = static_cast<int64_t>(lane.slice.size());
  if (!lane.sink) {
    Progress::add(worker_.progress.read, bytes);
    count(lane);
    return;
  }
  lane.sink->write(std::array{Bytes(lane.slice)});
  Progress::add(worker_.progress.copied, bytes);
}

void StreamSession::count(Lane& lane) {
  Job& job = *lane.open->job;
  const TaskInput& input = std::get<HashTask>(job.task).inputs[lane.payload];
  if (!input.tensor.dtype) return;
  const int64_t size = size_of(*input.tensor.dtype);
  const auto bytes = static_cast<int64_t>(lane.slice.size());
  const int64_t done = input.tensor.bytes - lane.left - bytes;
  count_not_finite_elements(worker_.kernels, *input.tensor.dtype, lane.slice.data(), bytes / size, done / size,
                            job.result.counters.inputs[lane.payload]);
}

void StreamSession::end(Lane& lane) {
  TaskResult& result = lane.open->job->result;
  if (lane.sink) {
    lane.sink->finish();
    result.digest = lane.message.finish();
  } else if (std::get<HashTask>(lane.open->job->task).inputs[lane.payload].digest) {
    result.input_digests[lane.payload] = lane.message.finish();
  }
  --lane.open->running;
  lane.open = nullptr;
}

template <typename Step>
void StreamSession::guarded(Lane& lane, Step step) {
  try {
    step();
  } catch (...) {
    if (lane.open->job->error == nullptr) lane.open->job->error = std::current_exception();
    --lane.open->running;
    lane.open = nullptr;
  }
}

void StreamSession::close_finished() {
  const auto finished = [](const std::unique_ptr<OpenJob>& open) {
    return open->running == 0 && (open->job->error != nullptr || open->started == open->payloads);
  };
  for (auto& open : open_) {
    if (finished(open)) done_(std::move(open->job));
  }
  std::erase_if(open_, [](const std::unique_ptr<OpenJob>& open) { return open->job == nullptr; });
}

}  // namespace theta
