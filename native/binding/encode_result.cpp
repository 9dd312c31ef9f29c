// See encode_result.h.

#include "encode_result.h"

#include <algorithm>

namespace theta {
namespace {

/// Counts and indices stay below 2^53: no payload has more elements.
Napi::Number number(Napi::Env env, int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

template <typename Item, typename Encode>
Napi::Array encode_all(Napi::Env env, const std::vector<Item>& items, Encode encode) {
  Napi::Array array = Napi::Array::New(env, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) array.Set(i, encode(env, items[i]));
  return array;
}

Napi::Object encode_statistics(Napi::Env env, const TensorStatistics& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("finite", number(env, from.finite));
  to.Set("zeros", number(env, from.zeros));
  to.Set("least", from.least);
  to.Set("largest", from.largest);
  to.Set("sum", from.sum);
  to.Set("squares", from.squares);
  return to;
}

Napi::Object encode_window(Napi::Env env, const FoundInWindow& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("above", number(env, from.above));
  to.Set("inside", number(env, from.inside));
  to.Set("tiedAbove", number(env, from.tied_above));
  to.Set("tiedBelow", number(env, from.tied_below));
  to.Set("thinning", from.thinning);
  to.Set("kept", number(env, from.kept));
  Napi::Uint8Array elements = Napi::Uint8Array::New(env, from.elements.size());
  std::copy(from.elements.begin(), from.elements.end(), reinterpret_cast<std::byte*>(elements.Data()));
  to.Set("elements", elements);
  return to;
}

Napi::Object encode_found(Napi::Env env, const FoundElement& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("part", number(env, static_cast<int64_t>(from.part)));
  to.Set("key", Napi::BigInt::New(env, from.key));
  to.Set("tie", Napi::BigInt::New(env, from.tie));
  to.Set("tied", encode_all(env, from.tied, number));
  to.Set("tiedBefore", encode_all(env, from.tied_before, number));
  return to;
}

Napi::Object encode_comparison(Napi::Env env, const Comparison& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("sameBytes", from.same_bytes);
  to.Set("different", number(env, from.different));
  to.Set("differentBits", number(env, from.different_bits));
  to.Set("finite", number(env, from.finite));
  to.Set("largest", from.largest);
  to.Set("absolute", from.absolute);
  to.Set("squares", from.squares);
  to.Set("aSquares", from.a_squares);
  to.Set("bSquares", from.b_squares);
  to.Set("product", from.product);
  return to;
}

Napi::Object encode_counters(Napi::Env env, const InputCounters& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("nan", number(env, from.nan));
  to.Set("firstNan", number(env, from.first_nan));
  to.Set("inf", number(env, from.inf));
  to.Set("firstInf", number(env, from.first_inf));
  return to;
}

Napi::Object encode_mask(Napi::Env env, const MaskCounters& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("operation", number(env, from.operation));
  to.Set("kept", number(env, from.kept));
  to.Set("empty", number(env, from.empty));
  to.Set("firstEmpty", number(env, from.first_empty));
  return to;
}

Napi::Value encode_digest(Napi::Env env, const std::optional<Digest>& from) {
  return from ? Napi::Value(Napi::String::New(env, digest_text(*from))) : env.Null();
}

Napi::Object encode_measured(Napi::Env env, const Measured& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("counters", encode_all(env, from.counters, encode_counters));
  if (from.statistics) to.Set("statistics", encode_statistics(env, *from.statistics));
  if (from.comparison) to.Set("comparison", encode_comparison(env, *from.comparison));
  to.Set("digest", encode_digest(env, from.digest));
  return to;
}

}  // namespace

Napi::Object encode_result(Napi::Env env, const TaskResult& result) {
  Napi::Object object = Napi::Object::New(env);
  if (result.digest) object.Set("digest", digest_text(*result.digest));
  object.Set("inputDigests", encode_all(env, result.input_digests, encode_digest));

  const Counters& counters = result.counters;
  object.Set("inputCounters", encode_all(env, counters.inputs, encode_counters));
  object.Set("masks", encode_all(env, counters.masks, encode_mask));
  object.Set("overflow", number(env, counters.overflow));
  object.Set("firstOverflow", number(env, counters.first_overflow));
  object.Set("antiparallel", number(env, counters.antiparallel));
  if (!counters.windows.empty()) object.Set("windows", encode_all(env, counters.windows, encode_window));
  if (!counters.sums.empty()) object.Set("sums", encode_all(env, counters.sums, Napi::Number::New));
  if (!result.found.empty()) object.Set("found", encode_all(env, result.found, encode_found));
  if (!result.keeps_any.empty()) object.Set("keepsAny", encode_all(env, result.keeps_any, Napi::Boolean::New));
  if (result.statistics) object.Set("statistics", encode_statistics(env, *result.statistics));
  if (result.comparison) object.Set("comparison", encode_comparison(env, *result.comparison));
  if (!result.output.empty()) object.Set("output", encode_all(env, result.output, encode_measured));
  return object;
}

Napi::Object encode_progress(Napi::Env env, const Progress& progress) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("read", number(env, progress.read));
  object.Set("hashed", number(env, progress.hashed));
  object.Set("written", number(env, progress.written));
  object.Set("copied", number(env, progress.copied));
  return object;
}

}  // namespace theta
