// See output_sink.h.

#include "output_sink.h"

#include <fcntl.h>

namespace theta {
namespace {

constexpr uint64_t kPushBlock = 16 << 20;
/// Below this a call of its own costs more than it saves; the fdatasync takes it along.
constexpr uint64_t kSmallestPush = 1 << 20;

}  // namespace

void OutputSink::write(Bytes bytes) {
  uncached_ = uncached_ && write_uncached(fd_, bytes, written_);
  if (!uncached_) write_exactly(fd_, bytes, written_);
  written_ += bytes.size();
  if (uncached_) pushed_ = written_;
  if (written_ - pushed_ >= kPushBlock) push();
}

void OutputSink::finish() {
  if (written_ - pushed_ >= kSmallestPush) push();
}

void OutputSink::push() {
#if defined(__linux__)
  // An early start only, so its result is of no interest: file systems without it refuse, and the fdatasync that
  // follows reports a failing disk.
  sync_file_range(fd_, static_cast<off_t>(pushed_), static_cast<off_t>(written_ - pushed_), SYNC_FILE_RANGE_WRITE);
#endif
  pushed_ = written_;
}

}  // namespace theta
