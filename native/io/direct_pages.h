// Whole pages of a file written past the page cache (O_DIRECT): the disk takes them from our memory, so the system
// neither finds pages for them nor copies. The rest of the file may be written as usual meanwhile, but not these pages.
#pragma once

#include <cstdint>
#include <memory>

#include "../page.h"
#include "sha256.h"

namespace theta {

class DirectPages {
 public:
  /// Null where the file system does not say that it can (before Linux 6.1, tmpfs, many network file systems).
  static std::unique_ptr<DirectPages> open(int fd);
  ~DirectPages();
  DirectPages(const DirectPages&) = delete;
  DirectPages& operator=(const DirectPages&) = delete;

  /// Writes `pieces` behind each other at byte `offset`, in one call: whole pages, each at the beginning of one in
  /// memory, the first at the beginning of one in the file. False where it has not written all of them; an ordinary
  /// write will tell what is wrong.
  bool write(std::span<const Bytes> pieces, uint64_t offset);

 private:
  explicit DirectPages(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace theta
