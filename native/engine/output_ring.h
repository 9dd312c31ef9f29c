// Memory for chunks of outputs, one behind the other and round again, from task to task: a chunk stays where it was
// made until it has been hashed and written, which may be when its task has long made its last.
#pragma once

#include <deque>

#include "../cpu/arena.h"
#include "background_writer.h"

namespace theta {

class OutputRing {
 public:
  /// Chunks of `chunk_bytes` that fit; of smaller ones accordingly more.
  static constexpr int64_t kChunks = 8;
  /// One is made, one waits to be hashed, the others are being written.
  static constexpr int64_t kFewestChunks = 4;

  /// `bytes`: room for kFewestChunks of the largest chunks and a page each.
  OutputRing(BackgroundWriter& writer, int64_t bytes) : writer_(writer), bytes_(bytes) {}

  /// Room for a chunk of which the first byte comes to lie at `position` in a file, in its page as it will there; waits
  /// until what lies there has been written. What is not kept is given out again.
  std::byte* place(int64_t bytes, int64_t position);
  /// What was made at the last place stays until the ticket's range is written; 0: it is already.
  void keep(Bytes chunk, BackgroundWriter::Ticket ticket);

 private:
  struct Kept {
    const std::byte* begin;
    const std::byte* end;
    BackgroundWriter::Ticket ticket;
  };

  BackgroundWriter& writer_;
  const int64_t bytes_;
  Arena arena_;
  /// Where the next one begins.
  int64_t next_ = 0;
  /// In the order in which they were made.
  std::deque<Kept> kept_;
};

}  // namespace theta
