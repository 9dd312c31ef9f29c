// See errors.h.

#include "errors.h"

#include <new>
#include <string>

#include "../error.h"
#include "../io/file_calls.h"
#include "../io/io_error.h"

namespace theta {
namespace {

Napi::Error make(Napi::Env env, const std::string& message, const char* code) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

/// "ENOSPC: No space left on device, pwrite", as Node words its own.
Napi::Error make(Napi::Env env, const IoError& failure, const char* code) {
  Napi::Error error = make(env, std::string(errno_name(failure.number)) + ": " + failure.what(), code);
  error.Set("errno", Napi::Number::New(env, failure.number));
  error.Set("syscall", Napi::String::New(env, failure.syscall));
  return error;
}

template <typename IoCode>
Napi::Error convert(Napi::Env env, std::exception_ptr thrown, IoCode io_code) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Napi::Error& error) {
    return error;
  } catch (const Error& error) {
    return make(env, error.what(), error_code_name(error.code));
  } catch (const IoError& error) {
    return make(env, error, io_code(error));
  } catch (const std::bad_alloc&) {
    return make(env, "the system gives no more memory", error_code_name(ErrorCode::memory));
  } catch (const std::exception& error) {
    return make(env, error.what(), error_code_name(ErrorCode::input));
  }
}

}  // namespace

Napi::Error task_error(Napi::Env env, std::exception_ptr error) {
  return convert(env, error, [](const IoError&) { return "io"; });
}

Napi::Error call_error(Napi::Env env, std::exception_ptr error) {
  return convert(env, error, [](const IoError& failure) { return errno_name(failure.number); });
}

}  // namespace theta
