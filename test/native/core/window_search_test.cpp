// Elements by rank against a full sort: with more of them than are sorted at once, and more with one key than that.

#include "cpu/window_search.h"

#include <algorithm>
#include <random>
#include <tuple>

#include "../check.h"
#include "cpu/window_elements.h"
#include "formula/order.h"

namespace {

using namespace theta;

/// What is kept of one tensor.
struct Kept {
  std::vector<std::byte> elements;
  std::vector<uint64_t> keys;
  std::vector<int64_t> indices;
  bool is_f64;
  uint64_t first_key, last_key, stream;
  double weight;

  WindowPart part() const { return {elements, is_f64, first_key, last_key, stream, weight}; }
};

template <typename W, typename Value>
Kept kept(size_t count, uint64_t seed, double weight, Value&& value) {
  std::mt19937_64 random(seed);
  Kept result{{}, {}, {}, std::is_same_v<W, double>, 0, ~uint64_t{0}, seed * 0x9e3779b97f4a7c15u, weight};
  int64_t index = 0;
  for (size_t i = 0; i < count; ++i) {
    result.keys.push_back(key_of(static_cast<W>(value(random))));
    result.indices.push_back(index += static_cast<int64_t>(1 + random() % 300));
    result.first_key = std::max(result.first_key, result.keys.back());
    result.last_key = std::min(result.last_key, result.keys.back());
  }
  WindowElementWriter writer(result.elements);
  for (size_t i = 0; i < count; ++i) writer.add(result.keys[i] - result.last_key, result.indices[i]);
  return result;
}

struct Element {
  uint64_t key, tie;
  size_t part;
};

/// In canonical order, in the widest W.
std::vector<Element> sorted(const std::vector<Kept>& all) {
  const bool wide = std::ranges::any_of(all, &Kept::is_f64);
  std::vector<Element> elements;
  for (size_t part = 0; part < all.size(); ++part) {
    for (size_t i = 0; i < all[part].keys.size(); ++i) {
      uint64_t key = all[part].keys[i];
      if (wide && !all[part].is_f64) {
        key = key_of(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(key))));
      }
      elements.push_back({key, tie_of(all[part].indices[i], all[part].stream), part});
    }
  }
  std::ranges::sort(elements, [](const Element& a, const Element& b) {
    return std::tuple(~a.key, ~a.tie, a.part) < std::tuple(~b.key, ~b.tie, b.part);
  });
  return elements;
}

bool is_found(const FoundElement& found, const std::vector<Element>& order, const std::vector<Kept>& all, double rank) {
  size_t at = 0;
  for (double before = 0; at + 1 < order.size(); ++at) {
    before += all[order[at].part].weight;
    if (before > rank) break;
  }
  const Element& wanted = order[at];
  std::vector<int64_t> tied(all.size()), tied_before(all.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i].key != wanted.key) continue;
    ++tied[order[i].part];
    tied_before[order[i].part] += i <= at;
  }
  return found.part == wanted.part && found.key == wanted.key && found.tie == wanted.tie && found.tied == tied &&
         found.tied_before == tied_before;
}

void check_all(const std::vector<Kept>& all) {
  std::vector<WindowPart> parts;
  for (const Kept& one : all) parts.push_back(one.part());
  const std::vector<Element> order = sorted(all);
  double total = 0;
  for (const Element& element : order) total += all[element.part].weight;
  const std::vector<double> ranks{-1, 0, 1, total / 5, total / 5 + 0.5, total / 2, total / 2, total - 1, total, 1e300};
  const std::vector<FoundElement> found = find_elements(parts, ranks);
  CHECK(found.size() == ranks.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(is_found(found[i], order, all, ranks[i]));
    CHECK(find_elements(parts, {&ranks[i], 1}).front().tie == found[i].tie);
  }
}

std::normal_distribution<double> normal;

constexpr size_t kMany = 150000;

}  // namespace

TEST(finds_elements_by_rank) {
  check_all({kept<float>(kMany, 1, 1, normal), kept<float>(100, 2, 1, normal), kept<float>(40000, 3, 1, normal)});
}

TEST(finds_elements_by_rank_where_many_share_a_key) {
  const auto one = [](auto&) { return 0.5; };
  const auto few = [](auto& random) { return static_cast<double>(random() % 3) / 8; };
  check_all({kept<float>(kMany, 4, 1, one), kept<float>(kMany, 5, 1, one)});
  check_all({kept<float>(kMany, 6, 1, few), kept<float>(kMany, 7, 1, one), kept<float>(0, 8, 1, one)});
  check_all({kept<double>(kMany, 9, 1, few)});
}

TEST(finds_elements_by_rank_in_both_widths) {
  check_all({kept<float>(kMany, 10, 1, normal), kept<double>(kMany, 11, 1, normal)});
  // Close together in float64, one key in float32.
  const auto close = [](auto& random) { return 1 + static_cast<double>(random() % 1000) * 0x1p-40; };
  check_all({kept<float>(kMany, 12, 1, close), kept<double>(kMany, 13, 1, close)});
}

TEST(finds_elements_by_what_others_weigh) {
  check_all({kept<float>(kMany, 14, 64, normal), kept<float>(3000, 15, 1, normal), kept<float>(9, 16, 0, normal)});
}

TEST(finds_no_element_where_there_are_none) {
  const std::vector<double> ranks{0, 7};
  CHECK(find_elements({}, ranks).empty());
  const Kept nothing{{}, {}, {}, false, 5, 0, 1, 1}, turned{{}, {}, {}, false, 0, 5, 1, 1};
  for (const Kept& one : {nothing, turned}) CHECK(find_elements(std::vector{one.part(), one.part()}, ranks).empty());
  const Kept some = kept<float>(5, 17, 1, normal);
  CHECK(find_elements(std::vector{some.part()}, {}).empty());
}

TEST(refuses_elements_that_end_early) {
  Kept damaged = kept<float>(5, 18, 1, normal);
  damaged.elements.pop_back();
  damaged.elements.push_back(std::byte{0x80});
  bool refused = false;
  try {
    find_elements(std::vector{damaged.part()}, std::vector<double>{0});
  } catch (const Error& error) {
    refused = error.code == ErrorCode::input;
  }
  CHECK(refused);
}
