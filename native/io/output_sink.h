// Where the bytes of one payload go: into an already allocated file, and on to the disk in blocks, so that the
// fdatasync at the end finds little left to do. Hashing is the caller's, who may have something to pair it with.
#pragma once

#include "transfer.h"

namespace theta {

class OutputSink {
 public:
  OutputSink(int fd, uint64_t offset) : fd_(fd), written_(offset), pushed_(offset) {}

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
};

}  // namespace theta
