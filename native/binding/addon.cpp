// What theta.node exports: the list, and the calls too small for a file of their own. Its type is addon-types.ts.

#include <napi.h>

#include "../io/sha256.h"
#include "engine_object.h"
#include "errors.h"
#include "file_system.h"
#include "variant.h"

namespace theta {
namespace {

Napi::Value variant_call(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), isa_name(chosen_isa(info.Env())));
}

Napi::Value sha256_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (info[0].IsTypedArray() && info[0].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
      const auto data = info[0].As<Napi::Uint8Array>();
      const Bytes bytes(reinterpret_cast<const std::byte*>(data.Data()), data.ByteLength());
      return Napi::String::New(info.Env(), digest_text(sha256(bytes)));
    }
    if (!info[0].IsString()) throw Error(ErrorCode::input, "data must be a string or a Uint8Array");
    const std::string text = info[0].As<Napi::String>().Utf8Value();
    return Napi::String::New(info.Env(), digest_text(sha256(std::as_bytes(std::span(text)))));
  });
}

Napi::Array variants(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env);
  for (const Isa isa : supported_isas()) names.Set(names.Length(), isa_name(isa));
  return names;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  EngineObject::define(env);
  exports.Set("createEngine", Napi::Function::New<EngineObject::create>(env, "createEngine"));
  exports.Set("variants", variants(env));
  exports.Set("variant", Napi::Function::New<variant_call>(env, "variant"));
  exports.Set("sha256", Napi::Function::New<sha256_call>(env, "sha256"));
  export_file_system_calls(env, exports);
  return exports;
}

}  // namespace
}  // namespace theta

static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) { return theta::initialize(env, exports); }

NODE_API_MODULE(theta, initialize_addon)
