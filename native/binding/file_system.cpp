// See file_system.h. Arguments are checked here, the calls are io/file_calls.h.

#include "file_system.h"

#include "../io/file_calls.h"
#include "errors.h"
#include "fields.h"

namespace theta {
namespace {

int32_t descriptor(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return Field(info[index], name).descriptor();
}

/// A string with a zero in it names another file than it seems to.
std::string path(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const Field field(info[index], name);
  std::string text = field.text();
  if (text.find('\0') != std::string::npos) field.refuse("a path without zero characters");
  return text;
}

Napi::Value fallocate_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    fallocate_file(descriptor(info, 0, "fd"), static_cast<uint64_t>(Field(info[1], "bytes").size()));
    return info.Env().Undefined();
  });
}

Napi::Value reflink_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return Napi::Boolean::New(info.Env(), reflink(descriptor(info, 0, "fromFd"), descriptor(info, 1, "toFd")));
  });
}

Napi::Value unshared_bytes_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return Napi::Number::New(info.Env(), static_cast<double>(unshared_bytes(descriptor(info, 0, "fd"))));
  });
}

Napi::Value exchange_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(),
                 [&] { return Napi::Boolean::New(info.Env(), exchange(path(info, 0, "a"), path(info, 1, "b"))); });
}

Napi::Value try_lock_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Boolean::New(info.Env(), try_lock(descriptor(info, 0, "fd"))); });
}

Napi::Value unlock_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    unlock(descriptor(info, 0, "fd"));
    return info.Env().Undefined();
  });
}

Napi::Value file_system_type_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return Napi::Number::New(info.Env(), static_cast<double>(file_system_type(path(info, 0, "path"))));
  });
}

}  // namespace

void export_file_system_calls(Napi::Env env, Napi::Object exports) {
  exports.Set("fallocate", Napi::Function::New<fallocate_call>(env, "fallocate"));
  exports.Set("reflink", Napi::Function::New<reflink_call>(env, "reflink"));
  exports.Set("unsharedBytes", Napi::Function::New<unshared_bytes_call>(env, "unsharedBytes"));
  exports.Set("exchange", Napi::Function::New<exchange_call>(env, "exchange"));
  exports.Set("tryLock", Napi::Function::New<try_lock_call>(env, "tryLock"));
  exports.Set("unlock", Napi::Function::New<unlock_call>(env, "unlock"));
  exports.Set("fileSystemType", Napi::Function::New<file_system_type_call>(env, "fileSystemType"));
}

}  // namespace theta
