// See read_ahead.h.

#include "read_ahead.h"

#include <fcntl.h>

namespace theta {

void ReadAhead::ask(int64_t begin, int64_t end) const {
  if (begin < end) posix_fadvise(fd_, begin, end - begin, POSIX_FADV_WILLNEED);
}

}  // namespace theta
