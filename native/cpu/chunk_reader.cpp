#include "chunk_reader.h"

#include <algorithm>

#include "../formula/rounding.h"

namespace theta {

void count_not_finite_elements(const KernelTable& kernels, Dtype dtype, const std::byte* stored, int64_t count,
                               int64_t index, InputCounters& counters) {
  if (!kernels.any_not_finite[static_cast<int>(dtype)](stored, count)) return;
  dispatch_dtype(dtype, [&](auto format) {
    using Stored = decltype(format);
    const auto* bits = reinterpret_cast<const typename Stored::Storage*>(stored);
    for (int64_t i = 0; i < count; ++i) {
      if (!is_not_finite<Stored>(bits[i])) continue;
      const bool nan = is_nan<Stored>(bits[i]);
      int64_t& number = nan ? counters.nan : counters.inf;
      int64_t& first = nan ? counters.first_nan : counters.first_inf;
      if (number++ == 0) first = index + i;
    }
  });
}

ChunkReader::ChunkReader(std::vector<Input> inputs, int64_t chunk_elements, Carver& memory)
    : chunk_elements_(chunk_elements) {
  for (const Input& input : inputs) {
    bytes_per_element_ += input.size;
    buffers_.push_back({input, memory.take<std::byte>(chunk_elements * input.size), nullptr});
  }
  requests_.reserve(inputs.size());
}

void ChunkReader::make_resident(int64_t bytes, int64_t span, Carver& memory) {
  if (bytes_per_element_ == 0) return;
  // Each buffer's start is rounded up to a cache line.
  const int64_t room = std::max<int64_t>(0, bytes - 64 * static_cast<int64_t>(buffers_.size())) / bytes_per_element_;
  resident_elements_ = room >= span ? span : room / chunk_elements_ * chunk_elements_;
  for (Buffer& buffer : buffers_) {
    buffer.resident = memory.take<std::byte>(resident_elements_ * buffer.input.size);
  }
}

void ChunkReader::start_span(int64_t begin) {
  span_begin_ = begin;
  resident_read_ = 0;
}

bool ChunkReader::fetch(int64_t begin, int64_t end, ChunkSource& source, const KernelTable& kernels,
                        std::vector<InputCounters>& counters, std::vector<const std::byte*>& stored, bool for_output) {
  const bool resident = end - span_begin_ <= resident_elements_;
  const bool first = begin >= first_read_;
  requests_.clear();
  for (const Buffer& buffer : buffers_) {
    const int64_t size = buffer.input.size;
    std::byte* to = resident ? buffer.resident + (begin - span_begin_) * size : buffer.chunk;
    stored[buffer.input.input] = to;
    const int64_t there = std::min(end, buffer.input.elements) - begin;
    if (there > 0) requests_.push_back({buffer.input.input, begin * size, there * size, to, first, for_output});
  }
  if (resident && end - span_begin_ <= resident_read_) {
    if (for_output) source.revisit(requests_);
    return false;
  }
  source.read(requests_);
  if (resident) resident_read_ = end - span_begin_;
  if (!first) return true;
  first_read_ = end;
  for (const Buffer& buffer : buffers_) {
    const auto& [input, size, dtype, elements] = buffer.input;
    if (!dtype) continue;
    const int64_t there = std::max<int64_t>(std::min(end, elements) - begin, 0);
    count_not_finite_elements(kernels, *dtype, stored[input], there, begin, counters[input]);
  }
  return true;
}

}  // namespace theta
