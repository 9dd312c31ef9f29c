#include "evaluation.h"

#include <algorithm>

#include "../error.h"
#include "overloaded.h"
#include "sum_statistics.h"

namespace theta {

template <typename W>
Counters Evaluation<W>::run(ChunkSource& source, ChunkSink& sink, const std::atomic<bool>& cancelled) {
  Running running{source, sink, cancelled, {}};
  running.counters.inputs.resize(task_.inputs.size());
  read_factors(running);
  for (int64_t begin = 0; begin < count_; begin += schedule_.span) run_span(begin, begin + schedule_.span, running);
  read_unused(running);
  running.counters.masks = mask_counters();
  for (size_t id = 0; id < statistics_.size(); ++id) {
    if (!statistics_[id] || !std::holds_alternative<Slerp>(task_.program.operations[id])) continue;
    running.counters.antiparallel += static_cast<const SlerpStatistic<W>&>(*statistics_[id]).antiparallel();
  }
  return std::move(running.counters);
}

template <typename W>
void Evaluation<W>::read_factors(Running& running) {
  for (const auto& product : lora_) {
    if (!product) continue;
    const auto& [a, b, rank, scaling, transposed] = product->operation;
    const TensorDesc *tensor_a = &task_.inputs[a], *tensor_b = &task_.inputs[b];
    const int64_t count_a = elements(tensor_a->shape), count_b = elements(tensor_b->shape);
    const ReadRequest requests[] = {
        {a, 0, count_a * size_of(*tensor_a->dtype), product->stored_a(), true},
        {b, 0, count_b * size_of(*tensor_b->dtype), product->stored_b(), true},
    };
    running.source.read(requests);
    count_not_finite_elements(kernels_, *tensor_a->dtype, product->stored_a(), count_a, 0, running.counters.inputs[a]);
    count_not_finite_elements(kernels_, *tensor_b->dtype, product->stored_b(), count_b, 0, running.counters.inputs[b]);
    product->prepare(kernels_);
  }
}

/// Inputs that the program does not look at are read all the same: the caller wants their digests and counters.
template <typename W>
void Evaluation<W>::read_unused(Running& running) {
  for (const int32_t input : unused_inputs()) {
    const TensorDesc& tensor = task_.inputs[input];
    const int64_t size = tensor.dtype ? size_of(*tensor.dtype) : 1;
    for (int64_t begin = 0; begin < tensor.bytes; begin += chunk_ * size) {
      const int64_t bytes = std::min(chunk_ * size, tensor.bytes - begin);
      const ReadRequest request{input, begin, bytes, unused_, true};
      if (running.cancelled.load(std::memory_order_relaxed)) throw Error(ErrorCode::cancelled, "cancelled");
      running.source.read({&request, 1});
      if (!tensor.dtype) continue;
      count_not_finite_elements(kernels_, *tensor.dtype, unused_, bytes / size, begin / size,
                                running.counters.inputs[input]);
    }
  }
}

template <typename W>
void Evaluation<W>::run_span(int64_t begin, int64_t end, Running& running) {
  reader_->start_span(begin);
  for (const auto& statistic : statistics_) {
    if (statistic) statistic->forget(begin);
  }
  for (const BoundPass& pass : passes_) {
    if (pass.is_output) {
      run_pass(pass, begin, end, running);
      continue;
    }
    for (int64_t first = begin; first < end; first += pass.group_size) {
      run_statistics(pass, first, first + pass.group_size, running);
    }
  }
}

/// Passes over one group until all its statistics are found; those that are found leave.
template <typename W>
void Evaluation<W>::run_statistics(BoundPass pass, int64_t begin, int64_t end, Running& running) {
  std::vector<Statistic<W>*>& open = pass.stages.back().statistics;
  for (Statistic<W>* statistic : open) statistic->begin(begin);
  while (!open.empty()) {
    run_pass(pass, begin, end, running);
    std::erase_if(open, [](Statistic<W>* statistic) { return statistic->end_pass(); });
  }
}

template <typename W>
void Evaluation<W>::run_pass(const BoundPass& pass, int64_t begin, int64_t end, Running& running) {
  const int64_t size = size_of(*task_.output.dtype);
  for (int64_t chunk = begin; chunk < end; chunk += chunk_) {
    const int64_t chunk_end = std::min(chunk + chunk_, end);
    if (running.cancelled.load(std::memory_order_relaxed)) throw Error(ErrorCode::cancelled, "cancelled");
    reader_->fetch(chunk, chunk_end, running.source, kernels_, running.counters.inputs, chunk_stored_);
    chunk_begin_ = chunk;
    run_chunk(pass, chunk, chunk_end, running);
    if (pass.is_output) running.sink.write(chunk * size, output_, (chunk_end - chunk) * size);
  }
}

template <typename W>
void Evaluation<W>::run_chunk(const BoundPass& pass, int64_t begin, int64_t end, Running& running) {
  const BoundStage& last = pass.stages.back();
  const int64_t unit = pass.stages.size() > 1 ? unit_ : end - begin;
  for (int64_t at = begin; at < end; at += unit) {
    const int64_t unit_end = std::min(at + unit, end);
    for (const BoundStage& stage : pass.stages) {
      if (&stage == &last) break;
      for (Statistic<W>* statistic : stage.statistics) statistic->forget(at);
      run_stage(stage, at, unit_end, running.cancelled, [&](const Block<W>& block) { gather_local(stage, block); });
    }
    run_stage(last, at, unit_end, running.cancelled, [&](const Block<W>& block) {
      for (Statistic<W>* statistic : last.statistics) statistic->gather(block, 0, block.count);
      if (pass.is_output) write_block(block, running);
    });
  }
}

template <typename W>
template <typename Body>
void Evaluation<W>::run_stage(const BoundStage& stage, int64_t begin, int64_t end, const std::atomic<bool>& cancelled,
                              Body&& body) {
  for (const auto& [id, slot, step] : stage.steps) values_[id] = slot;
  for (int64_t at = begin; at < end; at += kBlock) {
    if (cancelled.load(std::memory_order_relaxed)) throw Error(ErrorCode::cancelled, "cancelled");
    for (const ChunkReader::Input& input : inputs_) {
      block_stored_[input.input] = chunk_stored_[input.input] + (at - chunk_begin_) * size_of(input.dtype);
    }
    const Block<W> block{at, std::min(kBlock, end - at), values_.data(), block_stored_.data()};
    for (const auto& [id, slot, step] : stage.steps) step(block, slot);
    body(block);
  }
}

template <typename W>
void Evaluation<W>::gather_local(const BoundStage& stage, const Block<W>& block) {
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
void Evaluation<W>::write_block(const Block<W>& block, Running& running) {
  const auto output = static_cast<ValueId>(task_.program.operations.size()) - 1;
  std::byte* to = output_ + (block.begin - chunk_begin_) * size_of(*task_.output.dtype);
  writer_->write(block, block.value(output), to, running.counters);
  for (SelectCounter& counter : select_counters_) {
    const Bits<W>* mask = block.mask(counter.mask);
    for_each_group(block.begin, block.count, counter.group_size(), [&](int64_t first, int64_t offset, int64_t count) {
      counter.add(first, count, kernels_of<W>(kernels_).mask_count(mask + offset, count));
    });
  }
}

/// What a plain mask keeps follows from its rule; selects by other masks were counted.
template <typename W>
std::vector<MaskCounters> Evaluation<W>::mask_counters() const {
  const std::vector<Operation>& operations = task_.program.operations;
  const auto by_rule = [&](ValueId id, ValueId mask_id) {
    const Geometry& groups = schedule_.facts[mask_id].groups;
    const auto counters = [&](const Band& band) {
      const bool empty = band.keep == 0 && groups.size > 0 && groups.groups > 0;
      return MaskCounters{id, groups.groups * band.keep, empty ? groups.groups : 0, empty ? 0 : -1};
    };
    const auto* magnitude = std::get_if<Magnitude>(&operations[mask_id]);
    return magnitude ? counters(band_of(*magnitude, groups.size))
                     : counters(band_of(std::get<Breadcrumbs>(operations[mask_id]), groups.size));
  };
  std::vector<MaskCounters> all;
  for (ValueId id = 0; id < static_cast<ValueId>(operations.size()); ++id) {
    const auto counted = std::ranges::find_if(
        select_counters_, [id](const SelectCounter& counter) { return counter.counters().operation == id; });
    if (counted != select_counters_.end()) {
      all.push_back(counted->counters());
    } else if (const auto* select = std::get_if<Select>(&operations[id])) {
      all.push_back(by_rule(id, select->mask));
    } else if (std::holds_alternative<Magnitude>(operations[id]) || std::holds_alternative<Breadcrumbs>(operations[id])) {
      all.push_back(by_rule(id, id));
    }
  }
  return all;
}

template class Evaluation<float>;
template class Evaluation<double>;

}  // namespace theta
