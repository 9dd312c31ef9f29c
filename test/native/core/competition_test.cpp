// Which elements pcb balances at all: whatever the values are, none may be left out whose balance reaches the floor.

#include "cpu/competition.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "../check.h"
#include "cpu/arena.h"
#include "formula/compete.h"
#include "samples.h"

namespace {

using namespace theta;
using theta_test::numbers;

/// `opposed`: shares of changing sign that all but cancel out.
enum class Kind { any, finite, ordinary, opposed };

template <typename W>
std::vector<W> ordinary(unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 0.01);
  std::vector<W> all(kBlock);
  for (W& x : all) x = static_cast<W>(normal(random));
  return all;
}

/// Sizes of all vectors agree but for a few of their last bits; where one has no partner, it is close to the smallest.
template <typename W>
std::vector<W> opposed(int vector, int count) {
  std::mt19937_64 common(7), own(static_cast<uint64_t>(vector));
  std::vector<W> all(kBlock);
  for (W& x : all) {
    const auto size = static_cast<W>(static_cast<double>(common() % 1000 + 1) / 1024);
    const auto nearly = static_cast<W>(size * (1 + static_cast<W>(own() % 8) * 0x1p-23));
    x = vector == count - 1 && count % 2 == 1 ? static_cast<W>(1.0 / 1024 + static_cast<double>(own() % 9) * 0x1p-24)
                                              : nearly;
    if (vector % 2 == 1) x = -x;
  }
  return all;
}

/// `count` vectors of a block, times `scale`; one of one size, and one of nothing.
template <typename W>
struct Vectors {
  Vectors(int count, double scale, Kind kind) {
    for (int k = 0; k < count; ++k) {
      const auto seed = static_cast<unsigned>(100 + k);
      if (kind == Kind::ordinary) {
        values.push_back(ordinary<W>(seed));
      } else if (kind == Kind::opposed) {
        values.push_back(opposed<W>(k, count));
      } else {
        values.push_back(numbers<W>(kBlock, seed, kind == Kind::finite));
      }
      for (W& x : values.back()) x = static_cast<W>(x * static_cast<W>(scale));
      if (kind == Kind::opposed) continue;
      if (k == 2) std::ranges::fill(values.back(), static_cast<W>(scale));
      if (k == 3) std::ranges::fill(values.back(), W{0});
    }
    for (const auto& of : values) pointers.push_back(of.data());
  }
  Block<W> block() { return {0, kBlock, pointers.data(), nullptr}; }

  std::vector<std::vector<W>> values;
  std::vector<const W*> pointers;
};

/// Sizes that as many elements lie outside of as `clip` says; of NaN there is none.
template <typename W>
Competitor<W> rule_of(std::vector<W> values, double clip) {
  std::vector<Bits<W>> keys;
  for (const W x : values) keys.push_back(key_of(x));
  std::ranges::sort(keys);
  const auto outside = static_cast<size_t>(clip * static_cast<double>(keys.size()));
  return {std::bit_cast<W>(keys[outside]), std::bit_cast<W>(keys[keys.size() - 1 - outside]), W(0.7), 0, 0};
}

/// A floor that comes from balances of changes of usual size.
constexpr double kUsualFloor = 1e-7;

/// → how many elements were found that do not reach a usual floor, of all that do not.
template <typename W>
double share_in_vain(int count, double scale, double clip, Kind kind) {
  Vectors<W> vectors(count, scale, kind);
  Pcb operation{};
  std::vector<Competitor<W>> rules;
  for (int k = 0; k < count; ++k) {
    operation.of.push_back(k);
    rules.push_back(rule_of(vectors.values[static_cast<size_t>(k)], clip));
  }
  Carver measure(nullptr);
  const KernelTable& kernels = kernels_for(supported_isas().front());
  Contenders<W>(operation, kernels, measure);
  std::vector<std::byte> room(static_cast<size_t>(measure.used()) + 64);
  const auto first = reinterpret_cast<uintptr_t>(room.data());
  Carver memory(room.data() + (64 - first % 64) % 64);
  Contenders<W> contenders(operation, kernels, memory);
  contenders.hold_within(rules.data());
  int64_t in_vain = 0, below = 0;
  for (size_t k = 0; k < std::min<size_t>(rules.size(), 4); ++k) {
    for (size_t other = 0; other < rules.size(); ++other) contenders.leave_out(other);
    contenders.leave_out_below(k, -1);
    contenders.find(vectors.block(), 0, kBlock);
    CHECK(contenders.positions(k).size() == kBlock);
    const double* all = contenders.balances(k);
    const std::vector<double> balances(all, all + kBlock);
    std::vector<double> ordered(balances), floors{1e-40, 1e-25, 1e-9};
    std::ranges::sort(ordered);
    // Floors that elements have themselves: of these the bound may be below least of all.
    for (size_t at = 0; at < kBlock; at += kind == Kind::opposed ? 7 : 105) {
      if (ordered[at] > 0) floors.push_back(ordered[at]);
    }
    for (const double floor : floors) {
      contenders.leave_out_below(k, floor);
      contenders.find(vectors.block(), 0, kBlock);
      std::vector<bool> is_found(kBlock);
      for (const uint32_t position : contenders.positions(k)) is_found[position] = true;
      for (size_t i = 0; i < kBlock; ++i) {
        const bool is_below = balances[i] < floor;
        CHECK(is_below || is_found[i]);
        if (floor < kUsualFloor) continue;
        below += is_below;
        in_vain += is_below && is_found[i];
      }
    }
    contenders.leave_out(k);
    contenders.find(vectors.block(), 0, kBlock);
    CHECK(contenders.positions(k).empty());
  }
  return static_cast<double>(in_vain) / static_cast<double>(std::max<int64_t>(below, 1));
}

template <typename W>
void contenders_are_found() {
  for (const int count : {1, 2, 3, 5, 40, 64, 65, 200}) {
    for (const double scale : {1e-42, 1e-30, 1e-6, 0.1, 30.0, 1e36}) {
      for (const double clip : {0.0, 0.01, 0.4}) {
        for (const Kind kind : {Kind::any, Kind::finite, Kind::opposed}) share_in_vain<W>(count, scale, clip, kind);
      }
    }
  }
}

}  // namespace

TEST(finds_all_contenders_of_floats) { contenders_are_found<float>(); }

TEST(finds_all_contenders_of_doubles) { contenders_are_found<double>(); }

TEST(rough_powers_of_two_are_as_close_as_the_bound_needs) {
  for (int at = 0; at < 100 * 4096; ++at) {
    const double x = at / 4096.0, power = std::exp2(x), most = 0x1p-13 * power;
    CHECK(std::abs(rough_power_of_two(static_cast<float>(x)) - power) < most);
    CHECK(std::abs(rough_power_of_two(x) - power) < most);
  }
}

TEST(balances_hardly_more_than_it_must) {
  for (const int count : {2, 3, 5}) CHECK(share_in_vain<float>(count, 0.1, 0.01, Kind::ordinary) < 0.01);
}
