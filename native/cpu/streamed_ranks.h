// The elements at given ranks of a group that is larger than the cache, in several passes over its values. A sample
// tells between which two elements of the order the one wanted lies, give or take; one pass over the group counts what
// comes before them and keeps what lies between, and the one wanted is among these. Where not so many can be kept, or a
// sample misled, passes count the candidates in many parts and leave those of one, until what is left fits: never
// wrong, only slower. Knows nothing of masks: what the values are and what is done with the elements is the caller's
// business.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "found_elements.h"
#include "key_search.h"
#include "marks.h"
#include "sample_runs.h"

namespace theta {

/// How values become keys; keys are compared as signed integers.
template <typename K>
struct RankOrder {
  void (*keys)(const K* x, Bits<K>* to, int64_t n);
  /// As WorkKernels::collect.
  int64_t (*collect)(const K* x, int64_t n, Bits<K> low, Bits<K> high, Bits<K>* keys, uint32_t* positions,
                     int64_t& above, uint64_t* marks);
  Bits<K> lowest, highest;
};

/// The canonical order: by |x|.
template <typename K>
RankOrder<K> by_magnitude(const KernelTable& table) {
  const WorkKernels<K>& kernels = kernels_of<K>(table);
  return {kernels.keys, kernels.collect, 0, FormatOf<K>::kNan};
}

/// The order of numbers, NaN above all.
inline RankOrder<double> by_number(const KernelTable& table) {
  return {table.number_keys, table.collect_numbers, number_key_of(-__builtin_inf()), F64::kNan};
}

/// Which element is wanted: the one at `at`, 0 being the first of the order; or, where `of_nonzero` is above 0, the
/// last of the trunc(count of elements other than 0 × of_nonzero) first ones.
struct Rank {
  int64_t at = 0;
  double of_nonzero = 0;
};

template <typename K>
class StreamedRanks {
 public:
  /// `capacity`: elements kept a rank in a pass. `tie`: the stream by which equal keys are ordered. `found` has room
  /// for a block. `before`: empty, or for each rank where to mark what comes up to its
  /// element, if one is wanted.
  StreamedRanks(const std::vector<Rank>& wanted, int64_t group_size, int64_t capacity, uint64_t tie,
                const RankOrder<K>& order, const KernelTable& kernels, const FoundElements<K>& found, Carver& memory,
                std::span<Marks> before = {});

  void begin();
  /// The next `count` values of the group; `index` is the first one's in the tensor.
  void gather(const K* x, int64_t count, int64_t index);
  /// The same, of those at these positions from `index` on. Only elements with keys below least_of_interest() may be
  /// left out, and only where nothing is marked.
  void gather_some(const K* x, const uint32_t* positions, int64_t count, int64_t index);
  /// The key from which on the next pass looks at elements; none if it needs no element any more.
  std::optional<Bits<K>> least_of_interest() const;
  /// → false where another pass over the group is needed. One of few elements that fits the capacity needs no more than
  /// one.
  bool end_pass();
  /// Not null: the next pass needs to gather over these runs only.
  const SampleRuns* sample() const { return sampling_ ? &runs_ : nullptr; }
  /// Behind which element the order is cut by the rank of this number; nothing() where no element is wanted.
  const Cut<Bits<K>>& cut(size_t number) const { return searches_[number].cut; }

  /// Bytes that `capacity` elements take for each rank.
  static constexpr int64_t bytes_per_candidate = sizeof(Bits<K>) + sizeof(uint64_t);

 private:
  using Key = Bits<K>;

  enum class Mode : uint8_t { keep, count, found };

  /// A place in the order, given by an element that need not exist.
  struct Edge {
    Key key;
    uint64_t tie;
  };

  static constexpr uint64_t kHighestTie = ~uint64_t{0};
  Edge first_edge() const { return {order_.highest, kHighestTie}; }
  Edge last_edge() const { return {order_.lowest, 0}; }

  /// One cut that is looked for: the candidates are the elements from `last` up to `first`; the element wanted is at
  /// `rank` in the group.
  struct Search {
    Rank wanted;
    int64_t rank;
    Mode mode;
    Edge first, last;
    /// Elements before `first`.
    int64_t above;
    /// Elements kept; above the capacity there was no room for more.
    int64_t kept;
    /// Bits of ties with the first and the last key, and of keys between, that one counter takes together.
    int first_shift, last_shift, key_shift;
    Key* keys;
    uint64_t* ties;
    int64_t* counters;
    /// Null: nothing is marked.
    Marks* before;
    Cut<Key> cut;
  };

  /// Of a search: candidates with the last key by their ties, those between by their keys, those with the first key by
  /// their ties. In canonical order, from the last to the first.
  /// With more, those of forty vectors would not fit 64 MiB; with fewer, passes over a group of 200,000 elements
  /// increase.
  struct Counters {
    static constexpr int kKeyBits = 14, kTieBits = 13;
    static constexpr int64_t kTieSlots = int64_t{1} << kTieBits, kKeySlots = int64_t{1} << kKeyBits;
    static constexpr int64_t kFirstSlot = kTieSlots + kKeySlots, kSlots = kFirstSlot + kTieSlots;
  };

  void take_sample(const K* x, int64_t count, int64_t index);
  void resolve_ranks();
  double share_before(const Search& search) const;
  void guess(Search& search) const;
  Edge edge_at(double sample_rank, const KeysAround<Key>& around) const;
  void gather_candidates(Search& search, const K* x, const uint32_t* positions, int64_t count, int64_t index);
  void keep(Search& search, int64_t found, uint64_t* marks);
  void count_parts(Search& search, int64_t found);
  void start_keeping(Search& search) const;
  void start_counting(Search& search) const;
  void start_over(Search& search) const;
  void narrow(Search& search) const;
  void finish(Search& search);
  void mark_kept(const Search& search) const;

  const KernelTable& kernels_;
  const FoundElements<K>& found_;
  const RankOrder<K> order_;
  const int64_t group_size_;
  const int64_t capacity_;
  const uint64_t tie_;
  const SampleRuns runs_;
  bool sampling_ = false;
  Key* const sample_;
  int64_t sampled_ = 0;
  bool counts_zeros_ = false;
  int64_t zeros_ = 0;
  std::vector<Search> searches_;
};

extern template class StreamedRanks<float>;
extern template class StreamedRanks<double>;

}  // namespace theta
