// Every kernel of every instruction set against the plain ones, bit for bit, at sizes around vectors and tiles, and
// what lies behind the output is left alone. That the plain ones are right is for the other tests and the golden cases.

#include "cpu/kernels.h"

#include <algorithm>

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
  for (const Elect elect : {Elect::weighted, Elect::unweighted, Elect::count}) {
    for (const DivideBy divide : {DivideBy::weights, DivideBy::count, DivideBy::none}) {
      for (const W* table : {divisors, static_cast<const W*>(nullptr)}) {
        each([&](const Kernels& k, W* to) { k.ties(terms, {elect, divide, table, exact}, to, size); });
      }
    }
  }
  const Key low = key_of(W(0.005)), high = key_of(W(0.01));
  std::vector<Key> mask(static_cast<size_t>(size));
  kernels_of<W>(kernels_for(Isa::plain)).band(y.data(), low, high, mask.data(), size);
  each([&](const Kernels& k, W* to) { k.select(x.data(), mask.data(), to, size); });
  for (const Isa isa : supported_isas()) {
    const Kernels& k = kernels_of<W>(kernels_for(isa));
    CHECK(k.mask_count(mask.data(), size) == std::ranges::count(mask, static_cast<Key>(~Key{0})));
  }
}

template <typename W>
void searches_agree(int64_t size) {
  using Key = Bits<W>;
  const auto x = numbers<W>(size, 5);
  same_in_all<Key>(size,
                   [&](const KernelTable& t, Guarded<Key>& to) { kernels_of<W>(t).keys(x.data(), to.data(), size); });
  const Key low = key_of(W(0.005)), high = key_of(W(0.01)), all = static_cast<Key>(~Key{0});
  for (const auto& [from, to_key] : {std::pair{low, high}, std::pair{Key{0}, all}, std::pair{high, high}}) {
    same_in_all<Key>(size, [&](const KernelTable& table, Guarded<Key>& to) {
      kernels_of<W>(table).band(x.data(), from, to_key, to.data(), size);
    });
    for (const Isa isa : supported_isas()) {
      std::vector<Key> keys(static_cast<size_t>(size + kCollectSlack));
      std::vector<uint32_t> positions(static_cast<size_t>(size + kCollectSlack));
      const Key last = std::min(to_key, static_cast<Key>(FormatOf<W>::kMagnitude));
      const int64_t found =
          kernels_of<W>(kernels_for(isa)).collect(x.data(), size, from, last, keys.data(), positions.data());
      int64_t expected = 0;
      for (int64_t i = 0; i < size; ++i) {
        const Key key = key_of(x[static_cast<size_t>(i)]);
        if (key < from || key > last) continue;
        CHECK(expected < found && keys[static_cast<size_t>(expected)] == key &&
              positions[static_cast<size_t>(expected)] == i);
        ++expected;
      }
      CHECK(found == expected);
    }
  }
  const int shift = kKeyBits<W> - 16;
  for (const Isa isa : supported_isas()) {
    std::vector<int64_t> table(2 << 16), expected(1 << 16);
    kernels_of<W>(kernels_for(isa)).histogram(x.data(), size, shift, table.data());
    for (const W value : x) ++expected[static_cast<size_t>(key_of(value) >> shift)];
    bool same = true;
    for (size_t i = 0; i < expected.size(); ++i) same = same && table[2 * i] + table[2 * i + 1] == expected[i];
    CHECK(same);
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
