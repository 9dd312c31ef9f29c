// See run_rank.h.

#include "run_rank.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "../cpu/model_ranks.h"
#include "../formula/philox.h"
#include "../io/transfer.h"
#include "run_gather.h"
#include "task_scratch.h"

namespace theta {
namespace {

/// Elements that follow each other in a sample: each run is a call to the system.
constexpr int64_t kRun = 256;
/// Elements that are read for one that the sample takes, so that every tensor has as many as is its due.
constexpr int64_t kReadPerSampled = 4;

int64_t elements_of(const RankTask::Tensor& tensor) { return elements(tensor.values.spec.output.shape); }

/// Half for what runs the programs, half for what ranks.
EvaluateOptions half(const EvaluateOptions& options) { return {options.memory_bytes / 2, options.chunk_bytes}; }

std::vector<RankedTensor> ranked_tensors(const RankTask& task) {
  std::vector<RankedTensor> tensors;
  for (const RankTask::Tensor& tensor : task.tensors) tensors.push_back({elements_of(tensor), tensor.tie});
  return tensors;
}

/// Keys are those of float64 as soon as one tensor's are.
bool is_wide(const RankTask& task) {
  return std::ranges::any_of(task.tensors,
                             [](const RankTask::Tensor& tensor) { return tensor.values.spec.work == Work::f64; });
}

/// Widens what is not of W, which is exact.
template <typename W, typename Take>
class WideningSink final : public ValueSink {
 public:
  explicit WideningSink(Take take) : take_(take) {}

  void take(const float* values, int64_t, int64_t count) override { pass(values, count); }
  void take(const double* values, int64_t, int64_t count) override { pass(values, count); }

 private:
  template <typename V>
  void pass(const V* values, int64_t count) {
    if constexpr (std::is_same_v<V, W>) {
      take_(values, count);
    } else {
      W widened[kBlock];
      std::transform(values, values + count, widened, [](V value) { return static_cast<W>(value); });
      take_(widened, count);
    }
  }

  Take take_;
};

/// Turns the ranks of a model's elements into thresholds, tile by tile.
class ThresholdWriter {
 public:
  ThresholdWriter(const RankTask& task, int64_t total, const KernelTable& kernels, Worker& worker, uint32_t* thresholds,
                  uint32_t* words)
      : task_(task),
        kernels_(kernels),
        worker_(worker),
        thresholds_(thresholds),
        words_(words),
        total_(total),
        keeps_(task.rules.size(), false) {}

  /// Elements from `begin` on of a tensor.
  void write(size_t tensor, int64_t begin, const int64_t* ranks, int64_t count) {
    for (size_t rule = 0; rule < task_.rules.size(); ++rule) {
      bool is_made = false;
      const auto make = [&] {
        if (!is_made) fill(task_.rules[rule], ranks, count);
        is_made = true;
      };
      for (const RankTask::Target& target : task_.targets) {
        if (target.tensor != tensor || target.rule != rule) continue;
        make();
        const auto at = static_cast<uint64_t>(target.offset + begin * static_cast<int64_t>(sizeof(uint32_t)));
        write_exactly(task_.to, bytes_of(thresholds_, count), at);
      }
      if (keeps_[rule]) continue;
      make();
      keeps_[rule] = keeps_any(task_.rules[rule].seed, task_.tensors[tensor].word, begin, count);
    }
    worker_.stop_if_cancelled();
  }

  const std::vector<bool>& keeps() const { return keeps_; }

 private:
  void fill(const RankTask::Rule& rule, const int64_t* ranks, int64_t count) {
    if (total_ == 1) {
      std::fill_n(thresholds_, count, threshold_of(rule.density));
      return;
    }
    const RankThreshold threshold(threshold_of(rule.density - rule.epsilon), threshold_of(rule.density + rule.epsilon),
                                  total_);
    for (int64_t i = 0; i < count; ++i) thresholds_[i] = threshold.of(ranks[i]);
  }

  bool keeps_any(uint64_t seed, uint64_t stream, int64_t begin, int64_t count) {
    for (int64_t at = 0; at < count; at += kBlock) {
      const int64_t some = std::min(kBlock, count - at);
      kernels_.random_words(seed, stream, begin + at, some, words_);
      for (int64_t i = 0; i < some; ++i) {
        if (words_[i] < thresholds_[at + i]) return true;
      }
    }
    return false;
  }

