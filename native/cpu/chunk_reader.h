// Brings the elements that a pass asks for into memory, keeping as many as there is room for, so that later passes over
// them read nothing.
#pragma once

#include <optional>
#include <vector>

#include "carver.h"
#include "evaluate.h"

namespace theta {

/// Counts NaN and infinities among `count` elements from linear index `index` on.
void count_not_finite_elements(const KernelTable& kernels, Dtype dtype, const std::byte* stored, int64_t count,
                               int64_t index, InputCounters& counters);

/// Inputs are numbered as in the task; those that are not of the output's shape are not the reader's.
class ChunkReader {
 public:
  struct Input {
    int32_t input;
    /// Of an element.
    int64_t size;
    /// None: its elements are no numbers, and none of them is counted.
    std::optional<Dtype> dtype;
    /// Read up to here; what lies behind is not touched.
    int64_t elements;
  };

  /// `resident`: elements from a span's start on that are kept.
  ChunkReader(std::vector<Input> inputs, int64_t chunk_elements, Carver& memory);
  /// Several passes ask for each span: what `bytes` of memory hold of it is read once.
  void make_resident(int64_t bytes, int64_t span, Carver& memory);

  /// Elements before `begin` are not asked for any more.
  void start_span(int64_t begin);
  /// Elements [begin, end), at most a chunk, of the span; counts what is read for the first time. `stored[input]`
  /// becomes where an input's are. → whether anything was read, false where all was kept; a source is told of that
  /// when they are for the output.
  bool fetch(int64_t begin, int64_t end, ChunkSource& source, const KernelTable& kernels,
             std::vector<InputCounters>& counters, std::vector<const std::byte*>& stored, bool for_output);

 private:
  struct Buffer {
    Input input;
    std::byte* chunk;
    std::byte* resident;
  };

  std::vector<Buffer> buffers_;
  std::vector<ReadRequest> requests_;
  int64_t chunk_elements_;
  int64_t bytes_per_element_ = 0;
  int64_t resident_elements_ = 0;
  int64_t span_begin_ = 0;
  /// Elements read at all, and of this span those that are resident.
  int64_t first_read_ = 0;
  int64_t resident_read_ = 0;
};

}  // namespace theta
