// Messages advanced together and in any pieces have the digest that they have alone and in one piece. That the latter
// is SHA-256 is tested against Node's in sha256.test.ts.

#include "io/sha256.h"

#include <algorithm>
#include <random>
#include <vector>

#include "../check.h"

namespace {

using theta::Bytes;
using theta::Sha256;

std::vector<std::byte> random_bytes(std::mt19937& random, size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = std::byte(random() & 0xff);
  return bytes;
}

/// The next piece of `rest`, of any size that is left.
Bytes take_piece(std::mt19937& random, Bytes& rest) {
  const size_t size = std::min<size_t>(rest.size(), random() % 3 == 0 ? random() % 5 : random() % 400);
  const Bytes piece = rest.first(size);
  rest = rest.subspan(size);
  return piece;
}

}  // namespace

TEST(random_pieces_together) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const size_t count = 2 + random() % 4;
    std::vector<std::vector<std::byte>> messages(count);
    std::vector<Sha256> states(count);
    std::vector<Bytes> rest(count);
    for (size_t i = 0; i < count; ++i) rest[i] = messages[i] = random_bytes(random, random() % 1500);
    while (std::ranges::any_of(rest, [](Bytes bytes) { return !bytes.empty(); })) {
      std::vector<theta::HashPiece> pieces;
      for (size_t i = 0; i < count; ++i) pieces.push_back({&states[i], take_piece(random, rest[i])});
      theta::update_all(pieces);
    }
    for (size_t i = 0; i < count; ++i) CHECK(states[i].finish() == theta::sha256(messages[i]));
  }
}

TEST(any_number_of_messages_at_once) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    const size_t count = random() % 9;
    std::vector<std::vector<std::byte>> messages(count);
    std::vector<Sha256> states(count);
    std::vector<theta::HashPiece> pieces;
    for (size_t i = 0; i < count; ++i) {
      messages[i] = random_bytes(random, random() % 3 == 0 ? random() % 70'000 : random() % 200);
      pieces.push_back({&states[i], messages[i]});
    }
    theta::update_all(pieces);
    for (size_t i = 0; i < count; ++i) CHECK(states[i].finish() == theta::sha256(messages[i]));
  }
}
