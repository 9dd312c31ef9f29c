// Finds elements by rank among what windows of several tensors hold, in the canonical order that they share.
#pragma once

#include <span>
#include <vector>

#include "window.h"

namespace theta {

/// What one tensor has in a window. Parts stand in the order of the tensors' names.
struct WindowPart {
  std::span<const std::byte> elements;
  /// Keys are of float64, else of float32.
  bool is_f64;
  /// Of `Window::first` and `Window::last`, in the part's own W.
  uint64_t first_key, last_key;
  uint64_t stream;
  /// Elements that one which was kept stands for.
  double weight;
};

struct FoundElement {
  size_t part;
  /// Of float64 where any part's keys are, else of float32.
  uint64_t key, tie;
  /// By part: elements with this key, and those of them that do not come behind this element.
  std::vector<int64_t> tied, tied_before;
};

/// For each rank the element before which others that weigh so much come, or the last; none at all where the parts have
/// no elements. Throws Error(input) for parts that were damaged.
std::vector<FoundElement> find_elements(std::span<const WindowPart> parts, std::span<const double> ranks);

/// Bytes that it takes for itself, unless very many elements have the same key and tie.
int64_t find_peak_bytes(std::span<const double> ranks);

}  // namespace theta
