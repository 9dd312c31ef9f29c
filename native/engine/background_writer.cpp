// See background_writer.h.

#include "background_writer.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

#include "../error.h"

namespace theta {
namespace {

constexpr size_t kWorthWriting = 2 << 20;

}  // namespace

BackgroundWriter::~BackgroundWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundWriter::start_thread() {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::memory, std::string("the system gives no more threads: ") + error.what());
  }
}

BackgroundWriter::Ticket BackgroundWriter::start(Target& target, Bytes bytes) {
  if (!thread_.joinable()) start_thread();
  const std::lock_guard lock(mutex_);
  if (target.error != nullptr) std::rethrow_exception(target.error);
  ranges_.push_back({&target, bytes});
  if (is_worth_writing()) changed_.notify_all();
  return ++last_;
}

void BackgroundWriter::wait_for(Ticket ticket) noexcept {
  std::unique_lock lock(mutex_);
  if (done_ >= ticket) return;
  awaited_ = std::max(awaited_, ticket);
  changed_.notify_all();
  changed_.wait(lock, [this, ticket] { return done_ >= ticket; });
}

/// How many of the first go out together.
size_t BackgroundWriter::fitting() const {
  const size_t most = std::min(ranges_.size(), OutputSink::kMostRanges);
  size_t count = 1;
  while (count < most && ranges_[count].target == ranges_.front().target) ++count;
  return count;
}

/// Whether it makes no sense to wait for more to go along with the first.
bool BackgroundWriter::is_worth_writing() const {
  if (ranges_.empty()) return false;
  const size_t count = fitting();
  if (count < ranges_.size() || count == OutputSink::kMostRanges || awaited_ > done_) return true;
  size_t bytes = 0;
  for (const Range& range : ranges_) bytes += range.bytes.size();
  return bytes >= kWorthWriting;
}

void BackgroundWriter::run() {
  pthread_setname_np(pthread_self(), "theta-write");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || is_worth_writing(); });
    if (ranges_.empty()) return;
    const size_t count = fitting();
    Target& target = *ranges_.front().target;
    if (target.error == nullptr) {
      std::array<Bytes, OutputSink::kMostRanges> together;
      for (size_t i = 0; i < count; ++i) together[i] = ranges_[i].bytes;
      lock.unlock();
      std::exception_ptr error;
      try {
        target.sink.write(std::span(together).first(count));
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      target.error = error;
    }
    ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<ptrdiff_t>(count));
    done_ += count;
    changed_.notify_all();
  }
}

}  // namespace theta
