#include "evaluation.h"

#include <algorithm>

#include "../error.h"
#include "gram_statistics.h"

namespace theta {

template <typename W>
Evaluation<W>::Evaluation(PreparedTask<W>& task, ChunkSource& source, ChunkSink& sink,
                          const std::atomic<bool>& cancelled)
    : task_(task),
      source_(source),
      sink_(sink),
      cancelled_(cancelled),
      writer_(task.task, task.kernels, task.lora),
      chunk_stored_(task.task.inputs.size()),
      values_(task.task.program.operations.size()),
      block_stored_(task.task.inputs.size()) {
  counters_.inputs.resize(task.task.inputs.size());
}

template <typename W>
Counters Evaluation<W>::run() {
  read_factors();
  const int64_t span = task_.schedule.span;
  for (int64_t begin = 0; begin < task_.count; begin += span) run_span(begin, begin + span);
  read_unused();
  if (task_.task.writes()) counters_.masks = mask_counters();
  for (const auto& gatherer : task_.window_gatherers) counters_.windows.push_back(gatherer->finish());
  for (AbsoluteSum<W>& sum : task_.sums) counters_.sums.push_back(sum.finish());
  for (const auto& statistic : task_.statistics) {
    const auto* gram = dynamic_cast<const GramStatistic<W>*>(statistic.get());
    if (gram) counters_.antiparallel += gram->antiparallel();
  }
  return std::move(counters_);
}

template <typename W>
void Evaluation<W>::check_cancelled() const {
  if (cancelled_.load(std::memory_order_relaxed)) throw Error(ErrorCode::cancelled, "cancelled");
}

template <typename W>
void Evaluation<W>::read_factors() {
  // Two products may share a factor; it is hashed and counted once.
  std::vector<char> seen(task_.task.inputs.size());
  for (const auto& product : task_.lora) {
    if (!product) continue;
    const int32_t a = product->operation.a, b = product->operation.b;
    const auto request = [&](int32_t input, std::byte* to) {
      return ReadRequest{input, 0, task_.task.inputs[input].bytes, to, !seen[input], !seen[input]};
    };
    const ReadRequest requests[] = {request(a, product->stored_a()), request(b, product->stored_b())};
    source_.read(requests);
    for (const ReadRequest& read : requests) {
      const TensorDesc& tensor = task_.task.inputs[read.input];
      if (!read.first) continue;
      seen[read.input] = true;
      count_not_finite_elements(task_.kernels, *tensor.dtype, read.to, elements(tensor.shape), 0,
                                counters_.inputs[read.input]);
    }
    product->prepare(task_.kernels);
  }
}

/// Inputs that the program does not look at are read all the same: the caller wants their digests and counters.
template <typename W>
void Evaluation<W>::read_unused() {
  for (const int32_t input : task_.unused_inputs) {
    const TensorDesc& tensor = task_.task.inputs[input];
    const int64_t size = tensor.dtype ? size_of(*tensor.dtype) : 1;
    for (int64_t begin = 0; begin < tensor.bytes; begin += task_.chunk * size) {
      const int64_t bytes = std::min(task_.chunk * size, tensor.bytes - begin);
      const ReadRequest request{input, begin, bytes, task_.unused, true, true};
      check_cancelled();
      source_.read({&request, 1});
      if (!tensor.dtype) continue;
      count_not_finite_elements(task_.kernels, *tensor.dtype, task_.unused, bytes / size, begin / size,
                                counters_.inputs[input]);
    }
  }
}

template <typename W>
void Evaluation<W>::run_span(int64_t begin, int64_t end) {
  task_.reader->start_span(begin);
  for (const auto& statistic : task_.statistics) {
    if (statistic) statistic->forget(begin);
  }
  for (BoundPass<W> pass : task_.passes) {
    leave_out_known(pass);
    if (pass.is_output) {
      run_pass(pass, begin, end);
      continue;
    }
    for (int64_t first = begin; first < end; first += pass.group_size) {
      run_statistics(pass, first, first + pass.group_size);
    }
  }
}

/// Stages whose results are kept from an earlier pass over the span, or, `now`, from the one that has just ended.
template <typename W>
void Evaluation<W>::leave_out_known(BoundPass<W>& pass, bool now) const {
  const auto is_known = [now](BoundStage<W>& stage) {
    return std::ranges::all_of(stage.statistics, [now](Statistic<W>* statistic) {
      if (now) statistic->set_known();
      return statistic->is_known();
    });
  };
  const auto last = std::prev(pass.stages.end());
  pass.stages.erase(std::remove_if(pass.stages.begin(), last, is_known), last);
}

/// Passes over one group until all its statistics are found; those that are found leave.
template <typename W>
void Evaluation<W>::run_statistics(BoundPass<W> pass, int64_t begin, int64_t end) {
  for (Statistic<W>* statistic : pass.stages.back().statistics) statistic->begin(begin);
  while (!pass.stages.back().statistics.empty()) {
    run_pass(pass, begin, end);
    std::erase_if(pass.stages.back().statistics, [](Statistic<W>* statistic) { return statistic->end_pass(); });
    if (end - begin == task_.schedule.span) leave_out_known(pass, true);
  }
}

template <typename W>
void Evaluation<W>::run_pass(const BoundPass<W>& pass, int64_t begin, int64_t end) {
  const int64_t size = size_of(*task_.task.output.dtype);
  for (int64_t chunk = begin; chunk < end; chunk += task_.chunk) {
    const int64_t chunk_end = std::min(chunk + task_.chunk, end);
    check_cancelled();
    chunk_is_cold_ =
        !task_.reader->fetch(chunk, chunk_end, source_, task_.kernels, counters_.inputs, chunk_stored_, pass.is_output);
    chunk_begin_ = chunk;
    const bool writes = pass.is_output && task_.task.writes();
    if (writes) output_ = sink_.place(chunk * size, (chunk_end - chunk) * size);
    run_chunk(pass, chunk, chunk_end);
    if (writes) sink_.write(chunk * size, output_, (chunk_end - chunk) * size);
  }
}

/// The runs that all statistics of the pass make do with, or null.
template <typename W>
const SampleRuns* Evaluation<W>::sample_of(const BoundPass<W>& pass) const {
  if (pass.is_output || pass.stages.size() > 1) return nullptr;
  const std::vector<Statistic<W>*>& statistics = pass.stages.back().statistics;
  const SampleRuns* runs = statistics.front()->sample();
  const auto agrees = [runs](const Statistic<W>* other) { return other->sample() && *other->sample() == *runs; };
  return runs && std::ranges::all_of(statistics, agrees) ? runs : nullptr;
}

template <typename W>
void Evaluation<W>::run_chunk(const BoundPass<W>& pass, int64_t begin, int64_t end) {
  const BoundStage<W>& last = pass.stages.back();
  if (const SampleRuns* runs = sample_of(pass)) {
    runs->for_each(begin, end, [&](int64_t from, int64_t to) {
      run_stage(last, from, to, [&](const Block<W>& block) {
        for (Statistic<W>* statistic : last.statistics) statistic->gather(block, 0, block.count);
      });
    });
    return;
  }
  const int64_t unit = pass.stages.size() > 1 ? task_.unit : end - begin;
  for (int64_t at = begin; at < end; at += unit) {
    const int64_t unit_end = std::min(at + unit, end);
    for (const BoundStage<W>& stage : pass.stages) {
      if (&stage == &last) break;
      for (Statistic<W>* statistic : stage.statistics) {
        if (!statistic->is_kept()) statistic->forget(at);
      }
      run_stage(stage, at, unit_end, [&](const Block<W>& block) { gather_local(stage, block); });
    }
    run_stage(last, at, unit_end, [&](const Block<W>& block) {
      for (Statistic<W>* statistic : last.statistics) statistic->gather(block, 0, block.count);
      if (pass.is_output) write_block(block);
    });
  }
}

template <typename W>
template <typename Body>
void Evaluation<W>::run_stage(const BoundStage<W>& stage, int64_t begin, int64_t end, Body&& body) {
  for (const auto& [id, slot, step] : stage.steps) values_[id] = slot;
  for (int64_t at = begin; at < end; at += kBlock) {
    check_cancelled();
    for (const ChunkReader::Input& input : task_.inputs) {
      block_stored_[input.input] = chunk_stored_[input.input] + (at - chunk_begin_) * input.size;
    }
    const Block<W> block{at, std::min(kBlock, end - at), values_.data(), block_stored_.data(), chunk_is_cold_};
    for (const auto& [id, slot, step] : stage.steps) step(block, slot);
    body(block);
  }
}

template <typename W>
void Evaluation<W>::gather_local(const BoundStage<W>& stage, const Block<W>& block) {
  for (Statistic<W>* statistic : stage.statistics) {
    const int64_t size = statistic->group_size();
    for_each_group(block.begin, block.count, size, [&](int64_t first, int64_t offset, int64_t count) {
      const int64_t at = block.begin + offset;
      if (at == first) statistic->begin(first);
      statistic->gather(block, offset, count);
      if (at + count == first + size) statistic->end_pass();
    });
  }
}

template <typename W>
void Evaluation<W>::write_block(const Block<W>& block) {
  for (const auto& gatherer : task_.window_gatherers) gatherer->gather(block);
  for (AbsoluteSum<W>& sum : task_.sums) sum.gather(block);
  const auto output = static_cast<ValueId>(task_.task.program.operations.size()) - 1;
  if (task_.task.values) task_.task.values->take(block.value(output), block.begin, block.count);
  if (!task_.task.writes()) return;
  std::byte* to = output_ + (block.begin - chunk_begin_) * size_of(*task_.task.output.dtype);
  writer_.write(block, block.value(output), to, counters_);
  for (SelectCounter& counter : task_.select_counters) {
    const Bits<W>* mask = block.mask(counter.mask);
    for_each_group(block.begin, block.count, counter.group_size(), [&](int64_t first, int64_t offset, int64_t count) {
      counter.add(first, count, kernels_of<W>(task_.kernels).mask_count(mask + offset, count));
    });
  }
}

/// What a mask that keeps a band keeps follows from its rule; selects by other masks were counted.
template <typename W>
std::vector<MaskCounters> Evaluation<W>::mask_counters() const {
  const std::vector<Operation>& operations = task_.task.program.operations;
  const auto by_rule = [&](ValueId id, ValueId mask_id) {
    const Geometry& groups = task_.schedule.facts[mask_id].groups;
    const int64_t keep = task_.schedule.facts[mask_id].rule->band.keep;
    const bool empty = keep == 0 && groups.size > 0 && groups.groups > 0;
    return MaskCounters{id, groups.groups * keep, empty ? groups.groups : 0, empty ? 0 : -1};
  };
  std::vector<MaskCounters> all;
  for (ValueId id = 0; id < static_cast<ValueId>(operations.size()); ++id) {
    const auto counted = std::ranges::find_if(
        task_.select_counters, [id](const SelectCounter& counter) { return counter.counters().operation == id; });
    if (counted != task_.select_counters.end()) {
      all.push_back(counted->counters());
    } else if (const auto* select = std::get_if<Select>(&operations[id])) {
      all.push_back(by_rule(id, select->mask));
    } else if (task_.schedule.facts[id].tells_what_it_keeps()) {
      all.push_back(by_rule(id, id));
    }
  }
  return all;
}

template class Evaluation<float>;
template class Evaluation<double>;

}  // namespace theta
