// The evaluator's chunks as ranges of files, with digests taken while the bytes are in the cache.
#pragma once

#include "../cpu/evaluate.h"
#include "../io/output_sink.h"
#include "output_meter.h"
#include "task.h"
#include "worker.h"

namespace theta {

class FileSink : public ChunkSink {
 public:
  /// `meter`: sees every byte that is written, or null.
  FileSink(const ComputeTask& task, OutputMeter* meter, Worker& worker)
      : offset_(task.output.offset),
        sink_(task.output.fd, static_cast<uint64_t>(task.output.offset), static_cast<uint64_t>(task.spec.output.bytes)),
        in_background_(task.spec.output.bytes >= kSmallestInBackground),
        meter_(meter),
        worker_(worker) {}
  ~FileSink() override { worker_.writer.drain(); }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  int64_t position(int64_t begin) const override { return offset_ + begin; }
  /// Large payloads are written while the next chunks are made.
  void write(int64_t begin, const std::byte* from, int64_t bytes) override;
  Digest finish();

  /// Up to `bytes` of what was written and is not hashed yet, for whoever has something to pair it with.
  HashPiece take_unhashed(int64_t bytes);

 private:
  void hash_rest();

  const int64_t offset_;
  OutputSink sink_;
  Sha256 message_;
  Bytes unhashed_;
  /// For less it is not worth waking a thread.
  static constexpr int64_t kSmallestInBackground = 1 << 20;
  const bool in_background_;
  OutputMeter* const meter_;
  Worker& worker_;
};

class FileSource : public ChunkSource {
 public:
  /// Hashes along what `sink` has taken: a digest alone leaves half of the processor's unit idle.
  /// Without one, inputs are hashed with each other alone. `spec`, `places` and `digests` outlive it.
  FileSource(const TaskSpec& spec, const std::vector<Place>& places, const std::vector<bool>& digests, FileSink* sink,
             Worker& worker);

  void read(std::span<const ReadRequest> requests) override;
  void revisit(std::span<const ReadRequest> requests) override;

  /// One an input, nothing where none was asked for. Call it when the evaluator is done: uses the arena.
  std::vector<std::optional<Digest>> digests();

 private:
  bool hashes(const ReadRequest& request) const;
  void read_slices(std::span<const ReadRequest> requests, int64_t slice);
  /// Of an input that the program did not read to its end, such as one whose weight is 0.
  void hash_rest(size_t input);

  const TaskSpec& spec_;
  const std::vector<Place>& places_;
  const std::vector<bool>& digests_;
  FileSink* const sink_;
  Worker& worker_;
  std::vector<Sha256> messages_;
  std::vector<int64_t> hashed_;
};

}  // namespace theta
