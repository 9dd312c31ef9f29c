// See window_calls.h.

#include "window_calls.h"

#include <limits>

#include "../cpu/window_search.h"
#include "errors.h"
#include "fields.h"

namespace theta {
namespace {

constexpr std::pair<std::string_view, bool> kIsF64[] = {{"F32", false}, {"F64", true}};

WindowPart decode_part(const Field& object) {
  return {object["elements"].bytes(), choice(object["work"], kIsF64), object["lastKey"].stream(),
          object["stream"].stream(), object["weight"].number()};
}

Napi::Array numbers(Napi::Env env, const std::vector<int64_t>& from) {
  Napi::Array to = Napi::Array::New(env, from.size());
  for (uint32_t i = 0; i < from.size(); ++i) to.Set(i, static_cast<double>(from[i]));
  return to;
}

Napi::Value find_element_call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const Field array(info[0], "parts");
    std::vector<WindowPart> parts;
    for (uint32_t i = 0, length = array.length(); i < length; ++i) parts.push_back(decode_part(array[i]));
    const auto found = find_element(parts, Field(info[1], "rank").number());
    if (!found) return env.Null();
    Napi::Object object = Napi::Object::New(env);
    object.Set("part", static_cast<double>(found->part));
    object.Set("key", Napi::BigInt::New(env, found->key));
    object.Set("tie", Napi::BigInt::New(env, found->tie));
    object.Set("tied", numbers(env, found->tied));
    object.Set("tiedBefore", numbers(env, found->tied_before));
    return object;
  });
}

}  // namespace

void export_window_calls(Napi::Env env, Napi::Object exports) {
  exports.Set("findElement", Napi::Function::New<find_element_call>(env, "findElement"));
}

}  // namespace theta