  const RankTask& task_;
  const KernelTable& kernels_;
  Worker& worker_;
  uint32_t* const thresholds_;
  uint32_t* const words_;
  const int64_t total_;
  /// By rule, as far as is known.
  std::vector<bool> keeps_;
};

template <typename W>
struct RankBuffers {
  RankBuffers(const RankTask& task, int64_t memory_bytes, const KernelTable& kernels, ScratchSpace& space,
              Carver& memory)
      : thresholds(memory.take<uint32_t>(kTile)),
        words(memory.take<uint32_t>(kBlock)),
        ranks(ranked_tensors(task), memory_bytes, kernels, space, memory) {}

  uint32_t* const thresholds;
  uint32_t* const words;
  ModelRanks<W> ranks;
};

template <typename W>
TaskResult run_in(const RankTask& task, Worker& worker) {
  Worker evaluating = worker;
  evaluating.options = half(worker.options);
  TaskScratch scratch(worker);
  Carver need(nullptr);
  RankBuffers<W>(task, evaluating.options.memory_bytes, worker.kernels, scratch, need);
  Arena arena;
  Carver memory(arena.reserve(need.used()));
  RankBuffers<W> buffers(task, evaluating.options.memory_bytes, worker.kernels, scratch, memory);
  ModelRanks<W>& ranks = buffers.ranks;

  const auto run = [&](GatherTask values, auto take) {
    WideningSink<W, decltype(take)> sink(take);
    values.spec.values = &sink;
    return run_gather(values, evaluating).input_digests;
  };
  // From the last name to the first, as ModelRanks wants it.
  for (size_t i = task.tensors.size(); ranks.wants_sample() && i-- > 0;) {
    const RankTask::Tensor& tensor = task.tensors[i];
    GatherTask values = tensor.values;
    if (tensor.is_sampleable) {
      const double each = static_cast<double>(ranks.total()) / static_cast<double>(ranks.sampled()) / kReadPerSampled;
      values = sampled(values, {kRun, std::max(kRun, static_cast<int64_t>(each * kRun))});
    }
    ranks.begin_sample(i, elements(values.spec.output.shape));
    values.digests.assign(values.digests.size(), false);
    run(std::move(values), [&ranks](const W* x, int64_t count) { ranks.sample(x, count); });
  }
  ranks.begin_distributing();
  std::vector<std::vector<std::optional<Digest>>> digests(task.tensors.size());
  for (size_t i = task.tensors.size(); i-- > 0;) {
    ranks.begin_tensor(i);
    digests[i] = run(task.tensors[i].values, [&ranks](const W* x, int64_t count) { ranks.add(x, count); });
    ranks.end_tensor();
  }
  ranks.rank();
  ThresholdWriter writer(task, ranks.total(), worker.kernels, worker, buffers.thresholds, buffers.words);
  for (size_t i = task.tensors.size(); i-- > 0;) {
    const int64_t count = elements_of(task.tensors[i]);
    for (int64_t at = 0; at < count; at += kTile) {
      writer.write(i, at, ranks.next_tile(), std::min(kTile, count - at));
    }
  }
  TaskResult result;
  result.keeps_any = writer.keeps();
  for (auto& of_tensor : digests) std::ranges::move(of_tensor, std::back_inserter(result.input_digests));
  return result;
}

template <typename W>
TaskNeeds needs_in(const RankTask& task, const EvaluateOptions& options) {
  NoScratch scratch;
  Carver need(nullptr);
  const RankBuffers<W> buffers(task, options.memory_bytes, kernels_for(Isa::plain), scratch, need);
  TaskNeeds evaluating;
  for (const RankTask::Tensor& tensor : task.tensors) {
    TaskSpec spec = tensor.values.spec;
    WideningSink<W, void (*)(const W*, int64_t)> sink([](const W*, int64_t) {});
    spec.values = &sink;
    const TaskNeeds needs = needs_of(spec, options);
    evaluating.memory = std::max(evaluating.memory, needs.memory);
    evaluating.scratch = std::max(evaluating.scratch, needs.scratch);
  }
  return {need.used() + evaluating.memory, buffers.ranks.scratch_bytes() + evaluating.scratch};
}

}  // namespace

TaskResult run_rank(const RankTask& task, Worker& worker) {
  return is_wide(task) ? run_in<double>(task, worker) : run_in<float>(task, worker);
}

TaskNeeds needs_of(const RankTask& task, const EvaluateOptions& options) {
  return is_wide(task) ? needs_in<double>(task, half(options)) : needs_in<float>(task, half(options));
}

}  // namespace theta
