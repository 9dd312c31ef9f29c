// See variant.h.

#include "variant.h"

#include <string>

namespace theta {
namespace {

/// THETA_ISA as JavaScript sees it: a worker thread of Node has its own environment, which getenv() does not know.
std::string forced_isa(Napi::Env env) {
  const Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return "";
  const Napi::Value variables = process.As<Napi::Object>().Get("env");
  if (!variables.IsObject()) return "";
  const Napi::Value forced = variables.As<Napi::Object>().Get("THETA_ISA");
  return forced.IsString() ? forced.As<Napi::String>().Utf8Value() : "";
}

}  // namespace

Isa chosen_isa(Napi::Env env) {
  const std::string forced = forced_isa(env);
  if (forced.empty()) return supported_isas().front();
  std::string available;
  for (const Isa isa : supported_isas()) {
    if (forced == isa_name(isa)) return isa;
    available += available.empty() ? "" : ", ";
    available += isa_name(isa);
  }
  const char* reason = isa_of(forced) ? ", which this CPU or build does not have" : ", which is no instruction set";
  Napi::Error error = Napi::Error::New(env, "THETA_ISA is " + forced + reason + "; available: " + available);
  error.Set("code", Napi::String::New(env, "usage"));
  throw error;
}

}  // namespace theta
