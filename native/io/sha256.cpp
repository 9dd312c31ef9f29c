// The streaming side of SHA-256 and the choice of the kernel. The blocks themselves are in sha256_*.cpp.

#include "sha256.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "sha256_kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace theta {
namespace {

constexpr size_t kBlock = 64;

void pairs_one_by_one(uint32_t* state_a, const uint8_t* data_a, uint32_t* state_b, const uint8_t* data_b,
                      size_t blocks) {
  sha256_blocks_plain(state_a, data_a, blocks);
  sha256_blocks_plain(state_b, data_b, blocks);
}

struct Kernel {
  const char* name;
  Sha256Blocks blocks;
  Sha256BlockPairs pairs;
};

#if defined(__x86_64__)
bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  const bool shuffles = (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return shuffles && (b & bit_SHA) != 0;
}
#endif

Kernel choose_kernel() {
  const char* forced = std::getenv("THETA_SHA256");
  const bool plain = forced != nullptr && std::string_view(forced) == "plain";
#if defined(__x86_64__)
  if (!plain && has_sha_instructions()) return {"sha-ni", sha256_blocks_ni, sha256_block_pairs_ni};
#endif
  (void)plain;
  return {"plain", sha256_blocks_plain, pairs_one_by_one};
}

const Kernel& kernel() {
  static const Kernel chosen = choose_kernel();
  return chosen;
}

const uint8_t* raw(Bytes data) { return reinterpret_cast<const uint8_t*>(data.data()); }

}  // namespace

std::string digest_text(const Digest& digest) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "sha256:";
  for (const uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

Sha256::Sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

Bytes Sha256::fill_buffer(Bytes data) {
  total_ += data.size();
  if (buffered_ == 0) return data;
  const size_t taken = std::min(data.size(), kBlock - buffered_);
  if (taken > 0) std::memcpy(buffer_.data() + buffered_, data.data(), taken);
  buffered_ += taken;
  if (buffered_ == kBlock) {
    kernel().blocks(state_.data(), buffer_.data(), 1);
    buffered_ = 0;
  }
  return data.subspan(taken);
}

void Sha256::keep_tail(Bytes data) {
  if (data.empty()) return;
  std::memcpy(buffer_.data() + buffered_, data.data(), data.size());
  buffered_ += data.size();
}

void Sha256::update(Bytes data) {
  data = fill_buffer(data);
  const size_t blocks = data.size() / kBlock;
  if (blocks > 0) kernel().blocks(state_.data(), raw(data), blocks);
  keep_tail(data.subspan(blocks * kBlock));
}

void update_pair(Sha256& a, Bytes data_a, Sha256& b, Bytes data_b) {
  data_a = a.fill_buffer(data_a);
  data_b = b.fill_buffer(data_b);
  const size_t both = std::min(data_a.size(), data_b.size()) / kBlock;
  if (both > 0) kernel().pairs(a.state_.data(), raw(data_a), b.state_.data(), raw(data_b), both);
  const auto finish_alone = [both](Sha256& message, Bytes data) {
    data = data.subspan(both * kBlock);
    const size_t blocks = data.size() / kBlock;
    if (blocks > 0) kernel().blocks(message.state_.data(), raw(data), blocks);
    message.keep_tail(data.subspan(blocks * kBlock));
  };
  finish_alone(a, data_a);
  finish_alone(b, data_b);
}

Digest Sha256::finish() {
  const uint64_t bits = total_ * 8;
  const size_t padding = (buffered_ < 56 ? 56 : 120) - buffered_;
  std::array<std::byte, 72> tail{};
  tail[0] = std::byte{0x80};
  for (size_t i = 0; i < 8; ++i) tail[padding + i] = std::byte(bits >> (56 - 8 * i) & 0xff);
  update(Bytes(tail).first(padding + 8));
  Digest digest;
  for (size_t i = 0; i < 32; ++i) digest[i] = uint8_t(state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

void update_all(std::span<HashPiece> pieces) {
  // Always the two with the most left: three equal pieces are then hashed as three half pairs, none of them alone.
  // The step is small enough to stay balanced and large enough that the call costs nothing.
  constexpr size_t kStep = 16 * 1024;
  const auto advance = [](HashPiece& piece, size_t size) {
    const Bytes head = piece.data.first(size);
    piece.data = piece.data.subspan(size);
    return head;
  };
  while (true) {
    HashPiece* longest = nullptr;
    HashPiece* second = nullptr;
    for (HashPiece& piece : pieces) {
      if (piece.data.empty()) continue;
      if (longest == nullptr || piece.data.size() > longest->data.size()) {
        second = longest;
        longest = &piece;
      } else if (second == nullptr || piece.data.size() > second->data.size()) {
        second = &piece;
      }
    }
    if (longest == nullptr) return;
    if (second == nullptr) {
      longest->message->update(advance(*longest, longest->data.size()));
      return;
    }
    const size_t size = second->data.size() < kStep ? second->data.size() : kStep;
    const Bytes data_a = advance(*longest, size);
    update_pair(*longest->message, data_a, *second->message, advance(*second, size));
  }
}

Digest sha256(Bytes data) {
  Sha256 message;
  message.update(data);
  return message.finish();
}

const char* sha256_kernel() { return kernel().name; }

}  // namespace theta
