// See background_writer.h.

#include "background_writer.h"

#include <pthread.h>

#include <string>
#include <system_error>
#include <utility>

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

void BackgroundWriter::start(OutputSink& sink, Bytes bytes) {
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      throw Error(ErrorCode::memory, std::string("the system gives no more threads: ") + error.what());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    sink_ = &sink;
    bytes_ = bytes;
  }
  changed_.notify_all();
}

void BackgroundWriter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return sink_ == nullptr; });
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

void BackgroundWriter::drain() noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return sink_ == nullptr; });
  error_ = nullptr;
}

void BackgroundWriter::run() {
  pthread_setname_np(pthread_self(), "theta-write");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || sink_ != nullptr; });
    if (sink_ == nullptr) return;
    lock.unlock();
    std::exception_ptr error;
    try {
      sink_->write(bytes_);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    sink_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace theta
