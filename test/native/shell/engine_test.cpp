// The engine without Node, so that the sanitizers see its threads alone:
// npm run test:sanitize thread

#include "engine/engine.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

#include "../check.h"
#include "io/transfer.h"

namespace {

using namespace theta;

/// A file without a name.
class TemporaryFile {
 public:
  explicit TemporaryFile(Bytes bytes = {}) {
    std::string path = std::filesystem::temp_directory_path() / "theta-engine-test-XXXXXX";
    fd_ = mkstemp(path.data());
    unlink(path.c_str());
    write_exactly(fd_, bytes, 0);
  }
  ~TemporaryFile() { close(fd_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  Place at(int64_t offset) const { return {fd_, offset}; }

 private:
  int fd_;
};

/// An engine whose jobs can be waited for.
class Runner {
 public:
  explicit Runner(int32_t threads)
      : engine_({threads, 64 << 20, 1 << 20, Isa::plain}, [this] {
          const std::lock_guard lock(mutex_);
          ++notified_;
          changed_.notify_one();
        }) {}

  Engine& engine() { return engine_; }

  void submit(Task task) { engine_.submit(submitted_++, std::move(task)); }

  /// All that was submitted, by id.
  std::vector<std::unique_ptr<Job>> wait() {
    std::vector<std::unique_ptr<Job>> all(submitted_);
    size_t ended = 0;
    uint64_t seen = 0;
    while (ended < submitted_) {
      for (auto& job : engine_.take_finished()) {
        const uint64_t id = job->id;
        all[id] = std::move(job);
        ++ended;
      }
      std::unique_lock lock(mutex_);
      if (ended < submitted_) changed_.wait_for(lock, std::chrono::seconds(1), [&] { return notified_ != seen; });
      seen = notified_;
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t notified_ = 0;
  uint64_t submitted_ = 0;
  Engine engine_;
};

std::vector<std::byte> pattern(size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = std::byte((i * 31 + seed) & 0x7f);
  return bytes;
}

TensorDesc byte_tensor(size_t size) { return {std::nullopt, {static_cast<int64_t>(size)}, static_cast<int64_t>(size)}; }

}  // namespace

TEST(engine_hashes_and_copies_on_several_threads) {
  const auto bytes = pattern(1'500'000, 3);
  const TemporaryFile from(bytes), to;
  Runner runner(3);
  for (int i = 0; i < 40; ++i) {
    const size_t size = bytes.size() - static_cast<size_t>(i) * 30'000;
    if (i % 4 == 0) {
      runner.submit(CopyTask{from.at(0), to.at(i * 2'000'000), static_cast<int64_t>(size)});
    } else {
      runner.submit(HashTask{{{from.at(0), byte_tensor(size), true}, {from.at(5), byte_tensor(i), true}}});
    }
  }
  const auto jobs = runner.wait();
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Job& job = *jobs[i];
    CHECK(job.error == nullptr);
    const Digest wanted = sha256(Bytes(bytes).first(bytes.size() - i * 30'000));
    if (i % 4 == 0) {
      CHECK(job.result.digest == wanted);
    } else {
      CHECK(job.result.input_digests[0] == wanted);
      CHECK(job.result.input_digests[1] == sha256(Bytes(bytes).subspan(5, i)));
    }
  }
}

TEST(engine_computes_on_several_threads_and_alone) {
  const std::vector<float> values(300'000, 1.5f);
  const TemporaryFile from(std::as_bytes(std::span(values))), to;
  const TensorDesc tensor{Dtype::f32, {300'000}, 1'200'000};
  Runner runner(4);
  // With 40 inputs a chunk of each does not fit a thread's share.
  for (const int inputs : {2, 40, 3, 2, 40, 2, 5}) {
    ComputeTask task{};
    Sum sum{{}, {}, 1};
    for (int i = 0; i < inputs; ++i) {
      task.spec.program.operations.push_back(Load{i, false});
      task.spec.inputs.push_back(tensor);
      task.places.push_back(from.at(0));
      task.digests.push_back(i % 2 == 0);
      sum.of.push_back(i);
      sum.weights.push_back(1);
    }
    task.spec.program.operations.push_back(sum);
    task.spec.output = tensor;
    task.spec.work = Work::f32;
    task.spec.overflow = Overflow::inf;
    task.output = to.at(inputs * 1'200'000);
    runner.submit(std::move(task));
  }
  for (const auto& job : runner.wait()) {
    const auto inputs = static_cast<float>(std::get<ComputeTask>(job->task).places.size());
    const std::vector<float> wanted(values.size(), 1.5f * inputs);
    CHECK(job->error == nullptr);
    CHECK(job->result.digest == sha256(std::as_bytes(std::span(wanted))));
    CHECK(job->result.input_digests[0] == sha256(std::as_bytes(std::span(values))));
  }
}

TEST(engine_writes_what_it_hashes) {
  // More than one chunk, large enough to pass by the page cache where the system can, and not on a page's boundary.
  const int64_t count = 1'700'001;
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000);
  const auto stored = std::as_bytes(std::span(values));
  const TemporaryFile from(stored), to;
  const TensorDesc tensor{Dtype::f32, {count}, 4 * count};
  Runner runner(2);
  for (int i = 0; i < 3; ++i) {
    ComputeTask task{};
    // With statistics of the whole tensor too, after which the output is written from what was kept.
    task.spec.program.operations = {Load{0, false}, Magnitude{0, 0.5, Group::tensor, false, 1}, Select{0, 1}};
    if (i != 1) task.spec.program.operations = {Load{0, false}, Multiply{0, 1}};
    task.spec.inputs = {tensor};
    task.spec.output = tensor;
    task.spec.work = Work::f32;
    task.places = {from.at(0)};
    task.digests = {i != 2};
    task.output = to.at(13 + i * 4 * count);
    runner.submit(std::move(task));
  }
  const auto jobs = runner.wait();
  for (size_t i = 0; i < jobs.size(); ++i) {
    CHECK(jobs[i]->error == nullptr);
    std::vector<std::byte> written(stored.size());
    read_exactly(to.at(0).fd, written, 13 + i * stored.size());
    CHECK(jobs[i]->result.digest == sha256(written));
    CHECK((jobs[i]->result.digest == sha256(stored)) == (i != 1));
  }
}

TEST(engine_hashes_inputs_that_it_keeps) {
  // Large groups take several passes. A chunk of 1 MiB and 64 MiB of memory: all of these tensors is kept, of the last
  // only a part.
  for (const int64_t count : {70'000, 1'200'000, 5'000'000}) {
    const int inputs = 4;
    std::vector<float> values(static_cast<size_t>(inputs * count));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 1001) - 500;
    const auto stored = std::as_bytes(std::span(values));
    const TemporaryFile from(stored), to;
    const TensorDesc tensor{Dtype::f32, {count}, 4 * count};
    ComputeTask task{};
    Sum sum{{}, {}, 1};
    for (int i = 0; i < inputs; ++i) {
      task.spec.inputs.push_back(tensor);
      task.places.push_back(from.at(i * tensor.bytes));
      task.digests.push_back(true);
      const ValueId load = 3 * i;
      task.spec.program.operations.push_back(Load{i, false});
      task.spec.program.operations.push_back(Magnitude{load, 0.2, Group::tensor, false, 1});
      task.spec.program.operations.push_back(Select{load, load + 1});
      sum.of.push_back(load + 2);
      sum.weights.push_back(1);
    }
    task.spec.program.operations.push_back(sum);
    task.spec.output = tensor;
    task.spec.work = Work::f32;
    task.output = to.at(0);
    Runner runner(1);
    runner.submit(std::move(task));
    const auto jobs = runner.wait();
    CHECK(jobs[0]->error == nullptr);
    for (int i = 0; i < inputs; ++i) {
      const auto payload = stored.subspan(static_cast<size_t>(i * tensor.bytes), static_cast<size_t>(tensor.bytes));
      CHECK(jobs[0]->result.input_digests[static_cast<size_t>(i)] == sha256(payload));
    }
    std::vector<std::byte> written(static_cast<size_t>(tensor.bytes));
    read_exactly(to.at(0).fd, written, 0);
    CHECK(jobs[0]->result.digest == sha256(written));
  }
}

TEST(engine_ends_tasks_behind_the_next) {
  // Of all sizes, among them outputs that cannot be written; two threads, so that each has many one after the other.
  const std::vector<int64_t> counts = {600'000, 10, 1'000'003, 260'000, 1, 2'000'000, 70'000, 0};
  std::vector<float> values(2'000'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 977);
  const auto stored = std::as_bytes(std::span(values));
  const TemporaryFile from(stored), to;
  const int no_file = open("/dev/null", O_RDONLY);
  for (const bool cancels : {false, true}) {
    Runner runner(2);
    int64_t offset = 5;
    std::vector<int64_t> offsets;
    for (size_t i = 0; i < 4 * counts.size(); ++i) {
      const int64_t count = counts[i % counts.size()];
      const TensorDesc tensor{Dtype::f32, {count}, 4 * count};
      ComputeTask task{};
      task.spec.program.operations = {Load{0, false}, Multiply{0, 0.5}};
      task.spec.inputs = {tensor};
      task.spec.output = tensor;
      task.spec.work = Work::f32;
      task.places = {from.at(0)};
      task.digests = {i % 3 != 0};
      task.output = i % 5 == 1 ? Place{no_file, 0} : to.at(offset);
      offsets.push_back(offset);
      offset += tensor.bytes;
      runner.submit(std::move(task));
    }
    if (cancels) runner.engine().cancel();
    const auto jobs = runner.wait();
    for (size_t i = 0; i < jobs.size(); ++i) {
      const auto& task = std::get<ComputeTask>(jobs[i]->task);
      const auto bytes = static_cast<size_t>(task.spec.output.bytes);
      const bool fails = task.output.fd == no_file && bytes > 0;
      CHECK(cancels || (jobs[i]->error != nullptr) == fails);
      if (jobs[i]->error != nullptr) continue;
      std::vector<std::byte> written(bytes);
      if (bytes > 0) read_exactly(to.at(0).fd, written, static_cast<uint64_t>(offsets[i]));
      CHECK(jobs[i]->result.digest == sha256(written));
      if (task.digests[0]) CHECK(jobs[i]->result.input_digests[0] == sha256(stored.first(bytes)));
    }
  }
  close(no_file);
}

TEST(engine_cancels_and_closes_with_work_left) {
  const auto bytes = pattern(4'000'000, 1);
  const TemporaryFile from(bytes);
  for (int round = 0; round < 10; ++round) {
    Runner runner(3);
    for (int i = 0; i < 30; ++i) runner.submit(HashTask{{{from.at(0), byte_tensor(bytes.size()), true}}});
    std::this_thread::sleep_for(std::chrono::milliseconds(round));
    if (round % 2 == 0) runner.engine().cancel();
    if (round % 3 == 0) runner.engine().close();
    if (round % 2 != 0 && round % 3 != 0) continue;
    for (const auto& job : runner.wait()) {
      CHECK(job->error != nullptr || job->result.input_digests[0].has_value());
    }
  }
}
