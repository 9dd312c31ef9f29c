// Every kernel of every instruction set against the plain ones, bit for bit, at sizes around vectors and tiles, and
// what lies behind the output is left alone. That the plain ones are right is for the other tests and the golden cases.

#include "cpu/kernels.h"

#include <algorithm>
#include <span>

#include "../check.h"
#include "samples.h"

namespace {

using namespace theta;
using theta_test::Guarded;
using theta_test::numbers;

/// Runs a kernel of each instruction set into a guarded buffer of T; all must hold the same.
template <typename T, typename Run>
void same_in_all(int64_t size, Run&& run) {
  Guarded<T> expected(size);
  run(kernels_for(Isa::plain), expected);
  CHECK(expected.guard_holds());
  for (const Isa isa : supported_isas()) {
    Guarded<T> result(size);
    run(kernels_for(isa), result);
    CHECK(result == expected);
  }
}

/// NaN are compared as NaN: which of two operands' payloads survives is up to the processor, and never written.
template <typename W>
void make_nan_canonical(Guarded<W>& x, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    if (x[i] != x[i]) x[i] = std::bit_cast<W>(FormatOf<W>::kNan);
  }
}

/// `values` are five.
template <typename W>
void competing_agrees(int64_t size, const W* const* values) {
  const Competitor<W> rules[] = {{W(0.001), W(0.02), W(0.7), 0.001, 2.5},
                                 {W(0.004), W(0.004), 0, -0.002, 1},
                                 {0, W(0.03), W(-0.3), 0.5, 0.5},
                                 {W(0.002), W(0.5), 1, 0, 0},
                                 {0, 0, 1, 0.1, 0.2}};
  const W slopes[] = {W(1 / 0.019), 0, W(1 / 0.03), W(1 / 0.498), 0}, levels[] = {0, 1, 0, 0, 1};
  const W floors[] = {W(1e-4), 0, W(1e-5), W(__builtin_inf()), W(1e-3)};
  for (const int count : {1, 3, 5}) {
    for (const bool are_of_use : {true, false}) {
      const BalanceBounds<W> bounds{slopes, levels, floors, W(1e-5), W(count * 1.44), are_of_use};
      std::vector<std::vector<uint32_t>> lists(static_cast<size_t>(count) + 1);
      std::vector<uint32_t*> positions;
      std::vector<int64_t> found(lists.size());
      for (auto& list : lists) {
        list.resize(static_cast<size_t>(size + kCollectSlack));
        positions.push_back(list.data());
      }
      const auto find = [&](const KernelTable& table) {
        kernels_of<W>(table).contenders(values, count, rules, bounds, size, positions.data(), found.data());
      };
      for (int list = 0; list <= count; ++list) {
        same_in_all<uint32_t>(size + 1, [&](const KernelTable& table, Guarded<uint32_t>& to) {
          find(table);
          std::copy_n(positions[static_cast<size_t>(list)], found[static_cast<size_t>(list)], to.data());
          to[size] = static_cast<uint32_t>(found[static_cast<size_t>(list)]);
        });
      }
      find(kernels_for(Isa::plain));
      same_in_all<double>(size, [&](const KernelTable& table, Guarded<double>& to) {
        kernels_of<W>(table).rivals_at(values, count, rules, positions.back(), found.back(), to.data());
        make_nan_canonical(to, size);
      });
      std::vector<double> rivals(static_cast<size_t>(size)), balances(rivals);
      kernels_of<W>(kernels_for(Isa::plain))
          .rivals_at(values, count, rules, positions.back(), found.back(), rivals.data());
      for (int k = 0; k < count; ++k) {
        const auto at = static_cast<size_t>(k);
        same_in_all<double>(size, [&](const KernelTable& table, Guarded<double>& to) {
          kernels_of<W>(table).balances_at(values[k], rules[k], count, rivals.data(), positions[at], found[at],
                                           to.data());
          make_nan_canonical(to, size);
        });
        kernels_of<W>(kernels_for(Isa::plain))
            .balances_at(values[k], rules[k], count, rivals.data(), positions[at], found[at], balances.data());
        same_in_all<W>(2 * size, [&](const KernelTable& table, Guarded<W>& to) {
          std::copy_n(values[0], size, to.data());
          std::copy_n(values[count - 1], size, to.data() + size);
          const WorkKernels<W>& kernels = kernels_of<W>(table);
          kernels.add_scored(values[k], rules[k], balances.data(), positions[at], found[at], to.data(),
                             to.data() + size);
          kernels.divide_by_scores(to.data() + size, W(1.2), to.data(), size);
          make_nan_canonical(to, 2 * size);
        });
      }
    }
  }
}

