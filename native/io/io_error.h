// A system call that failed, with what JavaScript wants to know about it.
#pragma once

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>

namespace theta {

class IoError : public std::runtime_error {
 public:
  /// Of the call that just failed; reads errno.
  explicit IoError(const char* syscall) : IoError(errno, syscall) {}

  const int number;
  const char* const syscall;

 protected:
  /// `message` has no path in it: descriptors are all that native/ is given.
  IoError(int number, const char* syscall, const std::string& message)
      : std::runtime_error(message), number(number), syscall(syscall) {}

 private:
  IoError(int number, const char* syscall)
      : IoError(number, syscall, std::generic_category().message(number) + ", " + syscall) {}
};

/// The file ended before the bytes it was said to have.
class FileEnded : public IoError {
 public:
  FileEnded(uint64_t wanted_end, uint64_t end)
      : IoError(ENODATA, "pread",
                "the file ends at byte " + std::to_string(end) + ", before byte " + std::to_string(wanted_end) +
                    " that its header promises: it was cut short after its header was read") {}
};

}  // namespace theta
