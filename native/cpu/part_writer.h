// Distributes the elements of a group over lists, one a part of its order, tile after tile.
#pragma once

#include "part_list.h"

namespace theta {

template <typename W>
class PartWriter {
 public:
  using Key = Bits<W>;

  /// For at most `room` parts at once.
  PartWriter(int64_t room, const PartLayout<W>& layout, ScratchBlocks& blocks, Carver& memory)
      : room_(room),
        layout_(layout),
        blocks_(blocks),
        tails_(memory.take<Tail>(room)),
        buffers_(memory.take<std::byte>(room * layout.block_bytes())) {}

  /// Begins `parts` empty lists.
  void open(int64_t parts) {
    parts_ = parts;
    tiles_ = 0;
    for (int64_t part = 0; part < parts; ++part) {
      Tail& tail = tails_[part];
      tail.first = tail.block = blocks_.take();
      tail.full = 0;
      use_block(part);
    }
  }

  /// The next element of a part; `place` is its own in the tile.
  void put(int64_t part, Key key, uint16_t place) {
    Tail& tail = tails_[part];
    tail.keys[tail.used] = key;
    tail.places[tail.used] = place;
    if (++tail.used == layout_.records) begin_block(part);
  }

  /// No more elements of this tile.
  void end_tile() {
    for (int64_t part = 0; part < parts_; ++part) put(part, 0, kEndOfTile);
    ++tiles_;
  }

  /// `to` has room for all lists.
  void close(PartList* to) {
    for (int64_t part = 0; part < parts_; ++part) {
      const Tail& tail = tails_[part];
      if (!blocks_.resident(tail.block) && tail.used > 0) {
        blocks_.write(tail.block, 0, bytes_of(tail.keys, tail.used));
        blocks_.write(tail.block, layout_.places_at(), bytes_of(tail.places, tail.used));
      }
      to[part] = {tail.first, tail.block, tail.used, tail.full * layout_.records + tail.used - tiles_};
    }
  }

  /// Free while nothing is distributed.
  std::span<std::byte> buffers() const { return {buffers_, static_cast<size_t>(room_ * layout_.block_bytes())}; }

  static int64_t bytes(int64_t room, const PartLayout<W>& layout) {
    return room * (layout.block_bytes() + static_cast<int64_t>(sizeof(Tail)));
  }

 private:
  /// The block that a list grows in: a resident one itself, or a buffer for it.
  struct Tail {
    Key* keys;
    uint16_t* places;
    int64_t used, full;
    ScratchBlocks::Id first, block;
  };

  void use_block(int64_t part) {
    Tail& tail = tails_[part];
    std::byte* const resident = blocks_.resident(tail.block);
    std::byte* const at = resident ? resident : buffers_ + part * layout_.block_bytes();
    tail.keys = layout_.keys(at);
    tail.places = layout_.places(at);
    tail.used = 0;
  }

  void begin_block(int64_t part) {
    Tail& tail = tails_[part];
    if (!blocks_.resident(tail.block)) {
      blocks_.write(tail.block, 0, bytes_of(reinterpret_cast<std::byte*>(tail.keys), layout_.block_bytes()));
    }
    const ScratchBlocks::Id next = blocks_.take();
    blocks_.link(tail.block, next);
    tail.block = next;
    ++tail.full;
    use_block(part);
  }

  const int64_t room_;
  const PartLayout<W> layout_;
  ScratchBlocks& blocks_;
  Tail* const tails_;
  std::byte* const buffers_;
  int64_t parts_ = 0, tiles_ = 0;
};

}  // namespace theta
