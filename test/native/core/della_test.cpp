// Thresholds of a della mask against a full sort, of groups that lie in cache and of those that are distributed over
// parts of their order, in memory and not, on keys that tie in every way; and random words against the published ones.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <tuple>

#include "../check.h"
#include "cpu/della_marks.h"
#include "cpu/della_thresholds.h"
#include "formula/rounding.h"
#include "memory_scratch.h"
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

/// Where blocks lie: of all that are needed, so many parts in four are resident.
constexpr int kResidentQuarters[] = {0, 1, 4};

/// What a statistic is told of a group of values, as often as it asks. → how often.
template <typename W>
int gather_all(StreamedThresholds<W>& statistic, const std::vector<W>& x, int64_t first) {
  const auto size = static_cast<int64_t>(x.size());
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
  return passes;
}

/// In order, with pieces left out, again, and across groups.
template <typename W>
void check_read(StreamedThresholds<W>& statistic, const std::vector<uint32_t>& expected, int64_t first) {
  const auto size = static_cast<int64_t>(expected.size());
  for (const int64_t step : {int64_t{1}, int64_t{5}}) {
    for (int64_t at = 0; at < size; at += kBlock * step) {
      const int64_t count = std::min(kBlock - 12, size - at);
      for (int again = 0; again < 2; ++again) {
        CHECK(std::equal(expected.begin() + at, expected.begin() + at + count, statistic.of(first + at, count)));
      }
    }
  }
}

/// Of two groups with these values, which are kept together, and once more of the second alone.
template <typename W>
void check_thresholds(const std::vector<W>& x, int64_t first, const RankPlan& plan) {
  const auto size = static_cast<int64_t>(x.size());
  std::vector<uint32_t> expected = by_sorting(x, first);
  const std::vector<uint32_t> second = by_sorting(x, first + size);
  expected.insert(expected.end(), second.begin(), second.end());
  const Isa isa = supported_isas()[static_cast<size_t>(size) % supported_isas().size()];
  const KernelTable& kernels = kernels_for(isa);
  const PartLayout<W> layout{plan.records};
  for (const int quarters : kResidentQuarters) {
    theta_test::MemoryScratch space;
    const auto prepare = [&](Carver& carver) {
      auto room = std::make_unique<RankRoom<W>>(plan.capacity, tiles_of(size), layout, kernels, carver);
      auto blocks = std::make_unique<ScratchBlocks>(layout.block_bytes(), plan.blocks(size, 2), space, carver);
      auto statistic = std::make_unique<StreamedThresholds<W>>(kMask, size, 2, plan, kernels, *blocks, *room, carver);
      blocks->make_resident(plan.blocks(size, 2) * layout.block_bytes() * quarters / 4, carver);
      return std::tuple(std::move(room), std::move(blocks), std::move(statistic));
    };
    Carver need(nullptr);
    prepare(need);
    std::vector<std::byte> memory(static_cast<size_t>(need.used()) + 64);
    auto* const begin = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    Carver carver(begin);
    auto [room, blocks, statistic] = prepare(carver);
    statistic->forget(first);
    const int passes = gather_all(*statistic, x, first);
    CHECK(passes == (size > plan.capacity ? 2 : 1));
    CHECK(gather_all(*statistic, x, first + size) == passes);
    check_read(*statistic, expected, first);
    // What the groups took is free again.
    for (int round = 0; round < 3; ++round) {
      statistic->forget(first + size);
      gather_all(*statistic, x, first + size);
    }
    check_read(*statistic, second, first + size);
    CHECK(quarters == 0 ? space.size() > 0 : quarters < 4 || space.size() == 0);
  }
}

template <typename W>
void thresholds_follow_ranks() {
  std::mt19937 random(11);
  for (const int64_t size : {2, 3, 17, 255, 256, 257, 4097, 30000}) {
    for (const RankPlan& plan : {RankPlan{size, 32, 1 << 20}, RankPlan{std::max<int64_t>(size / 7, 1), 32, 1 << 20},
                                 RankPlan{std::max<int64_t>(size / 2, 1), 96, 4096}}) {
      check_thresholds(theta_test::numbers<W>(size, 21), 0, plan);
      std::vector<W> values(static_cast<size_t>(size), W(0.5));
      check_thresholds(values, size * 3, plan);
      std::ranges::fill(values, W(-0.0));
      check_thresholds(values, size * 2, plan);
      // A few values, many zeros among them, spread over many exponents; first the small ones.
      for (W& x : values) x = static_cast<W>(std::ldexp(random() % 3, static_cast<int>(random() % 5) * 20 - 40));
      check_thresholds(values, 5 * size, plan);
      std::ranges::sort(values);
      check_thresholds(values, size, plan);
      // All keys near each other, most of them different, but for one far away.
      for (W& x : values) x = static_cast<W>(1 + std::ldexp(random() % 1000, -22));
      values.back() = W(1e-30);
      check_thresholds(values, 0, plan);
    }
  }
}

/// All that the sample looks at is small and alike, and all else is not.
template <typename W>
void sample_misleads() {
  std::mt19937 random(2);
  for (const int64_t size : {4097, 200000}) {
    const RankPlan plan{size / 9, 64, 1 << 12};
    std::vector<W> values(static_cast<size_t>(size));
    for (W& x : values) x = static_cast<W>(1 + std::ldexp(random() % 5000, -13));
    SampleRuns::of_at_most(plan.sampled(size), size).for_each(0, size, [&](int64_t begin, int64_t end) {
      std::fill(values.begin() + begin, values.begin() + end, W(1e-9));
    });
    check_thresholds(values, 0, plan);
    for (W& x : values) x = x > 1e-6 ? W(3) : x;
    check_thresholds(values, 0, plan);
  }
}

