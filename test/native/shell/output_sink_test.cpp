// Payloads that lie side by side in one file arrive as they were given, in whatever pieces, past the page cache (where
// the file system of the temporary folder can) and through it, also while a neighbour in the same page is written.

#include "io/output_sink.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "../check.h"
#include "page.h"

namespace {

using namespace theta;

constexpr size_t kLargest = 700'000;

/// One payload on its way to the file.
struct Payload {
  Payload(int fd, int64_t offset, std::vector<std::byte> content)
      : offset(offset),
        bytes(std::move(content)),
        sink(fd, static_cast<uint64_t>(offset), bytes.size()),
        rooms(OutputSink::kMostRanges, std::vector<std::byte>(static_cast<size_t>(room_to_move(kLargest)))) {}

  bool is_done() const { return done == bytes.size(); }

  /// `stray`: the last piece from a place in memory that does not fit the place in the file.
  void write(const std::vector<size_t>& sizes, bool stray) {
    std::vector<Bytes> ranges;
    for (size_t i = 0; i < sizes.size(); ++i) {
      const Bytes piece = Bytes(bytes).subspan(done, std::min(sizes[i], bytes.size() - done));
      std::vector<std::byte>& room = rooms[i];
      std::byte* to = move_in_page(room.data(), offset + static_cast<int64_t>(done));
      if (stray && i + 1 == sizes.size()) to = to == room.data() ? to + 1 : to - 1;
      std::copy(piece.begin(), piece.end(), to);
      ranges.push_back(Bytes(to, piece.size()));
      done += piece.size();
    }
    sink.write(ranges);
    // What the sink has taken may be overwritten.
    for (std::vector<std::byte>& room : rooms) std::ranges::fill(room, std::byte(0xee));
    if (is_done()) sink.finish();
  }

  int64_t offset;
  std::vector<std::byte> bytes;
  OutputSink sink;
  std::vector<std::vector<std::byte>> rooms;
  size_t done = 0;
};

void write_neighbours(uint32_t seed, bool with_stray) {
  std::mt19937 random(seed);
  const auto sizes = [&] {
    std::vector<size_t> some(1 + random() % OutputSink::kMostRanges);
    for (size_t& size : some) {
      const size_t sizes[] = {1, random() % 5000, 4096, 8192, random() % kLargest, kLargest - 1};
      size = sizes[random() % 6];
    }
    return some;
  };
  std::string path = std::filesystem::temp_directory_path() / "theta-sink-test-XXXXXX";
  const int fd = mkstemp(path.data());
  unlink(path.c_str());
  std::vector<std::byte> file(random() % 9000);
  write_exactly(fd, file, 0);
  std::vector<std::unique_ptr<Payload>> payloads;
  for (int i = 0; i < 3; ++i) {
    std::vector<std::byte> content((size_t{4} << 20) + random() % 20'000);
    for (std::byte& byte : content) byte = std::byte(random() & 0xff);
    const auto offset = static_cast<int64_t>(file.size());
    file.insert(file.end(), content.begin(), content.end());
    payloads.push_back(std::make_unique<Payload>(fd, offset, std::move(content)));
  }
  const auto is_done = [](const auto& payload) { return payload->is_done(); };
  while (!std::ranges::all_of(payloads, is_done)) {
    Payload& payload = *payloads[random() % payloads.size()];
    if (!payload.is_done()) payload.write(sizes(), with_stray && random() % 16 == 0);
  }
  std::vector<std::byte> written(file.size());
  read_exactly(fd, written, 0);
  CHECK(std::memcmp(written.data(), file.data(), file.size()) == 0);
  close(fd);
}

}  // namespace

TEST(neighbours_in_pieces) {
  for (uint32_t seed = 0; seed < 8; ++seed) write_neighbours(seed, false);
}

TEST(pieces_that_lie_elsewhere_in_their_page) {
  for (uint32_t seed = 0; seed < 6; ++seed) write_neighbours(seed, true);
}
