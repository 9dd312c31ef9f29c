// SHA-256 of bytes that pass by: a streaming object, and a way to advance several messages at once. SHA-256 is serial
// within a message, so one message leaves most of the unit idle; interleaved messages run at up to 2.5 times the speed.
// Knows nothing of files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace theta {

using Digest = std::array<uint8_t, 32>;
using Bytes = std::span<const std::byte>;

/// `sha256:` and 64 hexadecimal digits, the form of a digest everywhere in theta.
std::string digest_text(const Digest& digest);

class Sha256 {
 public:
  Sha256();

  void update(Bytes data);

  /// Ends the message; the object must not be updated afterwards.
  Digest finish();

 private:
  /// Advances as many messages as the kernel takes, together as far as all have blocks, then each alone.
  friend void update_together(std::span<const struct HashPiece> pieces);

  /// Takes bytes into the buffer until it is empty or data is; gives back what is left of data.
  Bytes fill_buffer(Bytes data);
  void keep_tail(Bytes data);
  /// What fill_buffer() gave back.
  void update_aligned(Bytes data);
  void advance(Bytes data, size_t blocks);

  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  size_t buffered_ = 0;
  uint64_t total_ = 0;
};

/// One message's next bytes.
struct HashPiece {
  Sha256* message;
  Bytes data;
};

/// Advances every message by its piece, as many together as the processor is good for, so that as few bytes as possible
/// are hashed alone. Uses up the pieces, and leaves them in any order.
void update_all(std::span<HashPiece> pieces);

Digest sha256(Bytes data);

/// Messages that are advanced together, at most.
size_t sha256_lanes();

/// Which kernel this processor gets: "sha-ni-avx512", "sha-ni" or "plain". `THETA_SHA256` forces one that it can run,
/// for tests.
const char* sha256_kernel();

}  // namespace theta
