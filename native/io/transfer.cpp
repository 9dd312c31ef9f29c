// See transfer.h.

#include "transfer.h"

#include <unistd.h>

#include "io_error.h"

namespace theta {

void read_exactly(int fd, MutableBytes into, uint64_t offset) {
  const uint64_t wanted_end = offset + into.size();
  while (!into.empty()) {
    const ssize_t got = pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0) {
      if (errno == EINTR) continue;
      throw IoError("pread");
    }
    if (got == 0) throw FileEnded(wanted_end, offset);
    into = into.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
}

void write_exactly(int fd, Bytes bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0) {
      if (errno == EINTR) continue;
      throw IoError("pwrite");
    }
    bytes = bytes.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
}

}  // namespace theta
