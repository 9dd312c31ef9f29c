// The order in which tasks run. Knows neither threads nor locks.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "job.h"

namespace theta {

/// First what runs alone, so that the threads have to wait for each other once and not again and again; then a lower
/// group before a higher one; in a group the largest payload first, so that small ones are left for the end, where
/// threads run out of work; and equal ones in the order in which they came.
class JobQueue {
 public:
  void push(std::unique_ptr<Job> job, uint32_t group) {
    const int64_t bytes = payload_bytes(job->task);
    const Rank rank{!job->alone, group, -bytes, arrived_++};
    jobs_.emplace(rank, std::move(job));
  }

  bool empty() const { return jobs_.empty(); }

  /// The queue must not be empty; nor for pop().
  const Job& first() const { return *jobs_.begin()->second; }

  std::unique_ptr<Job> pop() { return std::move(jobs_.extract(jobs_.begin()).mapped()); }

 private:
  using Rank = std::tuple<bool, uint32_t, int64_t, uint64_t>;

  std::map<Rank, std::unique_ptr<Job>> jobs_;
  uint64_t arrived_ = 0;
};

}  // namespace theta
