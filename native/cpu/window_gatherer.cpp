#include "window_gatherer.h"

#include <algorithm>

#include "window_elements.h"

namespace theta {

template <typename W>
WindowGatherer<W>::WindowGatherer(const Window& window, int64_t count, const KernelTable& kernels,
                                  const FoundElements<W>& found, Carver& memory)
    : window_(window),
      first_(static_cast<Key>(window.first.key)),
      last_(static_cast<Key>(window.last.key)),
      limit_(std::min(window.limit, count)),
      kernels_(kernels),
      found_(found),
      keys_(memory.take<Key>(limit_ + kBlock)),
      indices_(memory.take<int64_t>(limit_ + kBlock)) {
  result_.thinning = window.thinning;
}

template <typename W>
void WindowGatherer<W>::gather(const Block<W>& block) {
  const W* x = block.value(window_.of);
  const WorkKernels<W>& kernels = kernels_of<W>(kernels_);
  if (last_ > first_) {
    kernels.keys(x, found_.keys, block.count);
    result_.above += kernels.count_from(found_.keys, block.count, static_cast<Key>(first_ + 1));
    return;
  }
  const int64_t found =
      kernels.collect(x, block.count, last_, first_, found_.keys, found_.positions, result_.above, nullptr);
  kernels_.tie_keys(found_.positions, found, static_cast<uint64_t>(block.begin) + window_.stream, found_.ties);
  keep(found, block.begin);
  while (result_.kept > limit_) thin();
}

/// No choice depends on an element: one that is not kept is overwritten by the next, or lies behind the last.
template <typename W>
void WindowGatherer<W>::keep(int64_t found, int64_t begin) {
  const uint64_t dropped = (uint64_t{1} << result_.thinning) - 1;
  int64_t kept = result_.kept, before = 0, behind = 0;
  for (int64_t i = 0; i < found; ++i) {
    const Key key = found_.keys[i];
    const uint64_t tie = found_.ties[i];
    const bool is_before = (key == first_) & (tie > window_.first.tie);
    const bool is_behind = (key == last_) & (tie < window_.last.tie) & !is_before;
    keys_[kept] = key;
    indices_[kept] = begin + found_.positions[i];
    before += is_before;
    behind += is_behind;
    kept += !(is_before | is_behind) & ((tie & dropped) == 0);
  }
  result_.above += before;
  result_.tied_above += before;
  result_.tied_below += behind;
  result_.inside += found - before - behind;
  result_.kept = kept;
}

template <typename W>
void WindowGatherer<W>::thin() {
  const uint64_t dropped = (uint64_t{1} << ++result_.thinning) - 1;
  int64_t kept = 0;
  for (int64_t i = 0; i < result_.kept; ++i) {
    keys_[kept] = keys_[i];
    indices_[kept] = indices_[i];
    kept += (tie_of(indices_[i], window_.stream) & dropped) == 0;
  }
  result_.kept = kept;
}

template <typename W>
FoundInWindow WindowGatherer<W>::finish() {
  WindowElementWriter writer(result_.elements);
  for (int64_t i = 0; i < result_.kept; ++i) writer.add(keys_[i] - last_, indices_[i]);
  return std::move(result_);
}

template class WindowGatherer<float>;
template class WindowGatherer<double>;

}  // namespace theta
