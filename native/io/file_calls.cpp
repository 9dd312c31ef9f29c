// See file_calls.h.

#include "file_calls.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#include "io_error.h"

namespace theta {
namespace {

/// Repeats a call that a signal interrupted.
template <typename Call>
auto retrying(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

void fallocate_file(int fd, uint64_t bytes) {
  if (bytes == 0) return;
  const auto length = static_cast<off_t>(bytes);
  if (retrying([&] { return fallocate(fd, 0, 0, length); }) == 0) return;
  // No reservation there (tmpfs before 3.5, NFS before 4.2, some FUSE): the length alone is all that can be had, and a
  // full disk shows at the write. glibc's posix_fallocate would write a byte into every block instead.
  if (errno != EOPNOTSUPP && errno != ENOSYS) throw IoError("fallocate");
  struct stat about;
  if (fstat(fd, &about) < 0) throw IoError("fstat");
  if (about.st_size >= length) return;
  if (retrying([&] { return ftruncate(fd, length); }) < 0) throw IoError("ftruncate");
}

bool reflink(int from, int to) {
  if (retrying([&] { return ioctl(to, FICLONE, from); }) == 0) return true;
  // ENOTTY and EINVAL come from file systems that do not know the call.
  if (errno == EOPNOTSUPP || errno == EXDEV || errno == ENOTTY || errno == EINVAL || errno == ENOSYS) return false;
  throw IoError("ioctl");
}

uint64_t unshared_bytes(int fd) {
  struct stat about;
  if (fstat(fd, &about) < 0) throw IoError("fstat");
  const uint64_t allocated = static_cast<uint64_t>(about.st_blocks) * 512;
  constexpr uint32_t kExtents = 256;
  struct alignas(fiemap) {
    std::byte bytes[sizeof(fiemap) + kExtents * sizeof(fiemap_extent)];
  } room = {};
  auto* const map = reinterpret_cast<fiemap*>(&room);
  uint64_t shared = 0;
  for (uint64_t start = 0;;) {
    *map = {};
    map->fm_start = start;
    map->fm_length = FIEMAP_MAX_OFFSET - start;
    map->fm_extent_count = kExtents;
    // A file system without the call has no shared blocks that it could tell of either.
    if (retrying([&] { return ioctl(fd, FS_IOC_FIEMAP, map); }) < 0) return allocated;
    for (uint32_t at = 0; at < map->fm_mapped_extents; ++at) {
      const fiemap_extent& extent = map->fm_extents[at];
      if (extent.fe_flags & FIEMAP_EXTENT_SHARED) shared += extent.fe_length;
      start = extent.fe_logical + extent.fe_length;
      if (extent.fe_flags & FIEMAP_EXTENT_LAST) return allocated > shared ? allocated - shared : 0;
    }
    if (map->fm_mapped_extents == 0) return allocated > shared ? allocated - shared : 0;
  }
}

bool exchange(const std::string& a, const std::string& b) {
  // The system call itself: musl has no renameat2.
  if (syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) return false;
  throw IoError("renameat2");
}

bool try_lock(int fd) {
  if (retrying([&] { return flock(fd, LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw IoError("flock");
}

void unlock(int fd) {
  if (retrying([&] { return flock(fd, LOCK_UN); }) < 0) throw IoError("flock");
}

uint64_t file_system_type(const std::string& path) {
  struct statfs about;
  if (retrying([&] { return statfs(path.c_str(), &about); }) < 0) throw IoError("statfs");
  return static_cast<uint32_t>(about.f_type);
}

const char* errno_name(int number) {
  switch (number) {
#define THETA_NAME(name) \
  case name:             \
    return #name;
    THETA_NAME(EACCES)
    THETA_NAME(EAGAIN)
    THETA_NAME(EBADF)
    THETA_NAME(EBUSY)
    THETA_NAME(EDQUOT)
    THETA_NAME(EEXIST)
    THETA_NAME(EFBIG)
    THETA_NAME(EINTR)
    THETA_NAME(EINVAL)
    THETA_NAME(EIO)
    THETA_NAME(EISDIR)
    THETA_NAME(ELOOP)
    THETA_NAME(EMFILE)
    THETA_NAME(ENAMETOOLONG)
    THETA_NAME(ENFILE)
    THETA_NAME(ENODATA)
    THETA_NAME(ENODEV)
    THETA_NAME(ENOENT)
    THETA_NAME(ENOLCK)
    THETA_NAME(ENOMEM)
    THETA_NAME(ENOSPC)
    THETA_NAME(ENOSYS)
    THETA_NAME(ENOTDIR)
    THETA_NAME(ENOTEMPTY)
    THETA_NAME(ENOTTY)
    THETA_NAME(ENXIO)
    THETA_NAME(EOPNOTSUPP)
    THETA_NAME(EOVERFLOW)
    THETA_NAME(EPERM)
    THETA_NAME(EPIPE)
    THETA_NAME(EROFS)
    THETA_NAME(ESPIPE)
    THETA_NAME(ESTALE)
    THETA_NAME(ETIMEDOUT)
    THETA_NAME(ETXTBSY)
    THETA_NAME(EXDEV)
#undef THETA_NAME
    default:
      return "UNKNOWN";
  }
}

}  // namespace theta
