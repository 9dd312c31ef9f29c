#include "window_search.h"

#include <algorithm>
#include <bit>

#include "../formula/order.h"
#include "window_elements.h"

namespace theta {

namespace {

/// Key, then tie: larger ones come first.
__extension__ typedef unsigned __int128 Position;

constexpr uint64_t kLastTie = ~uint64_t{0};

constexpr Position position_of(uint64_t key, uint64_t tie) { return Position{key} << 64 | tie; }
constexpr uint64_t key_of_position(Position position) { return static_cast<uint64_t>(position >> 64); }
constexpr uint64_t tie_of_position(Position position) { return static_cast<uint64_t>(position); }

/// Elements that are brought together and sorted; more are counted in slots first.
constexpr size_t kFew = size_t{1} << 16;
constexpr int kSlotBits = 16;

/// The key of the same value in float64; widening is exact, so the order stays.
uint64_t widened(uint64_t key) { return key_of(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(key)))); }

int bit_width(Position position) {
  const uint64_t high = key_of_position(position);
  return high ? 64 + static_cast<int>(std::bit_width(high))
              : static_cast<int>(std::bit_width(tie_of_position(position)));
}

/// From `low` to `high`, both included.
struct Stretch {
  Position low, high;

  bool operator==(const Stretch&) const = default;
};

/// The parts' elements with keys of one width.
class Elements {
 public:
  explicit Elements(std::span<const WindowPart> parts)
      : parts_(parts), wide_(std::ranges::any_of(parts, &WindowPart::is_f64)) {}

  std::span<const WindowPart> parts() const { return parts_; }

  uint64_t shared(const WindowPart& part, uint64_t key) const { return wide_ && !part.is_f64 ? widened(key) : key; }

  /// Calls `body(part, key, index)` for each element.
  template <typename Body>
  void for_each(Body&& body) const {
    for (size_t number = 0; number < parts_.size(); ++number) {
      const WindowPart& part = parts_[number];
      const auto visit = [&]<bool widens>() {
        for_each_element(part.elements, [&](uint64_t key, uint64_t index) {
          const uint64_t own = part.last_key + key;
          body(number, widens ? widened(own) : own, index);
        });
      };
      wide_ && !part.is_f64 ? visit.template operator()<true>() : visit.template operator()<false>();
    }
  }

  /// Calls `body(number, part, position)` for those in each of the stretches. Ties are made where they are needed.
  template <typename Body>
  void for_each_in(std::span<const Stretch> stretches, Body&& body) const {
    for_each([&](size_t part, uint64_t key, uint64_t index) {
      for (size_t number = 0; number < stretches.size(); ++number) {
        const auto& [low, high] = stretches[number];
        if (key < key_of_position(low) || key > key_of_position(high)) continue;
        const Position position = position_of(key, tie_of(static_cast<int64_t>(index), parts_[part].stream));
        if (position >= low && position <= high) body(number, part, position);
      }
    });
  }

 private:
  std::span<const WindowPart> parts_;
  bool wide_;
};

struct Search {
  double rank;
  /// The element is in here.
  Stretch stretch;
  /// What comes before the stretch weighs.
  double before;
  /// Elements in it, as far as they are counted.
  size_t count;

  bool has_many() const { return count > kFew && stretch.low < stretch.high; }
};

/// The elements of a stretch, counted in slots of equal width.
class Slots {
 private:
  struct Slot {
    double weight;
    size_t count;
  };

 public:
  static constexpr size_t kBytes = sizeof(Slot) << kSlotBits;

  Slots(const Elements& elements, const Stretch& stretch)
      : stretch_(stretch), shift_(std::max(0, bit_width(stretch.high - stretch.low) - kSlotBits)) {
    const auto& [low, high] = stretch;
    if (tie_of_position(low) == 0 && tie_of_position(high) == kLastTie && shift_ >= 64) {
      const uint64_t first = key_of_position(low), width = key_of_position(high) - first;
      elements.for_each([&](size_t part, uint64_t key, uint64_t) {
        if (key - first <= width) add((key - first) >> (shift_ - 64), elements.parts()[part].weight);
      });
    } else {
      elements.for_each_in({&stretch, 1}, [&](size_t, size_t part, Position position) {
        add(static_cast<size_t>((position - low) >> shift_), elements.parts()[part].weight);
      });
    }
  }

