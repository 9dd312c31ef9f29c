// Thresholds of a della mask against a full sort, of groups that fit and of groups that are streamed in stretches, on
// keys that tie in every way; and random words against the published ones.

#include <algorithm>
#include <cmath>

#include "../check.h"
#include "cpu/della_thresholds.h"
#include "samples.h"

namespace {

using namespace theta;

constexpr Della kMask{0, 0.5, 0.25, Group::tensor, 0x1234567890abcdef, 7, 8};

/// By element: low + (high − low)·rank div (size − 1).
template <typename W>
std::vector<uint32_t> by_sorting(const std::vector<W>& x, int64_t first) {
  std::vector<int64_t> order(x.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  const auto place = [&](int64_t i) {
    return std::pair(key_of(x[static_cast<size_t>(i)]), tie_of(first + i, kMask.tie));
  };
  std::ranges::sort(order, [&](int64_t a, int64_t b) { return place(a) < place(b); });
  const uint64_t low = 0x40000000, high = 0xc0000000;
  std::vector<uint32_t> thresholds(x.size());
  for (size_t rank = 0; rank < order.size(); ++rank) {
    thresholds[static_cast<size_t>(order[rank])] = static_cast<uint32_t>(low + (high - low) * rank / (x.size() - 1));
  }
  return thresholds;
}

template <typename W>
void check_thresholds(const std::vector<W>& x, int64_t first, int64_t capacity) {
  const auto size = static_cast<int64_t>(x.size());
  const std::vector<uint32_t> expected = by_sorting(x, first);
  for (const Isa isa : supported_isas()) {
    const KernelTable& kernels = kernels_for(isa);
    std::vector<std::byte> memory(static_cast<size_t>(size * 16 + capacity * 128 + (4 << 20)));
    Carver carver(memory.data());
    const FoundElements<W> found(kBlock, carver);
    Ranking<W> ranking(capacity, kernels, carver);
    DellaThresholds<W> statistic(kMask, size, 1, capacity, kernels, found, ranking, carver);
    CHECK(carver.used() <= static_cast<int64_t>(memory.size()));
    statistic.forget(first);
    statistic.begin(first);
    int passes = 0;
    do {
      ++passes;
      std::minstd_rand random(3);
      for (int64_t at = 0; at < size;) {
        const int64_t count = std::min<int64_t>(size - at, 1 + random() % kBlock);
        const W* value = x.data() + at;
        statistic.gather(Block<W>{first + at, count, &value, nullptr}, 0, count);
        at += count;
      }
    } while (!statistic.end_pass());
    CHECK(capacity < size || passes == 1);
    CHECK(passes <= 8 + 8 * size / capacity);
    CHECK(std::equal(expected.begin(), expected.end(), statistic.at(first)));
  }
}

template <typename W>
void thresholds_follow_ranks() {
  std::mt19937 random(11);
  for (const int64_t size : {2, 3, 17, 255, 256, 257, 4097, 30000}) {
    for (const int64_t capacity : {size, std::max<int64_t>(size / 7, 1024)}) {
      check_thresholds(theta_test::numbers<W>(size, 21), 0, capacity);
      std::vector<W> values(static_cast<size_t>(size), W(0.5));
      check_thresholds(values, size * 3, capacity);
      std::ranges::fill(values, W(-0.0));
      check_thresholds(values, size * 2, capacity);
      // A few values, many zeros among them, spread over many exponents; first the small ones.
      for (W& x : values) x = static_cast<W>(std::ldexp(random() % 3, static_cast<int>(random() % 5) * 20 - 40));
      check_thresholds(values, 5 * size, capacity);
      std::ranges::sort(values);
      check_thresholds(values, size, capacity);
      // All keys near each other, most of them different, but for one far away.
      for (W& x : values) x = static_cast<W>(1 + std::ldexp(random() % 1000, -22));
      values.back() = W(1e-30);
      check_thresholds(values, 0, capacity);
    }
  }
}

}  // namespace

TEST(della_thresholds_f32) { thresholds_follow_ranks<float>(); }
TEST(della_thresholds_f64) { thresholds_follow_ranks<double>(); }

TEST(della_thresholds_of_huge_groups) {
  // The product of a rank and the range has 72 bits.
  const int64_t size = int64_t{1} << 40;
  RankThresholds thresholds = thresholds_from(kMask, size, size - 3);
  for (const int64_t rank : {size - 3, size - 2, size - 1}) {
    const auto product = static_cast<unsigned __int128>(0x80000000) * static_cast<uint64_t>(rank);
    CHECK(thresholds.next() == 0x40000000 + static_cast<uint32_t>(product / static_cast<uint64_t>(size - 1)));
  }
}

TEST(random_words) {
  for (const Isa isa : supported_isas()) {
    const KernelTable& kernels = kernels_for(isa);
    // Random123's test vectors of philox4x32-10: counter and key all zeros, all ones, digits of π.
    uint32_t words[4];
    kernels.random_words(0, 0, 0, 4, words);
    CHECK(words[0] == 0x6627e8d5 && words[1] == 0xe169c58d && words[2] == 0xbc57ac4c && words[3] == 0x9b00dbd8);
    std::vector<uint32_t> expected(1000), got(1000);
    // The counter's upper word begins to count at element 2^34; elements before it are in other blocks.
    const int64_t start = (int64_t{1} << 34) - 500;
    kernels_for(Isa::plain).random_words(0x299f31d0a4093822, 0x0370734413198a2e, start, 1000, expected.data());
    for (const int64_t step : {1, 3, 7, 32, 33, 500, 1000}) {
      for (int64_t at = 0; at < 1000; at += step) {
        kernels.random_words(0x299f31d0a4093822, 0x0370734413198a2e, start + at, std::min(step, 1000 - at),
                             got.data() + at);
      }
      CHECK(got == expected);
    }
  }
}
