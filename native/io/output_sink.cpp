// See output_sink.h.

#include "output_sink.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

namespace theta {
namespace {

constexpr uint64_t kPushBlock = 16 << 20;
/// Below this a call of its own costs more than it saves; the fdatasync takes it along.
constexpr uint64_t kSmallestPush = 1 << 20;

}  // namespace

OutputSink::OutputSink(int fd, uint64_t offset, uint64_t bytes)
    : fd_(fd), written_(offset), pushed_(offset), end_(offset + bytes) {
  if (bytes >= kSmallestDirect) direct_ = DirectPages::open(fd);
}

void OutputSink::write(Bytes bytes) {
  const auto address = reinterpret_cast<uintptr_t>(bytes.data());
  if (direct_ && in_page(address) != in_page(written_ + begun_)) direct_.reset();
  if (direct_) {
    write_pages(bytes);
  } else {
    put_begun();
    put(bytes);
  }
}

void OutputSink::write_pages(Bytes bytes) {
  bytes = end_page(bytes);
  const Bytes ended(page_.data(), begun_ == kPage ? kPage : 0);
  const Bytes whole = bytes.first(bytes.size() - in_page(bytes.size()));
  const Bytes rest = bytes.subspan(whole.size());
  if (!direct_->write(ended, whole, written_)) {
    direct_.reset();
    write(bytes);
    return;
  }
  written_ += ended.size() + whole.size();
  pushed_ = written_;
  begun_ -= ended.size();
  std::memcpy(page_.data() + begun_, rest.data(), rest.size());
  begun_ += rest.size();
  // The page belongs to the next payload, too.
  if (written_ + begun_ == end_) put_begun();
}

/// Takes what the page lacks that was begun before; says what is left of `bytes`.
Bytes OutputSink::end_page(Bytes bytes) {
  const uint64_t at = in_page(written_ + begun_);
  if (at == 0) return bytes;
  const Bytes head = bytes.first(std::min<uint64_t>(kPage - at, bytes.size()));
  if (begun_ > 0) {
    std::memcpy(page_.data() + begun_, head.data(), head.size());
    begun_ += head.size();
  } else {
    // The page belongs to the payload before, too.
    put(head);
  }
  return bytes.subspan(head.size());
}

void OutputSink::put_begun() {
  const Bytes begun(page_.data(), begun_);
  begun_ = 0;
  put(begun);
}

void OutputSink::put(Bytes bytes) {
  write_exactly(fd_, bytes, written_);
  written_ += bytes.size();
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
