// Scratch space of one task: a file that is made when the first byte has no room in memory.
#pragma once

#include <optional>

#include "../cpu/scratch_space.h"
#include "../io/nameless_file.h"
#include "worker.h"

namespace theta {

class TaskScratch final : public ScratchSpace {
 public:
  explicit TaskScratch(const Worker& worker) : worker_(worker) {}

  void write(int64_t at, std::span<const std::byte> from) override {
    if (!file_) file_.emplace(folder());
    file_->write(from, static_cast<uint64_t>(at));
  }
  void read(int64_t at, std::span<std::byte> to) override {
    if (!file_) throw Error(ErrorCode::input, "scratch space is read before it is written");
    file_->read(to, static_cast<uint64_t>(at));
  }
  void stop_if_cancelled() override { worker_.stop_if_cancelled(); }

 private:
  const std::string& folder() const {
    if (!worker_.scratch.empty()) return worker_.scratch;
    throw Error(ErrorCode::memory, "the elements of the tensor's groups have no room, and there is no scratch folder");
  }

  const Worker& worker_;
  std::optional<NamelessFile> file_;
};

}  // namespace theta