template <typename W>
void arithmetic_agrees(int64_t size) {
  using Key = Bits<W>;
  const auto x = numbers<W>(size, 1), y = numbers<W>(size, 2), z = numbers<W>(size, 3), v = numbers<W>(size, 4);
  const auto each = [&](auto&& run) {
    same_in_all<W>(size, [&](const KernelTable& table, Guarded<W>& to) {
      std::copy(z.begin(), z.end(), to.data());
      run(kernels_of<W>(table), to.data());
      make_nan_canonical(to, size);
    });
  };
  using Kernels = WorkKernels<W>;
  each([&](const Kernels& k, W* to) { k.subtract(x.data(), y.data(), to, size); });
  each([&](const Kernels& k, W* to) { k.add(x.data(), y.data(), to, size); });
  each([&](const Kernels& k, W* to) { k.onto(x.data(), y.data(), to, size); });
  each([&](const Kernels& k, W* to) { k.negate(x.data(), to, size); });
  each([&](const Kernels& k, W* to) { k.multiply(x.data(), W(0.3), to, size); });
  each([&](const Kernels& k, W* to) { k.divide(x.data(), W(0.3), to, size); });
  each([&](const Kernels& k, W* to) { k.scale(to, W(0.3), size); });
  each([&](const Kernels& k, W* to) { k.divide_in_place(to, W(0.3), size); });
  each([&](const Kernels& k, W* to) { k.onto_in_place(x.data(), to, size); });
  each([&](const Kernels& k, W* to) { k.multiply_add(to, W(0.7), y.data(), size); });
  each([&](const Kernels& k, W* to) { k.blend(W(0.3), x.data(), W(-0.7), y.data(), to, size); });
  each([&](const Kernels& k, W* to) { k.interpolate(x.data(), y.data(), W(0.3), to, size); });
  each([&](const Kernels& k, W* to) { k.zero_not_finite(to, size); });
  const W* values[] = {x.data(), y.data(), v.data()};
  const W weights[] = {W(0.7), W(0), W(-0.3)};
  const double exact[] = {0.7, 0, -0.3};
  const W divisors[] = {1, W(0.7), 1, W(0.7), W(-0.3), W(0.4), W(-0.3), W(0.4)};
  const Terms<W> terms{values, weights, 3, W(0.9)};
  each([&](const Kernels& k, W* to) { k.weighted_sum(terms, to, size); });
  each([&](const Kernels& k, W* to) { k.weighted_differences(z.data(), terms, to, size); });
  for (const Elect elect : {Elect::weighted, Elect::unweighted, Elect::count, Elect::none}) {
    for (const DivideBy divide : {DivideBy::weights, DivideBy::count, DivideBy::none}) {
      for (const W* table : {divisors, static_cast<const W*>(nullptr)}) {
        each([&](const Kernels& k, W* to) { k.ties(terms, {elect, divide, table, exact}, to, size); });
      }
    }
  }
  const Key low = key_of(W(0.005)), high = key_of(W(0.01));
  std::vector<Key> mask(static_cast<size_t>(size));
  kernels_of<W>(kernels_for(Isa::plain)).band(y.data(), low, high, mask.data(), size);
  const W* more[] = {x.data(), y.data(), v.data(), z.data(), x.data()};
  const W factors[] = {W(1.5), W(0.5), 1, W(1.1), W(2)};
  each([&](const Kernels& k, W* to) { k.select_in_place(to, mask.data(), size); });
  for (const int count : {1, 2, 3, 4, 5}) {
    each([&](const Kernels& k, W* to) { k.variance(more, count, to, size); });
    each([&](const Kernels& k, W* to) { k.ram(more, count, W(0.01), nullptr, to, size); });
    each([&](const Kernels& k, W* to) { k.ram(more, count, W(0.01), factors, to, size); });
    each([&](const Kernels& k, W* to) { k.magmax(more, count, W(0.3), to, size); });
    each([&](const Kernels& k, W* to) { k.consensus(more, count, W(0.4), 2, to, size); });
    same_in_all<int64_t>(2 * count, [&](const KernelTable& table, Guarded<int64_t>& to) {
      std::fill_n(to.data(), 2 * count, 7);
      kernels_of<W>(table).count_active(more, count, W(0.01), size, to.data(), to.data() + count);
    });
  }
  competing_agrees<W>(size, more);
  for (const double divergence : {0.003, -0.001, 0.0}) {
    each([&](const Kernels& k, W* to) { k.keep_important(x.data(), divergence, 1e-5, to, size); });
    same_in_all<double>(size, [&](const KernelTable& table, Guarded<double>& to) {
      kernels_of<W>(table).importances(x.data(), divergence, to.data(), size);
      make_nan_canonical(to, size);
    });
  }
  same_in_all<W>(1, [&](const KernelTable& table, Guarded<W>& to) {
    to[0] = kernels_of<W>(table).largest_of(x.data(), size, W(-5));
  });
  same_in_all<double>(size, [&](const KernelTable& table, Guarded<double>& to) {
    kernels_of<W>(table).exponentials(x.data(), W(0.75), to.data(), size);
    make_nan_canonical(to, size);
  });
  same_in_all<double>(size, [&](const KernelTable& table, Guarded<double>& to) {
    std::vector<double> others(static_cast<size_t>(size));
    kernels_of<W>(kernels_for(Isa::plain)).exponentials(x.data(), W(0.75), to.data(), size);
    kernels_of<W>(kernels_for(Isa::plain)).exponentials(y.data(), W(0.5), others.data(), size);
    table.divergence_terms(to.data(), 800, others.data(), 700, size);
    make_nan_canonical(to, size);
  });
  each([&](const Kernels& k, W* to) { k.select(x.data(), mask.data(), to, size); });
  for (const Isa isa : supported_isas()) {
    const Kernels& k = kernels_of<W>(kernels_for(isa));
    CHECK(k.mask_count(mask.data(), size) == std::ranges::count(mask, static_cast<Key>(~Key{0})));
  }
}

