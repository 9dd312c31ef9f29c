// Where the bytes of one payload go: into an already allocated file, and on to the disk in blocks, so that the
// fdatasync at the end finds little left to do. Hashing is the caller's, who may have something to pair it with.
#pragma once

#include <array>
#include <memory>

#include "direct_pages.h"
#include "transfer.h"

namespace theta {

class OutputSink {
 public:
  /// `bytes`: how many write() will take altogether.
  OutputSink(int fd, uint64_t offset, uint64_t bytes);
  OutputSink(const OutputSink&) = delete;
  OutputSink& operator=(const OutputSink&) = delete;

  /// Appends to the payload. Large payloads go to the disk without a copy while `bytes` lies in memory as it does in
  /// the file (`at_same_place_in_page`).
  void write(Bytes bytes);

  /// Starts writing out what write() left.
  void finish();

 private:
  void write_pages(Bytes bytes);
  Bytes end_page(Bytes bytes);
  void put_begun();
  void put(Bytes bytes);
  void push();

  static uint64_t in_page(uint64_t position) { return position % kPage; }

  int fd_;
  /// Positions in the file: the end of what was written, of what is on its way to the disk, and of the payload.
  uint64_t written_;
  uint64_t pushed_;
  uint64_t end_;
  /// For the pages that hold nothing else. Through the cache, the system must find pages for them, first of all those
  /// of the inputs, and on a virtual machine each page that it finds anew costs more than our arithmetic. Null: all
  /// goes through the cache.
  std::unique_ptr<DirectPages> direct_;
  /// The page that the last write() began and the next one ends, and how many bytes of it there are.
  alignas(kPage) std::array<std::byte, kPage> page_;
  uint64_t begun_ = 0;
  static constexpr uint64_t kSmallestDirect = 1 << 20;
};

}  // namespace theta
