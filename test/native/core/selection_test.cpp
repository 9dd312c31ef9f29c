// Where masks cut the canonical order: both selections against a full sort, on keys that tie in every way.

#include <algorithm>
#include <functional>

#include "../check.h"
#include "cpu/cached_selection.h"
#include "cpu/streamed_selection.h"
#include "samples.h"

namespace {

using namespace theta;

constexpr uint64_t kStream = 0x1234567890abcdef;

template <typename W>
struct Order {
  Bits<W> key;
  uint64_t tie;
  bool operator>(const Order& other) const { return key != other.key ? key > other.key : tie > other.tie; }
};

/// The element at each rank, by sorting.
template <typename W>
std::vector<Order<W>> sorted(const std::vector<W>& x, int64_t first) {
  std::vector<Order<W>> order;
  for (size_t i = 0; i < x.size(); ++i) {
    order.push_back({key_of(x[i]), tie_of(first + static_cast<int64_t>(i), kStream)});
  }
  std::ranges::sort(order, std::greater<>());
  return order;
}

/// Whether exactly the elements of ranks 0 … rank lie before the cut.
template <typename W>
bool cuts_at(const std::vector<Order<W>>& order, const Cut<Bits<W>>& cut, int64_t rank) {
  const auto before = [&](const Order<W>& element) {
    return element.key > cut.key || (element.key == cut.key && element.tie >= cut.tie);
  };
  const auto next = static_cast<size_t>(rank + 1);
  return before(order[next - 1]) && (next == order.size() || !before(order[next]));
}

/// Whether what is marked is what survives by the cuts, wherever it is asked for.
template <typename W>
bool marks_as_it_cuts(const MaskStatistic<W>& selection, const std::vector<W>& x, int64_t first) {
  const MaskCuts<W>& cuts = selection.cuts(first);
  const auto size = static_cast<int64_t>(x.size());
  for (const int64_t step : {kBlock, int64_t{37}}) {
    for (int64_t at = 0; at < size; at += step) {
      uint64_t marks[Marks::words(kBlock)];
      selection.marks(first + at, std::min(step, size - at), marks);
      for (int64_t i = at; i < std::min(at + step, size); ++i) {
        const Bits<W> key = key_of(x[static_cast<size_t>(i)]);
        const uint64_t tie = tie_of(first + i, kStream);
        const auto before = [&](const Cut<Bits<W>>& cut) {
          return key > cut.key || (key == cut.key && tie >= cut.tie);
        };
        const bool marked = marks[(i - at) / 64] >> ((i - at) % 64) & 1;
        if (marked != (before(cuts.outer) && !before(cuts.inner))) return false;
      }
    }
  }
  return true;
}

/// Feeds a group to a selection in blocks of changing size, until it has found its cuts.
template <typename W>
void run(MaskStatistic<W>& selection, const std::vector<W>& x, int64_t first, int& passes) {
  selection.forget(first);
  selection.begin(first);
  passes = 0;
  do {
    ++passes;
    std::minstd_rand random(3);
    for (int64_t at = 0; at < static_cast<int64_t>(x.size());) {
      const int64_t count = std::min<int64_t>(static_cast<int64_t>(x.size()) - at, 1 + random() % kBlock);
      const W* value = x.data() + at;
      selection.gather(Block<W>{first + at, count, &value, nullptr}, 0, count);
      at += count;
    }
  } while (!selection.end_pass());
}

template <typename W>
void check_bands(const std::vector<W>& x, int64_t first, int64_t capacity) {
  const auto size = static_cast<int64_t>(x.size());
  const std::vector<Order<W>> order = sorted(x, first);
  for (const Isa isa : supported_isas()) {
    const KernelTable& kernels = kernels_for(isa);
    for (const Band band : {Band{0, 1}, Band{0, size / 5}, Band{0, size - 1}, Band{1, size / 2},
                            Band{size / 3, size / 3}, Band{size / 2, size / 2}, Band{size / 100, size / 2}}) {
      if (band.keep == 0) continue;
      std::vector<std::byte> memory(static_cast<size_t>(size * 32 + capacity * 64 + (8 << 20)));
      Carver carver(memory.data());
      const FoundElements<W> found(std::max(size, kBlock), carver);
      CachedSelection<W> cached({0, band, kStream}, size, 1, kernels, found, carver);
      StreamedSelection<W> streamed({0, band, kStream}, size, 1, capacity, true, kernels, found, carver);
      StreamedSelection<W> unmarked({0, band, kStream}, size, 1, capacity, false, kernels, found, carver);
      int cached_passes, streamed_passes;
      run(cached, x, first, cached_passes);
      run(unmarked, x, first, streamed_passes);
      run(streamed, x, first, streamed_passes);
      CHECK(!unmarked.has_marks());
      CHECK(marks_as_it_cuts(cached, x, first) && marks_as_it_cuts(streamed, x, first));
      CHECK(cached_passes == 1);
      // A sample, what it misled to, the digits of keys and ties, what is left.
      CHECK(streamed_passes <= (sizeof(W) == 4 ? 7 : 9));
      for (const CutWanted& wanted : cuts_wanted({0, band, kStream}, size)) {
        const MaskCuts<W>&a = cached.cuts(first), &b = streamed.cuts(first);
        CHECK(cuts_at(order, wanted.outer ? a.outer : a.inner, wanted.rank));
        CHECK(cuts_at(order, wanted.outer ? b.outer : b.inner, wanted.rank));
        const Cut<Bits<W>>&c = unmarked.cuts(first).outer, &d = unmarked.cuts(first).inner;
        CHECK(cuts_at(order, wanted.outer ? c : d, wanted.rank));
      }
    }
  }
}

template <typename W>
void selections_agree() {
  std::mt19937 random(11);
  for (const int64_t size : {2, 3, 17, 191, 193, 257, 4097, 30000}) {
    const int64_t capacity = size > 4000 ? 200 : 64;
    check_bands(theta_test::numbers<W>(size, 21), 0, capacity);
    std::vector<W> equal(static_cast<size_t>(size), W(0.5));
    check_bands(equal, size * 3, capacity);
    // A few values, spread over many exponents.
    for (W& x : equal) x = static_cast<W>(std::ldexp(random() % 3, static_cast<int>(random() % 5) * 20 - 40));
    check_bands(equal, 5 * size, capacity);
    // All keys in one digit, most of them different.
    for (W& x : equal) x = static_cast<W>(1 + std::ldexp(random() % 1000, -22));
    check_bands(equal, 0, capacity);
  }
}

/// The trunc(count × share) first of what is not 0, which a group may have much or nothing of.
template <typename W>
void shares_of_what_is_not_zero() {
  std::mt19937 random(17);
  for (const int64_t size : {1, 2, 257, 5000, 200000}) {
    for (const int64_t one_in : {int64_t{1}, int64_t{3}, int64_t{1000}, size + 1}) {
      std::vector<W> x = theta_test::numbers<W>(size, 23);
      int64_t nonzero = 0;
      for (W& value : x) {
        if (random() % static_cast<uint32_t>(one_in) != 0 || one_in > size) value = random() % 2 ? W(-0.0) : W(0);
        nonzero += value != 0;
      }
      const std::vector<Order<W>> order = sorted(x, 3 * size);
      for (const double share : {0.1, 0.5, 0.999}) {
        std::vector<std::byte> memory(static_cast<size_t>(size * 32 + (8 << 20)));
        Carver carver(memory.data());
        const KernelTable& kernels = kernels_for(supported_isas().front());
        const FoundElements<W> found(std::max(size, kBlock), carver);
        const MaskRule rule{0, {}, kStream, share};
        CachedSelection<W> cached(rule, size, 1, kernels, found, carver);
        StreamedSelection<W> streamed(rule, size, 1, 3000, true, kernels, found, carver);
        int passes;
        run(cached, x, 3 * size, passes);
        run(streamed, x, 3 * size, passes);
        const int64_t rank = static_cast<int64_t>(static_cast<double>(nonzero) * share) - 1;
        CHECK(marks_as_it_cuts(cached, x, 3 * size) && marks_as_it_cuts(streamed, x, 3 * size));
        for (const MaskCuts<W>& cuts : {cached.cuts(3 * size), streamed.cuts(3 * size)}) {
          if (rank >= 0) CHECK(cuts_at(order, cuts.outer, rank));
          if (rank < 0) CHECK(cuts.outer.key == Cut<Bits<W>>::nothing().key);
        }
      }
    }
  }
}

/// Ranks in the order of numbers, those below 0 and NaN among them.
void ranks_of_numbers() {
  for (const int64_t size : {1, 4, 257, 65537, 300000}) {
    std::vector<double> x = theta_test::numbers<double>(size, 29);
    std::vector<double> order = x;
    // As numpy sorts: NaN last.
    std::ranges::sort(order, [](double a, double b) { return b != b ? a == a : a < b; });
    for (const int64_t capacity : {int64_t{1000}, size}) {
      for (const Isa isa : supported_isas()) {
        std::vector<std::byte> memory(static_cast<size_t>(size * 80 + (16 << 20)));
        Carver carver(memory.data());
        const KernelTable& kernels = kernels_for(isa);
        const FoundElements<double> found(kBlock, carver);
        const std::vector<Rank> wanted{{0}, {size / 4}, {size / 2}, {size - 1}};
        StreamedRanks<double> ranks(wanted, size, capacity, kStream, by_number(kernels), kernels, found, carver);
        ranks.begin();
        do {
          for (int64_t at = 0; at < size; at += kBlock) ranks.gather(x.data() + at, std::min(kBlock, size - at), at);
        } while (!ranks.end_pass());
        for (size_t i = 0; i < wanted.size(); ++i) {
          const double expected = order[static_cast<size_t>(size - 1 - wanted[i].at)];
          const double at_rank = number_of_key(ranks.cut(i).key);
          CHECK(at_rank == expected || (at_rank != at_rank && expected != expected));
        }
      }
    }
  }
}

/// With room for what a sample leaves open, one pass over the group follows it, however many elements tie; with less
/// room, what lies between is counted first: keys, ties or both.
template <typename W>
void sample_leads_to_cuts() {
  std::mt19937 random(5);
  std::normal_distribution<double> normal(0, 0.001);
  for (const double step : {0.0, 0x1p-12}) {
    std::vector<W> x(200000);
    for (W& value : x) value = static_cast<W>(step == 0 ? normal(random) : std::round(normal(random) / step) * step);
    const auto size = static_cast<int64_t>(x.size());
    const std::vector<Order<W>> order = sorted(x, 0);
    for (const auto& [capacity, most_passes] : {std::pair{size / 4, 2}, std::pair{size / 200, 5}}) {
      std::vector<std::byte> memory(size_t{32} << 20);
      Carver carver(memory.data());
      const FoundElements<W> found(kBlock, carver);
      StreamedSelection<W> selection({0, {size / 100, size / 5}, kStream}, size, 1, capacity, false,
                                     kernels_for(Isa::plain), found, carver);
      int passes;
      run(selection, x, 0, passes);
      CHECK(passes <= most_passes);
      CHECK(cuts_at(order, selection.cuts(0).outer, size / 100 + size / 5 - 1));
      CHECK(cuts_at(order, selection.cuts(0).inner, size / 100 - 1));
    }
  }
}

/// With hardly any room, passes count ties alone, and each narrows them.
void equal_elements_are_cut() {
  const auto size = int64_t{1} << 22;
  const std::vector<float> equal(static_cast<size_t>(size), -0.25f);
  std::vector<std::byte> memory(size_t{8} << 20);
  Carver carver(memory.data());
  const FoundElements<float> found(kBlock, carver);
  const Band band{size / 3, size / 2};
  StreamedSelection<float> selection({0, band, kStream}, size, 1, 16, true, kernels_for(supported_isas().front()),
                                     found, carver);
  int passes;
  run(selection, equal, 0, passes);
  CHECK(passes <= 7);
  const auto before = [&](const Cut<uint32_t>& cut) {
    int64_t count = 0;
    for (int64_t i = 0; i < size; ++i) count += tie_of(i, kStream) >= cut.tie;
    return count;
  };
  CHECK(selection.cuts(0).outer.key == key_of(-0.25f));
  CHECK(before(selection.cuts(0).outer) == band.drop + band.keep);
  CHECK(before(selection.cuts(0).inner) == band.drop);
}

}  // namespace

