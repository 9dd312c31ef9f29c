// Finds the element at a rank among what windows of several tensors hold, in the canonical order that they share.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "window.h"

namespace theta {

/// What one tensor has in a window. Parts stand in the order of the tensors' names.
struct WindowPart {
  std::span<const std::byte> elements;
  /// Keys are of float64, else of float32.
  bool is_f64;
  /// Of `Window::last`, in the part's own W.
  uint64_t last_key;
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

/// The element before which others that weigh `rank` come, or the last; nothing where there is none. Throws
/// Error(input) for parts that were damaged.
std::optional<FoundElement> find_element(std::span<const WindowPart> parts, double rank);

}  // namespace theta
