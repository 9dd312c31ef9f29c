// How measuring reads a payload: in slices that stay in the second-level cache, with its digest on the way.
#pragma once

#include <optional>

#include "../io/read_ahead.h"
#include "../io/sha256.h"
#include "../io/transfer.h"
#include "task.h"
#include "worker.h"

namespace theta {

/// Of each payload. Two of these, and the blocks that they are widened to, fit the second-level cache.
inline constexpr int64_t kMeasuredAtOnce = 128 << 10;

/// Bytes [begin, begin + into.size()) of the payload.
inline void read_slice(const TaskInput& input, int64_t begin, MutableBytes into, Worker& worker) {
  const auto bytes = static_cast<int64_t>(into.size());
  const ReadAhead ahead(input.place.fd, input.place.offset, input.tensor.bytes);
  const int64_t at = input.place.offset + begin;
  if (begin == 0) ahead.start();
  ahead.go_on(at, bytes);
  read_exactly(input.place.fd, into, static_cast<uint64_t>(at));
  Progress::add(worker.progress.read, bytes);
}

/// The digest of a payload that passes slice by slice, when it is wanted.
class PassingDigest {
 public:
  explicit PassingDigest(bool wanted) : wanted_(wanted) {}

  void update(Bytes read, Worker& worker) {
    if (!wanted_) return;
    message_.update(read);
    Progress::add(worker.progress.hashed, static_cast<int64_t>(read.size()));
  }
  std::optional<Digest> finish() { return wanted_ ? std::optional(message_.finish()) : std::nullopt; }

 private:
  bool wanted_;
  Sha256 message_;
};

}  // namespace theta
