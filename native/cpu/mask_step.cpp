// Masks: what was marked when their cuts were found; or else a comparison of keys with the cuts of their group, in
// which only elements whose key is a cut's are told apart by their ties.
#include <algorithm>

#include "steps.h"

namespace theta {

namespace {

/// Marks what lies between two cuts.
template <typename W>
struct Marker {
  using Key = Bits<W>;
  const KernelTable& kernels;
  const FoundElements<W>& found;
  uint64_t tie;

  /// Of `count` elements from linear index `index` on.
  void mark(const MaskCuts<W>& cuts, const W* x, int64_t index, int64_t count, Key* mask) const {
    // Ties of the outer cut start outside the mask, those of the inner cut inside.
    const auto edge = [](const Cut<Key>& cut) { return cut.tie ? static_cast<Key>(cut.key + 1) : cut.key; };
    kernels_of<W>(kernels).band(x, edge(cuts.outer), edge(cuts.inner), mask, count);
    if (cuts.outer.tie) mark_ties(cuts.outer, x, index, count, static_cast<Key>(~Key{0}), mask);
    if (cuts.inner.tie) mark_ties(cuts.inner, x, index, count, Key{0}, mask);
  }

  /// Gives the elements whose key is the cut's and that lie before it this value.
  void mark_ties(const Cut<Key>& cut, const W* x, int64_t index, int64_t count, Key value, Key* mask) const {
    const int64_t tied = kernels_of<W>(kernels).find(x, count, cut.key, found.positions);
    kernels.tie_keys(found.positions, tied, static_cast<uint64_t>(index) + tie, found.ties);
    for (int64_t i = 0; i < tied; ++i) {
      Key& lane = mask[found.positions[i]];
      lane = found.ties[i] >= cut.tie ? value : lane;
    }
  }
};

}  // namespace

template <typename W>
Step<W> make_mask_step(ValueId id, const MaskRule& rule, const StepContext<W>& context) {
  if (!context.statistics[id]) {
    // Every group is kept as a whole, or dropped.
    const Bits<W> lanes = rule.band.keep > 0 ? static_cast<Bits<W>>(~Bits<W>{0}) : 0;
    return [lanes](const Block<W>& block, W* to) { std::fill_n(reinterpret_cast<Bits<W>*>(to), block.count, lanes); };
  }
  const auto* statistic = static_cast<const MaskStatistic<W>*>(context.statistics[id].get());
  if (statistic->has_marks()) {
    return [statistic, &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
      uint64_t marks[Marks::words(kBlock)];
      statistic->marks(block.begin, block.count, marks);
      kernels.lanes_of_marks(marks, reinterpret_cast<Bits<W>*>(to), block.count);
    };
  }
  const Marker<W> marker{context.kernels, context.found, rule.tie};
  return [marker, statistic, of = rule.of](const Block<W>& block, W* to) {
    for_each_group(block.begin, block.count, statistic->group_size(),
                   [&](int64_t first, int64_t offset, int64_t count) {
                     marker.mark(statistic->cuts(first), block.value(of) + offset, block.begin + offset, count,
                                 reinterpret_cast<Bits<W>*>(to) + offset);
                   });
  };
}

template <typename W>
Step<W> make_cut_step(const ModelCut& operation, const StepContext<W>& context) {
  const auto narrow = [](const Cut<uint64_t>& cut) { return Cut<Bits<W>>{static_cast<Bits<W>>(cut.key), cut.tie}; };
  const MaskCuts<W> cuts{narrow(operation.outer), narrow(operation.inner)};
  const Marker<W> marker{context.kernels, context.found, operation.tie};
  return [marker, cuts, of = operation.of](const Block<W>& block, W* to) {
    marker.mark(cuts, block.value(of), block.begin, block.count, reinterpret_cast<Bits<W>*>(to));
  };
}

template Step<float> make_mask_step<float>(ValueId, const MaskRule&, const StepContext<float>&);
template Step<double> make_mask_step<double>(ValueId, const MaskRule&, const StepContext<double>&);
template Step<float> make_cut_step<float>(const ModelCut&, const StepContext<float>&);
template Step<double> make_cut_step<double>(const ModelCut&, const StepContext<double>&);

}  // namespace theta
