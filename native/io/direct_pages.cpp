// See direct_pages.h.

#include "direct_pages.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace theta {
namespace {

#if defined(STATX_DIOALIGN) && defined(O_DIRECT)
bool takes_pages(int fd) {
  struct statx about;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &about) != 0 || !(about.stx_mask & STATX_DIOALIGN)) return false;
  const auto [memory, offset] = std::pair(about.stx_dio_mem_align, about.stx_dio_offset_align);
  return memory > 0 && offset > 0 && kPage % memory == 0 && kPage % offset == 0;
}

/// Another description of the same file, so that the caller's keeps its flags; -1 without /proc.
int reopen(int fd) {
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  return ::open(self.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
}
#else
bool takes_pages(int) { return false; }
int reopen(int) { return -1; }
#endif

}  // namespace

std::unique_ptr<DirectPages> DirectPages::open(int fd) {
  const int direct = takes_pages(fd) ? reopen(fd) : -1;
  return direct < 0 ? nullptr : std::unique_ptr<DirectPages>(new DirectPages(direct));
}

DirectPages::~DirectPages() { close(fd_); }

bool DirectPages::write(std::span<const Bytes> pieces, uint64_t offset) {
  std::vector<iovec> ranges;
  size_t bytes = 0;
  for (const Bytes piece : pieces) {
    if (piece.empty()) continue;
    ranges.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    bytes += piece.size();
  }
  if (bytes == 0) return true;
  const auto written = pwritev(fd_, ranges.data(), static_cast<int>(ranges.size()), static_cast<off_t>(offset));
  return written == static_cast<ssize_t>(bytes);
}

}  // namespace theta
