#include "arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../error.h"

namespace theta {

namespace {
constexpr int64_t kHugePage = int64_t{2} << 20;
}

Arena::~Arena() { release(); }

void Arena::release() {
  if (begin_) munmap(begin_, static_cast<size_t>(capacity_));
  begin_ = nullptr;
  capacity_ = 0;
}

std::byte* Arena::reserve(int64_t bytes) {
  if (bytes <= capacity_) return begin_;
  release();
  // Whole huge pages where they are worth it; the limit counts what was asked for, and pages never touched cost
  // nothing.
  const int64_t page = bytes >= kHugePage ? kHugePage : sysconf(_SC_PAGESIZE);
  const int64_t size = bytes > 0 ? (bytes + page - 1) / page * page : page;
  void* mapped = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    throw Error(ErrorCode::memory, "the system refuses " + std::to_string(size) + " bytes of memory for buffers");
  }
#ifdef MADV_HUGEPAGE
  madvise(mapped, static_cast<size_t>(size), MADV_HUGEPAGE);
#endif
  begin_ = static_cast<std::byte*>(mapped);
  capacity_ = size;
  return begin_;
}

}  // namespace theta
