// See background_writer.h.

#include "background_writer.h"

#include <pthread.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../error.h"

namespace theta {

BackgroundWriter::~BackgroundWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundWriter::start(OutputSink& sink, Bytes bytes, size_t others) {
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      throw Error(ErrorCode::memory, std::string("the system gives no more threads: ") + error.what());
    }
  }
  {
    std::unique_lock lock(mutex_);
    wait_for(others, lock);
    sink_ = &sink;
    ranges_.push_back(bytes);
  }
  changed_.notify_all();
}

void BackgroundWriter::wait() {
  std::unique_lock lock(mutex_);
  wait_for(0, lock);
}

void BackgroundWriter::wait_for(size_t left, std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this, left] { return ranges_.size() <= left; });
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

void BackgroundWriter::drain() noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ranges_.empty(); });
  error_ = nullptr;
}

void BackgroundWriter::run() {
  pthread_setname_np(pthread_self(), "theta-write");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || !ranges_.empty(); });
    if (ranges_.empty()) return;
    const size_t count = std::min(ranges_.size(), OutputSink::kMostRanges);
    const std::vector<Bytes> together(ranges_.begin(), ranges_.begin() + static_cast<ptrdiff_t>(count));
    lock.unlock();
    std::exception_ptr error;
    try {
      sink_->write(together);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<ptrdiff_t>(count));
    if (error != nullptr) {
      error_ = error;
      ranges_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace theta
