// See file_chunks.h.

#include "file_chunks.h"

#include <algorithm>

#include "../io/nameless_file.h"

namespace theta {
namespace {

/// What is read of all inputs together before it is hashed: small enough to be in the second-level cache still.
constexpr int64_t kHashedAtOnce = 256 << 10;
constexpr int64_t kSmallestSlice = 16 << 10;
/// Without hashing: only bounds how long cancelling waits for a cold disk.
constexpr int64_t kReadAtOnce = 4 << 20;

}  // namespace

FileSource::FileSource(const TaskSpec& spec, const std::vector<Place>& places, const std::vector<bool>& digests,
                       FileSink* sink, Worker& worker)
    : spec_(spec),
      places_(places),
      digests_(digests),
      sink_(sink),
      worker_(worker),
      messages_(places.size()),
      hashed_(places.size(), 0) {
  for (size_t i = 0; i < places.size(); ++i) {
    ahead_.emplace_back(places[i].fd, places[i].offset, spec.inputs[i].bytes);
    ahead_.back().start();
  }
}

void FileSource::read(std::span<const ReadRequest> requests) {
  for (const ReadRequest& request : requests) {
    const auto input = size_t(request.input);
    if (request.first) ahead_[input].go_on(places_[input].offset + request.begin, request.bytes);
  }
  const bool hashing = std::any_of(requests.begin(), requests.end(), [&](const ReadRequest& r) { return hashes(r); });
  const auto inputs = static_cast<int64_t>(std::max<size_t>(requests.size(), 1));
  read_slices(requests, hashing ? std::max(kHashedAtOnce / inputs, kSmallestSlice) : kReadAtOnce);
}

/// Whether these are the next bytes of the digest: an input that is a factor may be loaded, too.
bool FileSource::hashes(const ReadRequest& request) const {
  const auto input = size_t(request.input);
  return request.for_digest && digests_[input] && hashed_[input] == request.begin;
}

/// As many bytes as of an input, so that all messages are equally long.
void FileSource::add_outputs(std::vector<HashPiece>& pieces, int64_t bytes) {
  if (sink_) pieces.push_back(sink_->take_unhashed(bytes));
  if (worker_.before) pieces.push_back(worker_.before->take_unhashed(bytes));
}

void FileSource::revisit(std::span<const ReadRequest> requests) {
  std::vector<HashPiece> pieces;
  int64_t longest = 0, hashed = 0;
  for (const ReadRequest& request : requests) {
    if (!hashes(request)) continue;
    const auto input = size_t(request.input);
    pieces.push_back({&messages_[input], Bytes(request.to, static_cast<size_t>(request.bytes))});
    hashed_[input] += request.bytes;
    hashed += request.bytes;
    longest = std::max(longest, request.bytes);
  }
  if (pieces.empty()) return;
  add_outputs(pieces, longest);
  update_all(pieces);
  Progress::add(worker_.progress.hashed, hashed);
}

void FileSource::read_slices(std::span<const ReadRequest> requests, int64_t slice) {
  std::vector<char> hashing(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) hashing[i] = hashes(requests[i]);
  std::vector<HashPiece> pieces;
  int64_t longest = 0;
  for (const ReadRequest& request : requests) longest = std::max(longest, request.bytes);
  for (int64_t done = 0; done < longest; done += slice) {
    worker_.stop_if_cancelled();
    pieces.clear();
    int64_t read = 0, hashed = 0;
    for (size_t i = 0; i < requests.size(); ++i) {
      const ReadRequest& request = requests[i];
      const int64_t bytes = std::min(slice, request.bytes - done);
      if (bytes <= 0) continue;
      const size_t input = size_t(request.input);
      const MutableBytes into(request.to + done, static_cast<size_t>(bytes));
      const auto at = static_cast<uint64_t>(places_[input].offset + request.begin + done);
      // What arithmetic knows no dtype of was written by a task before.
      if (spec_.work == Work::bytes || spec_.inputs[input].dtype) {
        read_exactly(places_[input].fd, into, at);
      } else {
        read_again(places_[input].fd, into, at);
      }
      read += bytes;
      if (hashing[i]) {
        pieces.push_back({&messages_[input], into});
        hashed_[input] += bytes;
        hashed += bytes;
      }
    }
    if (!pieces.empty()) add_outputs(pieces, slice);
    update_all(pieces);
    Progress::add(worker_.progress.read, read);
    Progress::add(worker_.progress.hashed, hashed);
  }
}

std::vector<std::optional<Digest>> FileSource::digests() {
  std::vector<std::optional<Digest>> digests(messages_.size());
  for (size_t i = 0; i < messages_.size(); ++i) {
    if (!digests_[i]) continue;
    hash_rest(i);
    digests[i] = messages_[i].finish();
  }
  return digests;
}

void FileSource::hash_rest(size_t input) {
  const int64_t bytes = spec_.inputs[input].bytes;
  if (hashed_[input] == bytes) return;
  const int64_t slice = std::min(kHashedAtOnce, worker_.options.memory_bytes);
  std::byte* buffer = worker_.arena.reserve(slice);
  while (hashed_[input] < bytes) {
    const int64_t begin = hashed_[input];
    ahead_[input].go_on(places_[input].offset + begin, std::min(slice, bytes - begin));
    const ReadRequest request{static_cast<int32_t>(input), begin, std::min(slice, bytes - begin), buffer, true, true};
    read_slices({&request, 1}, slice);
  }
}

FileSink::FileSink(const ComputeTask& task, OutputMeter* meter, const Worker& worker)
    : offset_(task.output.offset),
      target_(task.output.fd, static_cast<uint64_t>(task.output.offset), static_cast<uint64_t>(task.spec.output.bytes)),
      in_background_(task.spec.output.bytes >= kSmallestInBackground),
      meter_(meter),
      writer_(worker.writer),
      ring_(worker.ring),
      before_(worker.before),
      progress_(worker.progress) {}

FileSink::~FileSink() { writer_.wait_for(last_); }

std::byte* FileSink::place(int64_t begin, int64_t bytes) { return ring_.place(bytes, offset_ + begin); }

void FileSink::write(int64_t begin, const std::byte* from, int64_t bytes) {
  (void)begin;  // In order, each byte once: the sink knows where it stands.
  if (before_) before_->hash_rest();
  hash_rest();
  unhashed_ = Bytes(from, static_cast<size_t>(bytes));
  if (in_background_) {
    last_ = writer_.start(target_, unhashed_);
  } else {
    target_.sink.write({&unhashed_, 1});
  }
  ring_.keep(unhashed_, last_);
  if (meter_) meter_->add(unhashed_);
  Progress::add(progress_.written, bytes);
}

void FileSink::hash_rest() {
  const HashPiece rest = take_unhashed(static_cast<int64_t>(unhashed_.size()));
  message_.update(rest.data);
}

HashPiece FileSink::take_unhashed(int64_t bytes) {
  const Bytes taken = unhashed_.first(std::min(static_cast<size_t>(bytes), unhashed_.size()));
  unhashed_ = unhashed_.subspan(taken.size());
  Progress::add(progress_.hashed, static_cast<int64_t>(taken.size()));
  return {&message_, taken};
}

Digest FileSink::finish() {
  hash_rest();
  writer_.wait_for(last_);
  if (target_.error != nullptr) std::rethrow_exception(target_.error);
  target_.sink.finish();
  return message_.finish();
}

}  // namespace theta
