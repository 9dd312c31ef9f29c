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

void OutputSink::write(std::span<const Bytes> ranges) {
  const size_t to_pages = direct_ ? fitting(ranges) : 0;
  if (to_pages > 0) write_pages(ranges.first(to_pages));
  if (to_pages == ranges.size()) return;
  direct_.reset();
  put_begun();
  for (const Bytes bytes : ranges.subspan(to_pages)) put(bytes);
}

/// How many of them lie in memory as they will in the file.
size_t OutputSink::fitting(std::span<const Bytes> ranges) const {
  uint64_t position = written_ + begun_;
  size_t count = 0;
  for (; count < ranges.size(); ++count) {
    if (in_page(reinterpret_cast<uintptr_t>(ranges[count].data())) != in_page(position)) break;
    position += ranges[count].size();
  }
  return count;
}

void OutputSink::write_pages(std::span<const Bytes> ranges) {
  std::array<Bytes, 2 * kMostRanges> pieces;
  size_t count = 0, page = 0;
  uint64_t position = written_ + begun_;
  for (Bytes bytes : ranges) {
    if (in_page(position) > 0) {
      const Bytes head = bytes.first(std::min<uint64_t>(kPage - in_page(position), bytes.size()));
      if (begun_ == 0) {
        // The page belongs to the payload before, too.
        put(head);
      } else {
        std::memcpy(pages_[page].data() + begun_, head.data(), head.size());
        begun_ += head.size();
      }
      if (begun_ == kPage) {
        pieces[count++] = pages_[page++];
        begun_ = 0;
      }
      position += head.size();
      bytes = bytes.subspan(head.size());
    }
    const Bytes rest = bytes.last(in_page(bytes.size()));
    pieces[count++] = bytes.first(bytes.size() - rest.size());
    std::memcpy(pages_[page].data() + begun_, rest.data(), rest.size());
    begun_ += rest.size();
    position += bytes.size();
  }
  if (direct_->write({pieces.data(), count}, written_)) {
    written_ = position - begun_;
    pushed_ = written_;
  } else {
    direct_.reset();
    for (const Bytes piece : std::span(pieces.data(), count)) put(piece);
  }
  std::memmove(pages_[0].data(), pages_[page].data(), begun_);
  // The page belongs to the next payload, too.
  if (written_ + begun_ == end_) put_begun();
}

void OutputSink::put_begun() {
  const Bytes begun(pages_[0].data(), begun_);
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
