// A file that no other process can find, and whose blocks go back with its descriptor, also when the process is killed.
#pragma once

#include <string>

#include "transfer.h"

namespace theta {

/// As read_exactly(), of a file that this process has written and nobody else can: its errors are not those of an
/// input.
void read_again(int fd, MutableBytes into, uint64_t at);

class NamelessFile {
 public:
  /// Throws IoError.
  explicit NamelessFile(const std::string& folder);
  ~NamelessFile();
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  /// Throw IoError; that of read() does not look like an input's.
  void write(Bytes bytes, uint64_t at) const;
  void read(MutableBytes into, uint64_t at) const;

 private:
  const int fd_;
};

}  // namespace theta
