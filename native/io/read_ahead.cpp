// See read_ahead.h.

#include "read_ahead.h"

#include <fcntl.h>

namespace theta {
namespace {

/// Linux cuts each request down to what the device reads ahead, silently; with its defaults to no less than this.
constexpr int64_t kAskedAtOnce = 128 << 10;

}  // namespace

void ReadAhead::ask(int64_t begin, int64_t end) const {
  for (; begin < end; begin += kAskedAtOnce) {
    posix_fadvise(fd_, begin, std::min(kAskedAtOnce, end - begin), POSIX_FADV_WILLNEED);
  }
}

}  // namespace theta
