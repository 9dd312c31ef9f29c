// The evaluator's chunks as ranges of files, with digests taken while the bytes are in the cache.
#pragma once

#include "../cpu/evaluate.h"
#include "../io/output_sink.h"
#include "task.h"
#include "worker.h"

namespace theta {

class FileSource : public ChunkSource {
 public:
  FileSource(const ComputeTask& task, Worker& worker);

  void read(std::span<const ReadRequest> requests) override;

  /// One an input, nothing where none was asked for. Call it when the evaluator is done: uses the arena.
  std::vector<std::optional<Digest>> digests();

 private:
  void read_slices(std::span<const ReadRequest> requests, int64_t slice);
  /// Of an input that the program did not read to its end, such as one whose weight is 0.
  void hash_rest(size_t input);

  const ComputeTask& task_;
  Worker& worker_;
  std::vector<Sha256> messages_;
  std::vector<int64_t> hashed_;
};

class FileSink : public ChunkSink {
 public:
  FileSink(Place place, Worker& worker) : sink_(place.fd, static_cast<uint64_t>(place.offset)), worker_(worker) {}

  void write(int64_t begin, const std::byte* from, int64_t bytes) override;
  Digest finish();

 private:
  OutputSink sink_;
  Sha256 message_;
  Worker& worker_;
};

}  // namespace theta
