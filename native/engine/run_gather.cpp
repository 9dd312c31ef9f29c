// See run_gather.h.

#include "run_gather.h"

#include <algorithm>

#include "../formula/order.h"
#include "../io/transfer.h"
#include "file_chunks.h"
#include "task_scratch.h"

namespace theta {
namespace {

/// Of a task that writes nothing.
class NoSink final : public ChunkSink {
 public:
  std::byte* place(int64_t, int64_t) override { return nullptr; }
  void write(int64_t, const std::byte*, int64_t) override {}
};

/// Shows the sampled elements of each input as if they were all.
class SampledSource final : public ChunkSource {
 public:
  SampledSource(const GatherTask& task, Worker& worker)
      : task_(task), worker_(worker), run_(std::min(task.sampling->run, task.sampled_from)) {}

  void read(std::span<const ReadRequest> requests) override {
    for (const ReadRequest& request : requests) {
      worker_.stop_if_cancelled();
      const int64_t size = size_of(*task_.spec.inputs[size_t(request.input)].dtype);
      const int64_t begin = request.begin / size, end = (request.begin + request.bytes) / size;
      for (int64_t at = begin; at < end;) {
        const int64_t rest = std::min(run_ - at % run_, end - at);
        const MutableBytes into(request.to + (at - begin) * size, static_cast<size_t>(rest * size));
        const Place& place = task_.places[size_t(request.input)];
        read_exactly(place.fd, into, static_cast<uint64_t>(place.offset + element(at) * size));
        at += rest;
      }
      Progress::add(worker_.progress.read, request.bytes);
    }
  }

 private:
  /// Where a sampled element lies in the tensor: runs at places in their periods that follow no pattern of it.
  int64_t element(int64_t sampled) const {
    const int64_t run = sampled / run_, period = std::min(task_.sampling->period, task_.sampled_from);
    const auto choices = static_cast<uint64_t>(period - run_ + 1);
    return run * period + static_cast<int64_t>(mix64(static_cast<uint64_t>(run)) % choices) + sampled % run_;
  }

  const GatherTask& task_;
  Worker& worker_;
  const int64_t run_;
};

}  // namespace

TaskResult run_gather(const GatherTask& task, Worker& worker) {
  NoSink sink;
  TaskScratch scratch(worker);
  TaskResult result;
  const auto run = [&](ChunkSource& source) {
    result.counters =
        evaluate(task.spec, source, sink, scratch, worker.arena, worker.options, worker.kernels, worker.cancelled);
  };
  if (task.sampling) {
    SampledSource source(task, worker);
    run(source);
    result.input_digests.resize(task.places.size());
    return result;
  }
  FileSource source(task.spec, task.places, task.digests, nullptr, worker);
  run(source);
  result.input_digests = source.digests();
  return result;
}

}  // namespace theta
