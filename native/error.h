// The one exception of the core. The binding turns it into a JavaScript Error with the same `code`.
#pragma once

#include <stdexcept>
#include <string>

namespace theta {

enum class ErrorCode {
  cancelled,
  /// The limit does not suffice, or the system refused the memory.
  memory,
  /// The caller handed over something malformed; a bug of the caller.
  input,
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code(code) {}
  const ErrorCode code;
};

inline const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::memory:
      return "memory";
    case ErrorCode::input:
      return "input";
  }
  return "input";
}

}  // namespace theta
