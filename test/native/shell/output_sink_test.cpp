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
        room(static_cast<size_t>(room_to_move(kLargest))) {}

  bool is_done() const { return done == bytes.size(); }

  /// `stray`: from a place in memory that does not fit the place in the file.
  void write(size_t size, bool stray) {
    const Bytes piece = Bytes(bytes).subspan(done, std::min(size, bytes.size() - done));
    std::byte* to = move_in_page(room.data(), kLargest, offset + static_cast<int64_t>(done));
    if (stray) to = to == room.data() ? to + 1 : to - 1;
    std::copy(piece.begin(), piece.end(), to);
    sink.write(Bytes(to, piece.size()));
    // What the sink has taken may be overwritten.
    std::fill_n(to, piece.size(), std::byte(0xee));
    done += piece.size();
    if (is_done()) sink.finish();
  }

  int64_t offset;
  std::vector<std::byte> bytes;
  OutputSink sink;
  std::vector<std::byte> room;
  size_t done = 0;
};

void write_neighbours(uint32_t seed, bool with_stray) {
  std::mt19937 random(seed);
  const auto size = [&] {
    const size_t sizes[] = {1, random() % 5000, 4096, 8192, random() % kLargest, kLargest - 1};
    return sizes[random() % 6];
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
    if (!payload.is_done()) payload.write(size(), with_stray && random() % 16 == 0);
  }
  std::vector<std::byte> written(file.size());
  read_exactly(fd, written, 0);
  CHECK(std::memcmp(written.data(), file.data(), file.size()) == 0);
  close(fd);
}

}  // namespace

TEST(neighbours_in_pieces) {
  for (uint32_t seed = 0; seed < 12; ++seed) write_neighbours(seed, false);
}

TEST(pieces_that_lie_elsewhere_in_their_page) {
  for (uint32_t seed = 0; seed < 6; ++seed) write_neighbours(seed, true);
}
