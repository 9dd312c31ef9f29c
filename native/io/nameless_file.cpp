// See nameless_file.h.

#include "nameless_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "io_error.h"

namespace theta {
namespace {

class NotReadAgain : public IoError {
 public:
  explicit NotReadAgain(const IoError& cause)
      : IoError(cause.number, "scratch",
                std::string("what was put there for want of memory cannot be read again: ") + cause.what()) {}
};

template <typename Open>
int opened(Open open) {
  int fd = open();
  while (fd < 0 && errno == EINTR) fd = open();
  return fd;
}

/// Where the file system knows no file without a name (NFS, FUSE, overlays of old kernels): it has one for a moment.
/// One that a killed process left has the ending by which the store's garbage is known.
int open_and_unlink(const std::string& folder) {
  static std::atomic<uint64_t> count{0};
  std::string path;
  int fd;
  do {
    path = folder + "/scratch-" + std::to_string(getpid()) + "-" + std::to_string(count.fetch_add(1)) + ".partial";
    fd = opened([&] { return open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600); });
    // A name that exists may be that of a process with our number on another machine, or in another container.
  } while (fd < 0 && errno == EEXIST);
  if (fd < 0) throw IoError("open");
  if (unlink(path.c_str()) == 0) return fd;
  const IoError error("unlink");
  close(fd);
  throw error;
}

int open_nameless(const std::string& folder) {
#if defined(O_TMPFILE)
  const int fd = opened([&] { return open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); });
  if (fd >= 0) return fd;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) throw IoError("open");
#endif
  return open_and_unlink(folder);
}

}  // namespace

NamelessFile::NamelessFile(const std::string& folder) : fd_(open_nameless(folder)) {}

NamelessFile::~NamelessFile() { close(fd_); }

void NamelessFile::write(Bytes bytes, uint64_t at) const { write_exactly(fd_, bytes, at); }

void NamelessFile::read(MutableBytes into, uint64_t at) const { read_again(fd_, into, at); }

void read_again(int fd, MutableBytes into, uint64_t at) {
  try {
    read_exactly(fd, into, at);
  } catch (const IoError& error) {
    throw NotReadAgain(error);
  }
}

}  // namespace theta
