#include "window_search.h"

#include <algorithm>
#include <bit>

#include "../formula/order.h"
#include "window_elements.h"

namespace theta {

namespace {

/// Key, then tie: larger ones come first.
__extension__ typedef unsigned __int128 Position;

constexpr Position position_of(uint64_t key, uint64_t tie) { return Position{key} << 64 | tie; }
constexpr uint64_t key_of_position(Position position) { return static_cast<uint64_t>(position >> 64); }
constexpr uint64_t tie_of_position(Position position) { return static_cast<uint64_t>(position); }

/// Elements that are brought together and sorted; more are counted in parts first.
constexpr size_t kFew = size_t{1} << 16;
constexpr int kSlotBits = 16;

/// The key of the same value in float64; widening is exact, so the order stays.
uint64_t widened(uint64_t key) { return key_of(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(key)))); }

int bit_width(Position position) {
  const uint64_t high = key_of_position(position);
  return high ? 64 + static_cast<int>(std::bit_width(high))
              : static_cast<int>(std::bit_width(tie_of_position(position)));
}

/// Calls `body(part, key, index)` for each element of all parts.
template <typename Body>
void for_each(std::span<const WindowPart> parts, bool wide, Body&& body) {
  for (size_t part = 0; part < parts.size(); ++part) {
    const bool widens = wide && !parts[part].is_f64;
    for_each_element(parts[part].elements, [&](uint64_t key, uint64_t index) {
      const uint64_t own = parts[part].last_key + key;
      body(part, widens ? widened(own) : own, index);
    });
  }
}

struct Element {
  Position position;
  size_t part;
};

/// The part of the order in which the element is, and the weight of what comes before it.
struct Range {
  Position low, high;
  double before;
};

/// Counts the range's elements in parts and leaves the one with the rank; → how many elements that has.
size_t narrow(std::span<const WindowPart> parts, bool wide, double rank, Range& range) {
  const int shift = std::max(0, bit_width(range.high - range.low) - kSlotBits);
  std::vector<double> weights(size_t{1} << kSlotBits);
  std::vector<size_t> counts(size_t{1} << kSlotBits);
  for_each(parts, wide, [&](size_t part, uint64_t key, uint64_t index) {
    const Position position = position_of(key, tie_of(static_cast<int64_t>(index), parts[part].stream));
    if (position < range.low || position > range.high) return;
    const auto slot = static_cast<size_t>((position - range.low) >> shift);
    weights[slot] += parts[part].weight;
    ++counts[slot];
  });
  size_t found = 0;
  bool any = false;
  double before = range.before;
  for (size_t slot = weights.size(); slot-- > 0;) {
    if (counts[slot] == 0) continue;
    found = slot;
    any = true;
    if (before + weights[slot] > rank) break;
    before += weights[slot];
  }
  if (!any) return 0;
  // Behind the last element: then it is the last.
  if (before + weights[found] <= rank) before -= weights[found];
  const Position low = range.low + (Position{found} << shift);
  range = {low, std::min(range.high, low + ((Position{1} << shift) - 1)), before};
  return counts[found];
}

std::vector<Element> elements_in(std::span<const WindowPart> parts, bool wide, const Range& range) {
  std::vector<Element> elements;
  for_each(parts, wide, [&](size_t part, uint64_t key, uint64_t index) {
    if (key < key_of_position(range.low) || key > key_of_position(range.high)) return;
    const Position position = position_of(key, tie_of(static_cast<int64_t>(index), parts[part].stream));
    if (position >= range.low && position <= range.high) elements.push_back({position, part});
  });
  return elements;
}

}  // namespace

std::optional<FoundElement> find_element(std::span<const WindowPart> parts, double rank) {
  const bool wide = std::ranges::any_of(parts, &WindowPart::is_f64);
  uint64_t least = ~uint64_t{0}, largest = 0;
  size_t count = 0;
  for_each(parts, wide, [&](size_t, uint64_t key, uint64_t) {
    least = std::min(least, key);
    largest = std::max(largest, key);
    ++count;
  });
  if (count == 0) return std::nullopt;
  Range range{position_of(least, 0), position_of(largest, ~uint64_t{0}), 0};
  while (count > kFew && range.low < range.high) count = narrow(parts, wide, rank, range);
  std::vector<Element> elements = elements_in(parts, wide, range);
  std::ranges::sort(elements, [](const Element& a, const Element& b) {
    return a.position != b.position ? a.position > b.position : a.part < b.part;
  });
  size_t at = 0;
  for (double before = range.before; at + 1 < elements.size(); ++at) {
    before += parts[elements[at].part].weight;
    if (before > rank) break;
  }
  const Element& found = elements[at];
  FoundElement result{found.part, key_of_position(found.position), tie_of_position(found.position), {}, {}};
  result.tied.resize(parts.size());
  result.tied_before.resize(parts.size());
  for_each(parts, wide, [&](size_t part, uint64_t key, uint64_t index) {
    if (key != result.key) return;
    const uint64_t tie = tie_of(static_cast<int64_t>(index), parts[part].stream);
    ++result.tied[part];
    result.tied_before[part] += tie > result.tie || (tie == result.tie && part <= result.part);
  });
  return result;
}

}  // namespace theta
