// Where the canonical order of each group is cut by a mask. Two ways to find out: of groups that lie in cache, and of
// groups that are streamed in several passes.
#pragma once

#include <array>

#include "facts.h"
#include "found_elements.h"
#include "marks.h"
#include "statistic.h"

namespace theta {

/// Elements before `outer` and not before `inner` survive.
template <typename W>
struct MaskCuts {
  Cut<Bits<W>> outer, inner;
};

/// A place in a group's canonical order that must be found: the element at position `rank` is the last before the cut.
struct CutWanted {
  bool outer;
  int64_t rank;
};

/// Which cuts of a group of `size` elements lie inside it: at most two. Of a share of what is not 0 the rank is found
/// with the cut.
std::vector<CutWanted> cuts_wanted(const MaskRule& rule, int64_t size);

template <typename W>
class MaskStatistic : public Statistic<W> {
 public:
  MaskStatistic(const MaskRule& rule, int64_t group_size, int64_t groups_kept, Carver& memory)
      : Statistic<W>(group_size),
        rule_(rule),
        wanted_(cuts_wanted(rule, group_size)),
        kept_(memory.take<MaskCuts<W>>(groups_kept)) {}

  /// Of the group with this first element.
  const MaskCuts<W>& cuts(int64_t first) const { return kept_[this->slot(first)]; }
  /// Whether marks() tells what the cuts tell.
  virtual bool has_marks() const { return true; }
  /// What survives of `count` elements from index `begin` on, of groups that are through.
  virtual void marks(int64_t begin, int64_t count, uint64_t* to) const = 0;

 protected:
  using Key = Bits<W>;

  /// Cuts not inside the group are known from the start.
  void start_group(int64_t first) {
    first_ = first;
    MaskCuts<W>& cuts = kept_[this->slot(first)];
    cuts.outer = Cut<Key>::everything();
    cuts.inner = rule_.band.drop >= this->group_size() ? Cut<Key>::everything() : Cut<Key>::nothing();
  }
  void found(const CutWanted& wanted, const Cut<Key>& cut) {
    MaskCuts<W>& cuts = kept_[this->slot(first_)];
    (wanted.outer ? cuts.outer : cuts.inner) = cut;
  }
  int64_t first() const { return first_; }

  const MaskRule rule_;
  const std::vector<CutWanted> wanted_;

 private:
  MaskCuts<W>* const kept_;
  int64_t first_ = 0;
};

}  // namespace theta
