// Statistics of pcb: between which sizes a vector's elements are held, and from which balance on they count.
#pragma once

#include <span>
#include <vector>

#include "kernels.h"
#include "statistic.h"
#include "streamed_ranks.h"

namespace theta {

/// Of a whole tensor: the sizes of the elements that trunc(n × clip) come before and behind in the order of |τ|.
template <typename W>
class SizeRange final : public Statistic<W> {
 public:
  /// `capacity`: elements kept a size in a pass.
  SizeRange(const Extremes& operation, int64_t group_size, int64_t capacity, const KernelTable& kernels,
            Carver& memory);

  void begin(int64_t) override { ranks_.begin(); }
  void gather(const Block<W>& block, int64_t offset, int64_t count) override {
    ranks_.gather(block.value(of_) + offset, count, block.begin + offset);
  }
  bool end_pass() override { return ranks_.end_pass(); }
  const SampleRuns* sample() const override { return ranks_.sample(); }

  W low() const { return size_at(0); }
  W high() const { return size_at(1); }

  /// Bytes that `capacity` elements take.
  static constexpr int64_t bytes_per_candidate = 2 * StreamedRanks<W>::bytes_per_candidate;

 private:
  W size_at(size_t number) const { return std::bit_cast<W>(ranks_.cut(number).key); }

  const ValueId of_;
  const FoundElements<W> found_;
  StreamedRanks<W> ranks_;
};

/// The elements of a block whose balances are of interest, and these.
template <typename W>
class Contenders {
 public:
  Contenders(const Pcb& operation, const KernelTable& kernels, Carver& memory);

  /// From now on sizes are held within those of `rules`, one a vector.
  void hold_within(const Competitor<W>* rules);
  /// From now on of this vector balances below `floor`, or all, are of no interest.
  void leave_out_below(size_t vector, double floor);
  void leave_out(size_t vector);
  /// Looks at `count` elements of the block from `offset` on.
  void find(const Block<W>& block, int64_t offset, int64_t count);

  /// Of this vector: those that were found, counted from `offset`.
  std::span<const uint32_t> positions(size_t vector) const { return {positions_[vector], size_t(found_[vector])}; }
  /// Their balances, until the next call.
  const double* balances(size_t vector);
  const W* values(size_t vector) const { return values_[vector]; }

 private:
  const std::vector<ValueId> of_;
  const WorkKernels<W>& kernels_;
  const Competitor<W>* rules_ = nullptr;
  std::vector<const W*> values_;
  std::vector<W> slopes_, levels_, floors_;
  BalanceBounds<W> bounds_{};
  /// By vector, and of any.
  std::vector<uint32_t*> positions_;
  std::vector<int64_t> found_;
  double *const rivals_, *const balances_;
};

/// What every vector of a pcb goes by, once its sizes are known.
template <typename W>
class Competition final : public Statistic<W> {
 public:
  /// `ranges`: of each vector. `capacity`: elements kept a vector in a pass.
  Competition(const Pcb& operation, std::vector<const SizeRange<W>*> ranges, int64_t group_size, int64_t capacity,
              const KernelTable& kernels, Carver& memory);

  void begin(int64_t first) override;
  void gather(const Block<W>& block, int64_t offset, int64_t count) override;
  bool end_pass() override;
  const SampleRuns* sample() const override { return ranks_.front().sample(); }

  /// The mean, once the group is through.
  void write(const Block<W>& block, W* to);

  /// Bytes that `capacity` elements of one vector take.
  static constexpr int64_t bytes_per_candidate = StreamedRanks<double>::bytes_per_candidate;

 private:
  void aim();

  const Pcb operation_;
  const KernelTable& kernels_;
  const std::vector<const SizeRange<W>*> ranges_;
  const FoundElements<double> found_;
  Contenders<W> contenders_;
  W* const divisor_;
  std::vector<StreamedRanks<double>> ranks_;
  std::vector<Competitor<W>> rules_;
};

extern template class SizeRange<float>;
extern template class SizeRange<double>;
extern template class Contenders<float>;
extern template class Contenders<double>;
extern template class Competition<float>;
extern template class Competition<double>;

}  // namespace theta