/// Rows of one tensor, ranked one after the other in cache: what one is like tells little of the next.
template <typename W>
void rows_in_cache(int64_t size) {
  std::mt19937 random(5);
  std::normal_distribution<W> normal(0, W(1e-3));
  const auto rounded = [](W x) { return static_cast<W>(widen<Bf16, float>(narrow<Bf16>(static_cast<float>(x)))); };
  const auto tuned = [&](W x, W change) { return rounded(rounded(x) + change) - rounded(x); };
  // Large rows take their time.
  constexpr int kKinds = 12;
  const int kRows = size > 20000 ? 24 : 74, kAlike = size > 20000 ? 10 : 30;
  std::vector<std::vector<W>> rows;
  for (int row = 0; row < kRows; ++row) {
    std::vector<W> x(static_cast<size_t>(size));
    // The first rows are alike, so that what is learned of them holds; then everything changes.
    const int kind = row < kAlike ? 0 : row % kKinds;
    for (W& value : x) {
      const W change = normal(random);
      if (kind == 0) value = tuned(20 * change, normal(random));
      if (kind == 1) value = change;
      if (kind == 2) value = W(0);
      if (kind == 3) value = random() % 2 ? W(0.5) : W(-0.5);
      if (kind == 4) value = tuned(W(0.02), random() % 10 ? W(0) : change);
      if (kind == 5) value = static_cast<W>(std::ldexp(change, 60));
      if (kind == 6) value = static_cast<W>(std::ldexp(1 + random() % 3, -static_cast<int>(random() % 120)));
      if (kind == 7) value = static_cast<W>(1 + std::ldexp(random() % 1000, -22));
      if (kind == 8) value = random() % 3 ? change : std::numeric_limits<W>::quiet_NaN();
      if (kind == 9) value = random() % 2 ? std::numeric_limits<W>::denorm_min() : std::numeric_limits<W>::infinity();
      // Keys whose last bits alone differ, and each of which occurs often.
      if (kind == 10)
        value = static_cast<W>(std::ldexp(1 + std::ldexp(random() % 64, -20), -static_cast<int>(random() % 9)));
      if (kind == 11) value = static_cast<W>(change + tuned(W(0.02), change));
    }
    rows.push_back(std::move(x));
  }
  for (const Isa isa : supported_isas()) {
    const KernelTable& kernels = kernels_for(isa);
    std::vector<std::byte> memory(static_cast<size_t>(size * (5 * kRows + 512) + (6 << 20)));
    Carver carver(memory.data());
    Ranking<W> ranking(size, kernels, carver);
    GroupRanks<W> ranks(size, kernels, carver);
    CachedThresholds<W> statistic(kMask, size, kRows, kernels, ranking, ranks, carver);
    DellaMarks<W> marks(kMask, size, kRows, kernels, ranking, carver);
    CHECK(carver.used() <= static_cast<int64_t>(memory.size()));
    statistic.forget(0);
    marks.forget(0);
    std::vector<uint32_t> words(static_cast<size_t>(size));
    for (int row = 0; row < kRows; ++row) {
      const int64_t first = row * size;
      statistic.begin(first);
      marks.begin(first);
      for (int64_t at = 0; at < size; at += kBlock) {
        const int64_t count = std::min(kBlock, size - at);
        const W* value = rows[static_cast<size_t>(row)].data() + at;
        const Block<W> block{first + at, count, &value, nullptr};
        statistic.gather(block, 0, count);
        marks.gather(block, 0, count);
      }
      CHECK(statistic.end_pass());
      CHECK(marks.end_pass());
      const std::vector<uint32_t> expected = by_sorting(rows[static_cast<size_t>(row)], first);
      CHECK(std::equal(expected.begin(), expected.end(), statistic.of(first, size)));
      kernels.random_words(kMask.seed, kMask.stream, first, size, words.data());
      const auto is_kept = [](uint32_t word, uint32_t threshold) { return uint8_t{word < threshold}; };
      std::ranges::transform(words, expected, words.begin(), is_kept);
      CHECK(std::equal(words.begin(), words.end(), marks.kept(first)));
    }
  }
}

}  // namespace

TEST(della_rows_in_cache) {
  for (const int64_t size : {2, 63, 64, 65, 257, 2048, 5633, 30000}) {
    rows_in_cache<float>(size);
    rows_in_cache<double>(size);
  }
}

TEST(della_thresholds_f32) { thresholds_follow_ranks<float>(); }
TEST(della_thresholds_f64) { thresholds_follow_ranks<double>(); }

TEST(della_sample_misleads) {
  sample_misleads<float>();
  sample_misleads<double>();
}

TEST(della_plan_stays_within_its_share) {
  for (const int64_t size : {int64_t{2}, int64_t{1} << 16, int64_t{128256} * 4096, int64_t{1} << 33}) {
    for (const int64_t memory : {int64_t{64} << 20, int64_t{320} << 20}) {
      const RankPlan plan = RankPlan::of(memory, 3, size, 6);
      CHECK(plan.records % 32 == 0 && plan.records > 0 && plan.capacity > 0);
      CHECK(plan.parts(size) * plan.records * 6 * 3 <= memory / 4 || plan.records == 32);
      CHECK(plan.parts(size) * plan.capacity >= size);
    }
  }
}

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
