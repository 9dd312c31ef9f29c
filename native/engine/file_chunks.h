// The evaluator's chunks as ranges of files, with digests taken while the bytes are in the cache.
#pragma once

#include "../cpu/evaluate.h"
#include "../io/read_ahead.h"
#include "output_meter.h"
#include "task.h"
#include "worker.h"

namespace theta {

/// Lives on when its task has made all of it, until it is hashed and written; what the task was given may be gone then.
class FileSink final : public ChunkSink {
 public:
  /// `meter`: sees every byte when it is handed in, or null.
  FileSink(const ComputeTask& task, OutputMeter* meter, const Worker& worker);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  std::byte* place(int64_t begin, int64_t bytes) override;
  /// Large payloads are written while what follows is made.
  void write(int64_t begin, const std::byte* from, int64_t bytes) override;
  /// Hashes what is left, waits until all is written, and throws what went wrong with it.
  Digest finish();

  /// Up to `bytes` of what was written and is not hashed yet, for whoever has something to pair it with.
  HashPiece take_unhashed(int64_t bytes);
  void hash_rest();

 private:
  const int64_t offset_;
  BackgroundWriter::Target target_;
  BackgroundWriter::Ticket last_ = 0;
  Sha256 message_;
  Bytes unhashed_;
  /// For less it is not worth waking a thread.
  static constexpr int64_t kSmallestInBackground = 1 << 20;
  const bool in_background_;
  OutputMeter* const meter_;
  BackgroundWriter& writer_;
  OutputRing& ring_;
  FileSink* const before_;
  Progress& progress_;
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
  void add_outputs(std::vector<HashPiece>& pieces, int64_t bytes);
  void read_slices(std::span<const ReadRequest> requests, int64_t slice);
  /// Of an input that the program did not read to its end, such as one whose weight is 0.
  void hash_rest(size_t input);

  const TaskSpec& spec_;
  const std::vector<Place>& places_;
  const std::vector<bool>& digests_;
  FileSink* const sink_;
  Worker& worker_;
  std::vector<ReadAhead> ahead_;
  std::vector<Sha256> messages_;
  std::vector<int64_t> hashed_;
};

}  // namespace theta