TEST(selection_of_equal_elements) { equal_elements_are_cut(); }
TEST(selection_after_a_sample) {
  sample_leads_to_cuts<float>();
  sample_leads_to_cuts<double>();
}
TEST(selection_of_a_share_of_what_is_not_zero) {
  shares_of_what_is_not_zero<float>();
  shares_of_what_is_not_zero<double>();
}
TEST(selection_of_numbers) { ranks_of_numbers(); }
TEST(selection_f32) { selections_agree<float>(); }
TEST(selection_f64) { selections_agree<double>(); }

template <typename W>
void keys_around_ranks() {
  using Key = Bits<W>;
  for (const int64_t count : {1, 2, 17, 1000, 5000}) {
    for (const bool tied : {false, true}) {
      std::vector<W> x = theta_test::numbers<W>(count, 3);
      if (tied) std::ranges::fill(x, W(0.01));
      for (const Isa isa : supported_isas()) {
        const WorkKernels<W>& kernels = kernels_of<W>(kernels_for(isa));
        std::vector<Key> keys(x.size()), room(x.size());
        kernels.keys(x.data(), keys.data(), count);
        std::vector<Key> order = keys;
        std::ranges::sort(order, std::greater<>());
        for (const auto& [first, last] : {std::pair{int64_t{0}, count - 1}, {count / 3, count / 3 + count / 50}}) {
          const KeysAround<Key> around =
              keys_around(kernels, keys.data(), count, Key{0}, FormatOf<W>::kNan, first, last, room.data());
          CHECK(!tied || around.count == count);
          for (const int64_t rank : {first, last}) {
            const auto [key, above] =
                key_at(kernels, around.keys, around.count, around.low, around.high, rank - around.above);
            CHECK(key == order[static_cast<size_t>(rank)]);
            CHECK(around.above + above == std::ranges::count_if(keys, [key](Key other) { return other > key; }));
          }
        }
      }
    }
  }
}

TEST(selection_of_keys_around_ranks) {
  keys_around_ranks<float>();
  keys_around_ranks<double>();
}

TEST(selection_of_ties) {
  std::mt19937_64 random(1);
  for (const int64_t count : {1, 2, 64, 65, 1000, 5000}) {
    std::vector<uint64_t> ties(static_cast<size_t>(count));
    for (uint64_t& tie : ties) tie = random();
    std::vector<uint64_t> order = ties;
    std::ranges::sort(order, std::greater<>());
    for (const int64_t rank : {int64_t{0}, count / 3, count - 1}) {
      std::vector<uint64_t> copy = ties;
      CHECK(tie_at(copy.data(), count, rank) == order[static_cast<size_t>(rank)]);
    }
    // Not uniform at all: the window misses.
    for (uint64_t& tie : order) tie >>= 40;
    std::vector<uint64_t> copy = order;
    CHECK(tie_at(copy.data(), count, count / 2) == order[static_cast<size_t>(count / 2)]);
  }
}