template <typename W>
void searches_agree(int64_t size) {
  using Key = Bits<W>;
  using Kernels = WorkKernels<W>;
  const auto x = numbers<W>(size, 5);
  same_in_all<Key>(size,
                   [&](const KernelTable& t, Guarded<Key>& to) { kernels_of<W>(t).keys(x.data(), to.data(), size); });
  const Key low = key_of(W(0.005)), high = key_of(W(0.01)), last = FormatOf<W>::kMagnitude;
  for (const auto& [from, to] : {std::pair{low, high}, std::pair{Key{0}, last}, std::pair{high, high}}) {
    same_in_all<Key>(size, [&](const KernelTable& table, Guarded<Key>& lanes) {
      kernels_of<W>(table).band(x.data(), from, to, lanes.data(), size);
    });
    for (const Isa isa : supported_isas()) {
      const Kernels& kernels = kernels_of<W>(kernels_for(isa));
      std::vector<Key> keys(static_cast<size_t>(size + kCollectSlack));
      std::vector<uint32_t> positions(static_cast<size_t>(size + kCollectSlack));
      std::vector<uint64_t> marks(static_cast<size_t>(size / 64 + 1));
      std::vector<uint16_t> heads(static_cast<size_t>(size));
      int64_t above = 7;
      const int64_t found =
          kernels.collect(x.data(), size, from, to, keys.data(), positions.data(), above, marks.data());
      std::vector<Key> again(keys.size());
      std::vector<uint32_t> positions_again(positions.size());
      int64_t above_again = 7;
      CHECK(kernels.collect(x.data(), size, from, to, again.data(), positions_again.data(), above_again, nullptr) ==
            found);
      CHECK(above_again == above && std::equal(again.begin(), again.begin() + found, keys.begin()));
      std::vector<Key> lanes(static_cast<size_t>(size));
      kernels.lanes_of_marks(marks.data(), lanes.data(), size);
      for (int64_t i = 0; i < size; ++i) {
        const bool is_above = key_of(x[static_cast<size_t>(i)]) > to;
        CHECK(lanes[static_cast<size_t>(i)] == (is_above ? static_cast<Key>(~Key{0}) : 0));
      }
      kernels.keys_and_heads(x.data(), again.data(), heads.data(), size);
      for (const Key bound : {from, to, Key{1} << (8 * sizeof(W) - 16)}) {
        const auto head = static_cast<uint16_t>(bound >> (8 * sizeof(W) - 16));
        int64_t heads_from = 0;
        kernels_for(isa).mark_heads_from(heads.data(), size, head, marks.data());
        for (int64_t i = 0; i < size; ++i) {
          const Key key = key_of(x[static_cast<size_t>(i)]);
          const bool is_from = key >> (8 * sizeof(W) - 16) >= head;
          heads_from += is_from;
          CHECK(again[static_cast<size_t>(i)] == key);
          CHECK((marks[static_cast<size_t>(i / 64)] >> (i % 64) & 1) == is_from);
        }
        CHECK(kernels_for(isa).count_heads_from(heads.data(), size, head) == heads_from);
      }
      int64_t expected = 0, expected_above = 7;
      for (int64_t i = 0; i < size; ++i) {
        const Key key = key_of(x[static_cast<size_t>(i)]);
        expected_above += key > to;
        if (key < from || key > to) continue;
        CHECK(expected < found && keys[static_cast<size_t>(expected)] == key &&
              positions[static_cast<size_t>(expected)] == i);
        ++expected;
      }
      CHECK(found == expected);
      CHECK(above == expected_above);
      const auto from_low =
          std::ranges::count_if(keys.data(), keys.data() + found, [&](Key key) { return key >= low; });
      CHECK(kernels.count_from(keys.data(), found, low) == from_low);
      for (const Key key : {Key{0}, key_of(W(1) / 64), FormatOf<W>::kNan}) {
        std::vector<uint32_t> wanted;
        for (size_t i = 0; i < x.size(); ++i) {
          if (key_of(x[i]) == key) wanted.push_back(static_cast<uint32_t>(i));
        }
        const int64_t tied = kernels.find(x.data(), size, key, positions.data());
        CHECK(std::ranges::equal(wanted, std::span(positions).first(static_cast<size_t>(tied))));
      }
    }
  }
}

