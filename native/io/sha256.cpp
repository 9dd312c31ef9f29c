// The streaming side of SHA-256 and the choice of the kernel. The blocks themselves are in sha256_*.cpp.

#include "sha256.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "sha256_kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace theta {
namespace {

constexpr size_t kBlock = 64;

#if defined(__x86_64__)
bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  const bool shuffles = (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return shuffles && (b & bit_SHA) != 0;
}
#endif

/// Those that this processor can run, the fastest first.
std::vector<const Sha256Kernel*> supported_kernels() {
  std::vector<const Sha256Kernel*> kernels;
#if defined(__x86_64__)
  if (has_sha_instructions()) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) kernels.push_back(&kSha256Avx512);
    kernels.push_back(&kSha256Ni);
  }
#endif
  kernels.push_back(&kSha256Plain);
  return kernels;
}

const Sha256Kernel& choose_kernel() {
  const std::vector<const Sha256Kernel*> kernels = supported_kernels();
  if (const char* forced = std::getenv("THETA_SHA256")) {
    for (const Sha256Kernel* kernel : kernels) {
      if (std::string_view(forced) == kernel->name) return *kernel;
    }
  }
  return *kernels.front();
}

const Sha256Kernel& kernel() {
  static const Sha256Kernel& chosen = choose_kernel();
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
    advance(std::as_bytes(std::span(buffer_)), 1);
    buffered_ = 0;
  }
  return data.subspan(taken);
}

void Sha256::keep_tail(Bytes data) {
  if (data.empty()) return;
  std::memcpy(buffer_.data() + buffered_, data.data(), data.size());
  buffered_ += data.size();
}

void Sha256::advance(Bytes data, size_t blocks) {
  const Sha256Lane lane{state_.data(), raw(data)};
  kernel().advance[0](&lane, blocks);
}

void Sha256::update_aligned(Bytes data) {
  const size_t blocks = data.size() / kBlock;
  if (blocks > 0) advance(data, blocks);
  keep_tail(data.subspan(blocks * kBlock));
}

void Sha256::update(Bytes data) { update_aligned(fill_buffer(data)); }

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

void update_together(std::span<const HashPiece> pieces) {
  Bytes left[kMostSha256Lanes];
  Sha256Lane lanes[kMostSha256Lanes];
  size_t blocks = ~size_t{0};
  for (size_t i = 0; i < pieces.size(); ++i) {
    left[i] = pieces[i].message->fill_buffer(pieces[i].data);
    lanes[i] = {pieces[i].message->state_.data(), raw(left[i])};
    blocks = std::min(blocks, left[i].size() / kBlock);
  }
  if (blocks > 0) kernel().advance[pieces.size() - 1](lanes, blocks);
  for (size_t i = 0; i < pieces.size(); ++i) pieces[i].message->update_aligned(left[i].subspan(blocks * kBlock));
}

void update_all(std::span<HashPiece> pieces) {
  // Always those with the most left: five equal pieces are then hashed in fours, none of them alone. The step is small
  // enough to stay balanced and large enough that the call costs nothing.
  constexpr size_t kStep = 4 * 1024;
  const size_t lanes = kernel().lanes;
  const auto is_longer = [](const HashPiece& a, const HashPiece& b) { return a.data.size() > b.data.size(); };
  while (true) {
    const auto longest = pieces.first(std::min(lanes, pieces.size()));
    std::ranges::partial_sort(pieces, longest.end(), is_longer);
    HashPiece heads[kMostSha256Lanes];
    size_t count = 0, size = kStep;
    for (; count < longest.size() && !longest[count].data.empty(); ++count) {
      size = std::min(size, longest[count].data.size());
    }
    if (count == 0) return;
    if (count == 1) size = longest[0].data.size();
    for (size_t i = 0; i < count; ++i) {
      heads[i] = {longest[i].message, longest[i].data.first(size)};
      longest[i].data = longest[i].data.subspan(size);
    }
    update_together({heads, count});
  }
}

Digest sha256(Bytes data) {
  Sha256 message;
  message.update(data);
  return message.finish();
}

size_t sha256_lanes() { return kernel().lanes; }

}  // namespace theta
