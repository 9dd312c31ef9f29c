// Measures the output of a compute task while it is in the cache, so that nobody has to read it again.
#pragma once

#include "payload_slices.h"

namespace theta {

class OutputMeter {
 public:
  OutputMeter(const ComputeTask& task, Worker& worker);

  /// The next bytes of the output: whole elements.
  void add(Bytes written);
  /// As in TaskResult::output.
  std::vector<Measured> finish();

 private:
  /// One payload that the output is compared with.
  struct Pair {
    Pair(const TaskInput& input, const TensorDesc& output, const KernelTable& kernels)
        : input(input), digest(input.digest), comparison(output, input.tensor, kernels) {}

    const TaskInput& input;
    PassingDigest digest;
    PairComparison comparison;
    InputCounters counters[2] = {};
  };

  void compare(Pair& pair, Bytes written, int64_t first_unit);

  Worker& worker_;
  const int64_t unit_bytes_;
  /// Units of the output that were added.
  int64_t added_ = 0;
  std::optional<StatisticsGatherer> statistics_;
  InputCounters counters_ = {};
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::vector<std::byte> buffer_;
};

}  // namespace theta
