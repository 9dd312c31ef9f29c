// Where the bytes of one payload go: into an already allocated file, and on to the disk in blocks, so that the
// fdatasync at the end finds little left to do. Hashing is the caller's, who may have something to pair it with.
#pragma once

#include "transfer.h"

namespace theta {

class OutputSink {
 public:
  /// `bytes`: how many write() will take altogether.
  OutputSink(int fd, uint64_t offset, uint64_t bytes)
      : fd_(fd), written_(offset), pushed_(offset), uncached_(bytes >= kSmallestUncached) {}

  /// Appends to the payload.
  void write(Bytes bytes);

  /// Starts writing out what write() left.
  void finish();

 private:
  void push();

  int fd_;
  /// Positions in the file: the end of what was written, and of what is on its way to the disk.
  uint64_t written_;
  uint64_t pushed_;
  /// Large payloads would take pages that the system must find for them, first of all those of the inputs, and on a
  /// virtual machine each page that it finds anew costs more than our arithmetic.
  bool uncached_;
  static constexpr uint64_t kSmallestUncached = 4 << 20;
};

}  // namespace theta
