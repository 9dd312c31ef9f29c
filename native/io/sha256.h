// SHA-256 of bytes that pass by: a streaming object, and ways to advance several messages at once. SHA-256 is serial
// within a message, so one message leaves half of the unit idle; two interleaved messages run at about twice the speed.
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

  /// Advances two messages by the same calls to the processor as far as both have bytes, then each alone.
  friend void update_pair(Sha256& a, Bytes data_a, Sha256& b, Bytes data_b);

 private:
  /// Takes bytes into the buffer until it is empty or data is; gives back what is left of data.
  Bytes fill_buffer(Bytes data);
  void keep_tail(Bytes data);

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

/// Advances every message by its piece, two at a time, so that as few bytes as possible are hashed alone. Uses up the
/// pieces.
void update_all(std::span<HashPiece> pieces);

Digest sha256(Bytes data);

/// Which kernel this processor gets: "sha-ni" or "plain". `THETA_SHA256=plain` forces the latter, for tests.
const char* sha256_kernel();

}  // namespace theta
