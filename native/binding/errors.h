// Exceptions of the core as JavaScript Errors. The `code` of each is documented in addon-types.ts.
#pragma once

#include <napi.h>

#include <exception>

namespace theta {

/// What became of a task: `code` is "cancelled", "memory", "input" or "io", the last with `errno` and `syscall`.
Napi::Error task_error(Napi::Env env, std::exception_ptr error);

/// What a direct call threw: as above, but a failed system call has its name as `code`, "ENOSPC".
Napi::Error call_error(Napi::Env env, std::exception_ptr error);

/// Runs the body of an exported function; what it throws reaches JavaScript as an Error.
template <typename Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw call_error(env, std::current_exception());
  }
}

}  // namespace theta