template <typename W>
void conversions_agree(int64_t size) {
  std::mt19937_64 random(9);
  std::vector<std::byte> stored(static_cast<size_t>(size) * 8);
  for (std::byte& byte : stored) byte = static_cast<std::byte>(random());
  const auto x = numbers<W>(size, 6);
  for (int dtype = 0; dtype < kDtypes; ++dtype) {
    if (!kernels_of<W>(kernels_for(Isa::plain)).widen[dtype]) continue;
    same_in_all<W>(size, [&](const KernelTable& table, Guarded<W>& to) {
      kernels_of<W>(table).widen[dtype](stored.data(), to.data(), size);
      make_nan_canonical(to, size);
    });
    same_in_all<std::byte>(size * size_of(static_cast<Dtype>(dtype)),
                           [&](const KernelTable& t, Guarded<std::byte>& to) {
                             kernels_of<W>(t).narrow[dtype](x.data(), to.bytes(), size);
                           });
  }
}

/// What is computed from stored bytes and marks is what the steps in between give.
template <typename W>
void folded_agree(int64_t size) {
  using Key = Bits<W>;
  std::mt19937_64 random(10);
  std::vector<std::byte> stored(static_cast<size_t>(size) * 8);
  for (std::byte& byte : stored) byte = static_cast<std::byte>(random());
  std::vector<uint64_t> marks(static_cast<size_t>(size / 64 + 1));
  for (uint64_t& word : marks) word = random();
  const auto b = numbers<W>(size, 7);
  const WorkKernels<W>& plain = kernels_of<W>(kernels_for(Isa::plain));
  std::vector<W> widened(static_cast<size_t>(size)), difference(static_cast<size_t>(size));
  std::vector<Key> lanes(static_cast<size_t>(size));
  plain.lanes_of_marks(marks.data(), lanes.data(), size);
  const auto all_give = [&](const Guarded<W>& expected, auto&& run) {
    for (const Isa isa : supported_isas()) {
      Guarded<W> result(size);
      run(kernels_of<W>(kernels_for(isa)), result.data());
      make_nan_canonical(result, size);
      CHECK(result == expected);
    }
  };
  Guarded<W> expected(size);
  plain.select(b.data(), lanes.data(), expected.data(), size);
  make_nan_canonical(expected, size);
  all_give(expected, [&](const WorkKernels<W>& k, W* to) { k.select_marked(b.data(), marks.data(), to, size); });
  for (int dtype = 0; dtype < kDtypes; ++dtype) {
    if (!plain.widen[dtype]) continue;
    plain.widen[dtype](stored.data(), widened.data(), size);
    plain.subtract(widened.data(), b.data(), difference.data(), size);
    std::ranges::copy(difference, expected.data());
    make_nan_canonical(expected, size);
    all_give(expected,
             [&](const WorkKernels<W>& k, W* to) { k.subtract_stored[dtype](stored.data(), b.data(), to, size); });
    plain.select(difference.data(), lanes.data(), expected.data(), size);
    make_nan_canonical(expected, size);
    all_give(expected, [&](const WorkKernels<W>& k, W* to) {
      k.subtract_stored_marked[dtype](stored.data(), b.data(), marks.data(), to, size);
    });
  }
}

}  // namespace

TEST(kernels_arithmetic) {
  for (const int64_t size : theta_test::kSizes) {
    arithmetic_agrees<float>(size);
    arithmetic_agrees<double>(size);
  }
}

TEST(kernels_searches) {
  for (const int64_t size : theta_test::kSizes) {
    searches_agree<float>(size);
    searches_agree<double>(size);
  }
}

TEST(kernels_conversions) {
  for (const int64_t size : theta_test::kSizes) {
    conversions_agree<float>(size);
    conversions_agree<double>(size);
  }
}

TEST(kernels_folded) {
  for (const int64_t size : theta_test::kSizes) {
    folded_agree<float>(size);
    folded_agree<double>(size);
  }
}