  /// Leaves of the search's stretch the slot with the rank, or the last one with elements.
  void narrow(Search& search) const {
    size_t found = 0;
    search.count = 0;
    for (size_t slot = slots_.size(); slot-- > 0;) {
      if (slots_[slot].count == 0) continue;
      if (search.count > 0) search.before += slots_[found].weight;
      found = slot;
      search.count = slots_[slot].count;
      if (search.before + slots_[slot].weight > search.rank) break;
    }
    const Position low = stretch_.low + (Position{found} << shift_);
    search.stretch = {low, std::min(stretch_.high, low + ((Position{1} << shift_) - 1))};
  }

 private:
  void add(size_t slot, double weight) {
    slots_[slot].weight += weight;
    ++slots_[slot].count;
  }

  const Stretch stretch_;
  const int shift_;
  std::vector<Slot> slots_ = std::vector<Slot>(size_t{1} << kSlotBits);
};

/// Until each search has few elements left; those that look at one stretch count it once.
void narrow(const Elements& elements, std::vector<Search>& searches) {
  while (true) {
    const auto open = std::ranges::find_if(searches, &Search::has_many);
    if (open == searches.end()) return;
    const Stretch stretch = open->stretch;
    const Slots slots(elements, stretch);
    for (Search& search : searches) {
      if (search.has_many() && search.stretch == stretch) slots.narrow(search);
    }
  }
}

struct Element {
  Position position;
  size_t part;
};

/// The element with the rank, of those in the search's stretch.
Element choose(std::vector<Element>& among, const Search& search, std::span<const WindowPart> parts) {
  if (among.empty()) throw Error(ErrorCode::input, "elements lie outside their windows");
  std::ranges::sort(among, [](const Element& a, const Element& b) {
    return a.position != b.position ? a.position > b.position : a.part < b.part;
  });
  size_t at = 0;
  for (double before = search.before; at + 1 < among.size(); ++at) {
    before += parts[among[at].part].weight;
    if (before > search.rank) break;
  }
  return among[at];
}

std::vector<Element> choose_all(const Elements& elements, std::span<const Search> searches) {
  std::vector<std::vector<Element>> among(searches.size());
  std::vector<Stretch> stretches;
  for (size_t i = 0; i < searches.size(); ++i) {
    among[i].reserve(searches[i].count);
    stretches.push_back(searches[i].stretch);
  }
  elements.for_each_in(stretches, [&](size_t search, size_t part, Position position) {
    among[search].push_back({position, part});
  });
  std::vector<Element> chosen;
  for (size_t i = 0; i < searches.size(); ++i) chosen.push_back(choose(among[i], searches[i], elements.parts()));
  return chosen;
}

Stretch everything(const Elements& elements) {
  uint64_t least = kLastTie, largest = 0;
  for (const WindowPart& part : elements.parts()) {
    least = std::min(least, elements.shared(part, part.last_key));
    largest = std::max(largest, elements.shared(part, part.first_key));
  }
  return {position_of(least, 0), position_of(largest, kLastTie)};
}

}  // namespace

std::vector<FoundElement> find_elements(std::span<const WindowPart> parts, std::span<const double> ranks) {
  const Elements elements(parts);
  const Stretch all = everything(elements);
  if (all.high < all.low) return {};
  std::vector<Search> searches;
  for (const double rank : ranks) searches.push_back({rank, all, 0, SIZE_MAX});
  narrow(elements, searches);
  if (std::ranges::any_of(searches, [](const Search& search) { return search.count == 0; })) return {};
  std::vector<FoundElement> found;
  std::vector<Stretch> keys;
  for (const auto& [position, part] : choose_all(elements, searches)) {
    const uint64_t key = key_of_position(position);
    const std::vector<int64_t> none(parts.size());
    found.push_back({part, key, tie_of_position(position), none, none});
    keys.push_back({position_of(key, 0), position_of(key, kLastTie)});
  }
  elements.for_each_in(keys, [&](size_t number, size_t part, Position position) {
    FoundElement& element = found[number];
    const Position own = position_of(element.key, element.tie);
    ++element.tied[part];
    element.tied_before[part] += position > own || (position == own && part <= element.part);
  });
  return found;
}

int64_t find_peak_bytes(std::span<const double> ranks) {
  return static_cast<int64_t>(Slots::kBytes + ranks.size() * kFew * sizeof(Element));
}

}  // namespace theta
