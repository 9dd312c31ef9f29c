// Which elements pcb balances at all: whatever the values are, none may be left out whose balance reaches the floor.

#include "cpu/competition.h"

#include <algorithm>
#include <bit>
#include <random>

#include "../check.h"
#include "cpu/arena.h"
#include "samples.h"

namespace {

using namespace theta;
using theta_test::numbers;

enum class Kind { any, finite, ordinary };

template <typename W>
std::vector<W> ordinary(unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 0.01);
  std::vector<W> all(kBlock);
  for (W& x : all) x = static_cast<W>(normal(random));
  return all;
}

/// `count` vectors of a block, times `scale`; one of one size, and one of nothing.
template <typename W>
struct Vectors {
  Vectors(int count, double scale, Kind kind) {
    for (int k = 0; k < count; ++k) {
      const auto seed = static_cast<unsigned>(100 + k);
      values.push_back(kind == Kind::ordinary ? ordinary<W>(seed) : numbers<W>(kBlock, seed, kind == Kind::finite));
      for (W& x : values.back()) x = static_cast<W>(x * static_cast<W>(scale));
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
    for (const size_t at : {300, 480, 510}) {
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
        for (const Kind kind : {Kind::any, Kind::finite}) share_in_vain<W>(count, scale, clip, kind);
      }
    }
  }
}

}  // namespace

TEST(finds_all_contenders_of_floats) { contenders_are_found<float>(); }

TEST(finds_all_contenders_of_doubles) { contenders_are_found<double>(); }

TEST(balances_hardly_more_than_it_must) {
  for (const int count : {2, 3, 5}) CHECK(share_in_vain<float>(count, 0.1, 0.01, Kind::ordinary) < 0.01);
}
