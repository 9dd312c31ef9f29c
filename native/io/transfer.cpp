// See transfer.h.

#include "transfer.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io_error.h"

namespace theta {

namespace {
/// RWF_DONTCACHE, which the headers of older systems lack.
constexpr int kUncached = 0x80;
}  // namespace

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

bool write_uncached(int fd, Bytes bytes, uint64_t offset) {
#if defined(__linux__)
  if (bytes.empty()) return true;
  const iovec range{const_cast<std::byte*>(bytes.data()), bytes.size()};
  ssize_t put = pwritev2(fd, &range, 1, static_cast<off_t>(offset), kUncached);
  if (put < 0 && (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS)) return false;
  // Interrupted, or cut short by a full disk: the ordinary way goes on, and says what is wrong.
  if (put < 0) put = 0;
  write_exactly(fd, bytes.subspan(static_cast<size_t>(put)), offset + static_cast<uint64_t>(put));
  return true;
#else
  return false;
#endif
}

void read_ahead(int fd, uint64_t offset, uint64_t bytes) {
  if (bytes > 0) posix_fadvise(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

}  // namespace theta
