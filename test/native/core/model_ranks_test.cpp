// Ranks over several tensors against a full sort: of sizes about those of tiles, in memory and not, with ties of every
// kind.

#include "cpu/model_ranks.h"

#include <algorithm>
#include <memory>
#include <random>
#include <tuple>

#include "../check.h"
#include "memory_scratch.h"
#include "samples.h"

namespace {

using namespace theta;

template <typename W>
using Tensors = std::vector<std::vector<W>>;

/// By key, then by tie, both ascending; then the other way round by tensor and by index.
template <typename W>
std::vector<std::vector<int64_t>> by_sorting(const Tensors<W>& tensors, const std::vector<uint64_t>& ties) {
  std::vector<std::tuple<Bits<W>, uint64_t, int64_t, int64_t>> places;
  std::vector<std::vector<int64_t>> ranks;
  for (size_t t = 0; t < tensors.size(); ++t) {
    ranks.emplace_back(tensors[t].size());
    for (size_t i = 0; i < tensors[t].size(); ++i) {
      const auto index = static_cast<int64_t>(i);
      places.emplace_back(key_of(tensors[t][i]), tie_of(index, ties[t]), -static_cast<int64_t>(t), -index);
    }
  }
  std::ranges::sort(places);
  for (size_t rank = 0; rank < places.size(); ++rank) {
    const auto& [key, tie, tensor, index] = places[rank];
    ranks[static_cast<size_t>(-tensor)][static_cast<size_t>(-index)] = static_cast<int64_t>(rank);
  }
  return ranks;
}

/// What pieces of a tensor are shown in.
constexpr int64_t kPiece = 509;

template <typename W, typename Take>
void show(const std::vector<W>& x, Take take) {
  const auto size = static_cast<int64_t>(x.size());
  for (int64_t at = 0; at < size; at += kPiece) take(x.data() + at, std::min(kPiece, size - at));
}

/// `shown`: the sample is taken of so many elements of each, from its first on.
template <typename W>
void check_ranks(const Tensors<W>& tensors, const std::vector<uint64_t>& ties, int64_t memory_bytes, int64_t shown) {
  const auto expected = by_sorting(tensors, ties);
  const KernelTable& kernels = kernels_for(supported_isas()[tensors.size() % supported_isas().size()]);
  theta_test::MemoryScratch space;
  std::vector<RankedTensor> ranked;
  for (size_t t = 0; t < tensors.size(); ++t) ranked.push_back({static_cast<int64_t>(tensors[t].size()), ties[t]});
  Carver need(nullptr);
  ModelRanks<W>(ranked, memory_bytes, kernels, space, need);
  std::vector<std::byte> memory(static_cast<size_t>(need.used()) + 64);
  Carver carver(memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64);
  ModelRanks<W> ranks(ranked, memory_bytes, kernels, space, carver);
  for (size_t t = tensors.size(); ranks.wants_sample() && t-- > 0;) {
    std::vector<W> sample = tensors[t];
    sample.resize(static_cast<size_t>(std::min<int64_t>(shown, static_cast<int64_t>(sample.size()))));
    ranks.begin_sample(t, static_cast<int64_t>(sample.size()));
    show(sample, [&](const W* x, int64_t count) { ranks.sample(x, count); });
  }
  ranks.begin_distributing();
  for (size_t t = tensors.size(); t-- > 0;) {
    ranks.begin_tensor(t);
    show(tensors[t], [&](const W* x, int64_t count) { ranks.add(x, count); });
    ranks.end_tensor();
  }
  ranks.rank();
  for (size_t t = tensors.size(); t-- > 0;) {
    const auto size = static_cast<int64_t>(tensors[t].size());
    for (int64_t at = 0; at < size; at += kTile) {
      const int64_t* const tile = ranks.next_tile();
      CHECK(std::equal(tile, tile + std::min(kTile, size - at), expected[t].begin() + at));
    }
  }
}

template <typename W>
void ranks_of_all() {
  std::mt19937 random(3);
  const std::vector<uint64_t> ties{0x1234567890abcdef, 17, ~uint64_t{0} - 5, 99, 1000};
  for (const int64_t memory : {int64_t{3} << 20, int64_t{24} << 20}) {
    for (const std::vector<int64_t>& sizes :
         {std::vector<int64_t>{1}, {1, 1, 1}, {7, kTile, 1, kTile + 1, 2 * kTile - 1}, {3, 300000, 20, 150000, 5000}}) {
      Tensors<W> tensors;
      for (const int64_t size : sizes) {
        tensors.push_back(theta_test::numbers<W>(size, static_cast<uint32_t>(20 + tensors.size())));
      }
      std::vector<uint64_t> streams(ties.begin(), ties.begin() + static_cast<int64_t>(sizes.size()));
      check_ranks(tensors, streams, memory, 1 << 20);
      check_ranks(tensors, streams, memory, 1);
      for (auto& x : tensors) {
        for (W& value : x) value = static_cast<W>(random() % 3) * (random() % 2 ? 1 : -1);
      }
      check_ranks(tensors, streams, memory, 300);
      // No two tensors have one stream; if they had, names would decide.
      std::ranges::fill(streams, 5);
      check_ranks(tensors, streams, memory, 300);
      // The sample, of the first elements, misleads.
      for (auto& x : tensors) {
        for (size_t i = 300; i < x.size(); ++i) x[i] = static_cast<W>(2 + 1e-3 * (random() % 1000));
      }
      check_ranks(tensors, streams, memory, 300);
    }
  }
}

}  // namespace

TEST(model_ranks_f32) { ranks_of_all<float>(); }
TEST(model_ranks_f64) { ranks_of_all<double>(); }

TEST(thresholds_of_ranks_in_any_order) {
  std::mt19937_64 random(8);
  for (const int64_t size : {int64_t{2}, int64_t{3}, int64_t{1000}, (int64_t{1} << 32) + 7, int64_t{1} << 52}) {
    for (const auto& [low, high] :
         {std::pair<uint32_t, uint32_t>{0x40000000, 0xc0000000}, {0, 0xffffffff}, {5, 5}, {1, 2}}) {
      const RankThreshold threshold(low, high, size);
      for (int i = 0; i < 2000; ++i) {
        const int64_t rank = i < 3   ? std::min<int64_t>(i, size - 1)
                             : i < 6 ? std::max<int64_t>(size - i + 2, 0)
                                     : static_cast<int64_t>(random() % size);
        RankThresholds expected(low, high, size, rank);
        CHECK(threshold.of(rank) == expected.next());
      }
    }
  }
}
