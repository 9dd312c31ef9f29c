// Chunks that are made one behind the other in one ring arrive as they were made, whatever their sizes and however
// slowly they are written; what fails for one target fails for no other.

#include "engine/output_ring.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../check.h"
#include "io/transfer.h"
#include "page.h"

namespace {

using namespace theta;

constexpr size_t kLargest = 300'000;
constexpr int64_t kRing = OutputRing::kFewestChunks * room_to_move(kLargest);

/// A file without a name, and a descriptor that refuses what is written.
struct File {
  File() {
    std::string path = std::filesystem::temp_directory_path() / "theta-ring-test-XXXXXX";
    fd = mkstemp(path.data());
    read_only = open("/dev/null", O_RDONLY);
    unlink(path.c_str());
  }
  ~File() {
    close(fd);
    close(read_only);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd, read_only;
};

/// Makes a chunk of random bytes at the next place and hands it over.
BackgroundWriter::Ticket make_chunk(OutputRing& ring, BackgroundWriter& writer, BackgroundWriter::Target& target,
                                    size_t bytes, std::vector<std::byte>& file, std::mt19937& random) {
  const auto position = static_cast<int64_t>(file.size());
  std::byte* const chunk = ring.place(static_cast<int64_t>(bytes), position);
  CHECK(reinterpret_cast<uintptr_t>(chunk) % kWidestElement == 0);
  for (size_t i = 0; i < bytes; ++i) file.push_back(chunk[i] = std::byte(random() & 0xff));
  const Bytes made(chunk, bytes);
  const BackgroundWriter::Ticket ticket = writer.start(target, made);
  ring.keep(made, ticket);
  return ticket;
}

}  // namespace

TEST(ring_of_many_chunks) {
  for (uint32_t seed = 0; seed < 6; ++seed) {
    std::mt19937 random(seed);
    const File to;
    std::vector<std::byte> file(random() % 9000);
    write_exactly(to.fd, file, 0);
    BackgroundWriter writer;
    OutputRing ring(writer, kRing);
    std::vector<std::unique_ptr<BackgroundWriter::Target>> targets;
    std::vector<BackgroundWriter::Ticket> last;
    for (int payload = 0; payload < 4; ++payload) {
      std::vector<size_t> sizes(20 + random() % 20);
      size_t all = 0;
      for (size_t& size : sizes) {
        const size_t some[] = {1, 1 + random() % 5000, 4096, 1 + random() % kLargest, kLargest};
        size = some[random() % 5];
        all += size;
      }
      targets.push_back(std::make_unique<BackgroundWriter::Target>(to.fd, file.size(), all));
      for (const size_t size : sizes) {
        const auto ticket = make_chunk(ring, writer, *targets.back(), size, file, random);
        if (random() % 16 == 0) writer.wait_for(ticket);
        if (size == sizes.back()) last.push_back(ticket);
      }
    }
    writer.wait_for(*std::ranges::max_element(last));
    for (const auto& target : targets) CHECK(target->error == nullptr);
    std::vector<std::byte> written(file.size());
    read_exactly(to.fd, written, 0);
    CHECK(written == file);
  }
}

TEST(ring_in_which_one_target_fails) {
  std::mt19937 random(7);
  const File to;
  std::vector<std::byte> file, lost;
  BackgroundWriter writer;
  OutputRing ring(writer, kRing);
  BackgroundWriter::Target good(to.fd, 0, 40 * kLargest);
  BackgroundWriter::Target bad(to.read_only, 0, 40 * kLargest);
  bool is_refused = false;
  BackgroundWriter::Ticket last = 0;
  for (int i = 0; i < 40; ++i) {
    last = make_chunk(ring, writer, good, kLargest, file, random);
    if (i % 4 != 0 || is_refused) continue;
    try {
      make_chunk(ring, writer, bad, kLargest, lost, random);
    } catch (const std::exception&) {
      is_refused = true;
    }
  }
  writer.wait_for(last);
  CHECK(is_refused);
  CHECK(bad.error != nullptr && good.error == nullptr);
  std::vector<std::byte> written(file.size());
  read_exactly(to.fd, written, 0);
  CHECK(written == file);
}
