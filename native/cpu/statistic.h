// What must be known of a whole group before an operation can run on its elements.
#pragma once

#include "block.h"
#include "carver.h"
#include "sample_runs.h"

namespace theta {

/// Gathers over the elements of one group at a time, in order, in as many passes as it asks for. Results of groups that
/// follow each other are kept until `forget`.
template <typename W>
class Statistic {
 public:
  explicit Statistic(int64_t group_size) : group_size_(group_size) {}
  Statistic(const Statistic&) = delete;
  Statistic& operator=(const Statistic&) = delete;
  virtual ~Statistic() = default;

  /// Only groups from `origin` on, a group's first element, are of interest from now on.
  void forget(int64_t origin) {
    origin_ = origin;
    is_known_ = false;
  }
  /// Results stay for all passes over a span; only what begins a new span forgets them.
  void keep() { is_kept_ = true; }
  bool is_kept() const { return is_kept_; }
  /// A pass over the whole span has gathered what is kept.
  void set_known() { is_known_ = is_kept_; }
  bool is_known() const { return is_known_; }
  /// Starts the group whose first element is `first`.
  virtual void begin(int64_t first) = 0;
  /// The next `count` elements of the group: those of the block from `offset` on.
  virtual void gather(const Block<W>& block, int64_t offset, int64_t count) = 0;
  /// The group is through once more. → false where another pass over it is needed.
  virtual bool end_pass() = 0;
  /// Whether none ever is.
  virtual bool takes_one_pass() const { return false; }
  /// Not null: the next pass needs to gather over these runs only.
  virtual const SampleRuns* sample() const { return nullptr; }

  int64_t group_size() const { return group_size_; }

 protected:
  int64_t origin() const { return origin_; }
  /// Where the result of the group with this first element is kept.
  int64_t slot(int64_t first) const { return (first - origin_) / group_size_; }

 private:
  const int64_t group_size_;
  int64_t origin_ = 0;
  bool is_kept_ = false, is_known_ = false;
};

}  // namespace theta
