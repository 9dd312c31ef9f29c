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

  static constexpr size_t kMostRanges = 4;

  /// Appends `ranges`, at most kMostRanges, to the payload, one behind the other. Large payloads go to the disk without
  /// a copy, and in one call, while each range lies in memory as it does in the file (move_in_page()).
  void write(std::span<const Bytes> ranges);

  /// Starts writing out what write() left.
  void finish();

 private:
  size_t fitting(std::span<const Bytes> ranges) const;
  void write_pages(std::span<const Bytes> ranges);
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
  /// Pages of which one range has the beginning and the next one the rest; between calls the first, of which there are
  /// `begun_` bytes.
  alignas(kPage) std::array<std::array<std::byte, kPage>, kMostRanges + 1> pages_;
  uint64_t begun_ = 0;
  static constexpr uint64_t kSmallestDirect = 1 << 20;
};

}  // namespace theta
