// See output_meter.h.

#include "output_meter.h"

namespace theta {

OutputMeter::OutputMeter(const ComputeTask& task, Worker& worker)
    : worker_(worker), unit_bytes_(task.spec.output.dtype ? size_of(*task.spec.output.dtype) : 1) {
  if (task.measure) statistics_.emplace(*task.spec.output.dtype, worker.kernels);
  for (const TaskInput& input : task.compare) {
    pairs_.push_back(std::make_unique<Pair>(input, task.spec.output, worker.kernels));
  }
  if (!pairs_.empty()) buffer_.resize(kMeasuredAtOnce);
}

void OutputMeter::add(Bytes written) {
  const auto units = static_cast<int64_t>(written.size()) / unit_bytes_;
  if (statistics_) statistics_->add(written.data(), units, counters_);
  for (const auto& pair : pairs_) compare(*pair, written, added_);
  added_ += units;
}

void OutputMeter::compare(Pair& pair, Bytes written, int64_t first_unit) {
  const int64_t other_bytes = pair.comparison.unit_bytes_of_b();
  const int64_t units = static_cast<int64_t>(written.size()) / unit_bytes_;
  const int64_t at_once = kMeasuredAtOnce / std::max(unit_bytes_, other_bytes);
  for (int64_t done = 0; done < units; done += at_once) {
    worker_.stop_if_cancelled();
    const int64_t count = std::min(at_once, units - done);
    const MutableBytes read(buffer_.data(), static_cast<size_t>(count * other_bytes));
    read_slice(pair.input, (first_unit + done) * other_bytes, read, worker_);
    pair.digest.update(read, worker_);
    pair.comparison.add(written.data() + done * unit_bytes_, buffer_.data(), count, pair.counters);
  }
}

std::vector<Measured> OutputMeter::finish() {
  std::vector<Measured> all;
  if (statistics_) all.push_back({{counters_}, statistics_->finish(), std::nullopt, std::nullopt});
  for (const auto& pair : pairs_) {
    all.push_back(
        {{pair->counters[0], pair->counters[1]}, std::nullopt, pair->comparison.finish(), pair->digest.finish()});
  }
  return all;
}

}  // namespace theta
