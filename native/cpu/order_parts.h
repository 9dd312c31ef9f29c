// Cuts the canonical order of a group into parts of about one size, going by a sample, and tells in which part an
// element lies. Where a part begins and ends is exact, how many elements it has is not.
#pragma once

#include <algorithm>
#include <bit>
#include <type_traits>

#include "../formula/order.h"
#include "carver.h"

namespace theta {

template <typename W>
class OrderParts {
 public:
  using Key = Bits<W>;

  OrderParts(int64_t most_parts, int64_t most_sampled, Carver& memory)
      : most_parts_(most_parts),
        most_sampled_(most_sampled),
        sample_(memory.take<Place>(most_sampled)),
        edges_(memory.take<Place>(most_parts)),
        starts_(memory.take<uint32_t>(kSlots + 3)) {}

  void begin_sample() { sampled_ = 0; }
  /// An element of the sample with the upper half of its tie. More than there is room for are left out.
  void add(Key key, uint32_t tie) {
    if (sampled_ < most_sampled_) sample_[sampled_++] = place(key, tie);
  }
  int64_t most_sampled() const { return most_sampled_; }

  /// → how many parts there are: at most so many, fewer where elements of the sample are alike.
  int64_t cut(int64_t parts) {
    std::sort(sample_, sample_ + sampled_);
    parts = std::min(parts, most_parts_);
    edge_count_ = 0;
    for (int64_t part = 1; part < parts; ++part) {
      const Place edge = sampled_ > 0 ? sample_[sampled_ * part / parts] : 0;
      if (edge > (edge_count_ > 0 ? edges_[edge_count_ - 1] : 0)) edges_[edge_count_++] = edge;
    }
    index_edges();
    return edge_count_ + 1;
  }

  /// Parts are numbered as the order rises; of `n` elements, of which tie_of(i) is the upper half of the tie.
  template <typename TieOf>
  void parts_of(const Key* keys, int64_t n, TieOf tie_of, uint32_t* to) const {
    for (int64_t i = 0; i < n; ++i) {
      const Key key = keys[i];
      const uint32_t* const start = starts_ + slot(key);
      uint32_t part = start[0], count = start[1] - part;
      if (count > 0) {
        const Place element = place(key, tie_of(i));
        for (; count > 1; count -= count / 2) part += edges_[part + count / 2 - 1] <= element ? count / 2 : 0;
        part += edges_[part] <= element;
      }
      to[i] = part;
    }
  }

 private:
  /// What tells an element's part: the key, then half of the tie. Elements that agree in it share a part.
  __extension__ typedef unsigned __int128 Wide;
  using Place = std::conditional_t<std::is_same_v<W, double>, Wide, uint64_t>;
  static Place place(Key key, uint32_t tie) { return Place{key} << 32 | tie; }
  static Key key_of_place(Place place) { return static_cast<Key>(place >> 32); }

  /// Keys by their first bits: one slot below the first edge, and one behind the last.
  static constexpr int kSlotBits = 13;
  static constexpr int64_t kSlots = int64_t{1} << kSlotBits;
  int64_t slot(Key key) const {
    return key < low_ ? 0 : static_cast<int64_t>(std::min<Key>((key - low_) >> shift_, kSlots)) + 1;
  }

  void index_edges() {
    low_ = edge_count_ > 0 ? key_of_place(edges_[0]) : 0;
    const Key width = edge_count_ > 0 ? static_cast<Key>(key_of_place(edges_[edge_count_ - 1]) - low_) : 0;
    shift_ = std::max(0, static_cast<int>(std::bit_width(width)) - kSlotBits);
    uint32_t edge = 0;
    for (int64_t at = 0; at < kSlots + 3; ++at) {
      while (edge < edge_count_ && slot(key_of_place(edges_[edge])) < at) ++edge;
      starts_[at] = edge;
    }
  }

  const int64_t most_parts_, most_sampled_;
  Place* const sample_;
  /// The first places of all parts but the first.
  Place* const edges_;
  /// By slot: how many edges lie in those before.
  uint32_t* const starts_;
  int64_t sampled_ = 0;
  uint32_t edge_count_ = 0;
  Key low_ = 0;
  int shift_ = 0;
};

}  // namespace theta
