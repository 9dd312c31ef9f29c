#include "model_ranks.h"

#include "../error.h"

namespace theta {

namespace {

int64_t elements_of(const std::vector<RankedTensor>& tensors) {
  int64_t total = 0;
  for (const RankedTensor& tensor : tensors) {
    if (!__builtin_add_overflow(total, tensor.elements, &total)) continue;
    throw Error(ErrorCode::memory, "the tensors together have too many elements to be ranked");
  }
  return total;
}

/// Each tensor begins a tile.
int64_t tiles_of_all(const std::vector<RankedTensor>& tensors) {
  int64_t tiles = 0;
  for (const RankedTensor& tensor : tensors) tiles += tiles_of(tensor.elements);
  return tiles;
}

}  // namespace

template <typename W>
ModelRanks<W>::ModelRanks(std::vector<RankedTensor> tensors, int64_t memory_bytes, const KernelTable& kernels,
                          ScratchSpace& space, Carver& memory)
    : tensors_(std::move(tensors)),
      total_(elements_of(tensors_)),
      tiles_(tiles_of_all(tensors_)),
      plan_(RankPlan::of(memory_bytes, 1, total_, PartLayout<W>::kRecordBytes)),
      kernels_(kernels_of<W>(kernels)),
      parts_wanted_(plan_.parts(total_)),
      // Enough for a sample that tells nothing.
      most_lists_(plan_.lists(total_) + parts_wanted_),
      layout_{plan_.records},
      blocks_(layout_.block_bytes(), plan_.blocks_of(total_, tiles_, most_lists_), space, memory),
      room_(plan_.capacity, tiles_, layout_, kernels, memory),
      parts_(parts_wanted_ + 1, plan_.sampled(total_), memory),
      writer_(parts_wanted_ + 1, layout_, blocks_, memory),
      ranks_(layout_, blocks_, parts_, writer_, room_),
      reader_(most_lists_, layout_, blocks_, memory),
      lists_(memory.take<PartList>(most_lists_)) {
  if (memory.used() > memory_bytes) {
    throw Error(ErrorCode::memory, "ranking the elements of all tensors needs " + std::to_string(memory.used()) +
                                       " bytes of buffers, " + std::to_string(memory_bytes) + " are allowed");
  }
  blocks_.make_resident(memory_bytes - memory.used(), memory);
}

/// As many elements of each as its share of all, so that a part has about as many as the sample says.
template <typename W>
void ModelRanks<W>::begin_sample(size_t tensor, int64_t shown) {
  const auto share = [this](int64_t before) {
    return static_cast<int64_t>(static_cast<double>(before) / static_cast<double>(total_) *
                                static_cast<double>(parts_.most_sampled()));
  };
  const int64_t before = sampled_before_;
  sampled_before_ += tensors_[tensor].elements;
  shown_ = shown;
  wanted_ = std::min(share(sampled_before_) - share(before), shown);
  taken_ = seen_ = 0;
  tie_ = tensors_[tensor].tie;
}

/// One of each stretch of what is shown, at a place that follows no pattern.
template <typename W>
void ModelRanks<W>::sample(const W* values, int64_t count) {
  while (taken_ < wanted_) {
    const auto edge = [this](int64_t of) {
      return static_cast<int64_t>(static_cast<double>(of) / static_cast<double>(wanted_) * static_cast<double>(shown_));
    };
    const int64_t begin = edge(taken_), width = std::max<int64_t>(edge(taken_ + 1) - begin, 1);
    const uint64_t random = mix64(static_cast<uint64_t>(taken_) + tie_);
    const int64_t at = begin + static_cast<int64_t>(random % static_cast<uint64_t>(width));
    if (at >= seen_ + count) break;
    parts_.add(key_of(values[at - seen_]), upper_mix64(static_cast<uint64_t>(at) + tie_));
    ++taken_;
  }
  seen_ += count;
}

template <typename W>
void ModelRanks<W>::begin_distributing() {
  parts_open_ = parts_.cut(parts_wanted_);
  writer_.open(parts_open_);
  tile_ = 0;
}

template <typename W>
void ModelRanks<W>::begin_tensor(size_t tensor) {
  tie_ = tensors_[tensor].tie;
  seen_ = 0;
}

template <typename W>
void ModelRanks<W>::add(const W* values, int64_t count) {
  Key keys[kBlock];
  uint32_t parts[kBlock];
  for (int64_t at = 0; at < count;) {
    const int64_t place = seen_ % kTile, taken = std::min({count - at, kTile - place, kBlock});
    kernels_.keys(values + at, keys, taken);
    const uint64_t tie = static_cast<uint64_t>(seen_) + tie_;
    parts_.parts_of(
        keys, taken, [tie](int64_t i) { return upper_mix64(tie + static_cast<uint64_t>(i)); }, parts);
    for (int64_t i = 0; i < taken; ++i) writer_.put(parts[i], keys[i], static_cast<uint16_t>(place + i));
    at += taken;
    seen_ += taken;
    if (seen_ % kTile == 0) end_tile();
  }
}

template <typename W>
void ModelRanks<W>::end_tensor() {
  if (seen_ % kTile != 0) end_tile();
}

/// Of the tile whose last element was seen.
template <typename W>
void ModelRanks<W>::end_tile() {
  writer_.end_tile();
  room_.tile_ties[tile_++] = static_cast<uint64_t>((seen_ - 1) / kTile * kTile) + tie_;
}

template <typename W>
void ModelRanks<W>::rank() {
  writer_.close(lists_);
  // Read behind the last record that ends a tile, and not used.
  room_.tile_ties[tile_] = 0;
  list_count_ = ranks_.run(lists_, parts_open_, most_lists_, RanksWithinParts());
  reader_.start({lists_, static_cast<size_t>(list_count_)}, writer_.buffers());
}

template <typename W>
const int64_t* ModelRanks<W>::next_tile() {
  reader_.read_next();
  return reader_.tile();
}

template class ModelRanks<float>;
template class ModelRanks<double>;

}  // namespace theta
