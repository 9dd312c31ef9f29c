// See encode_result.h.

#include "encode_result.h"

#include <algorithm>

namespace theta {
namespace {

/// Counts and indices stay below 2^53: no payload has more elements.
Napi::Number number(Napi::Env env, int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

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

Napi::Array encode_numbers(Napi::Env env, const std::vector<int64_t>& from) {
  Napi::Array to = Napi::Array::New(env, from.size());
  for (uint32_t i = 0; i < from.size(); ++i) to.Set(i, number(env, from[i]));
  return to;
}

Napi::Object encode_found(Napi::Env env, const FoundElement& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("part", number(env, static_cast<int64_t>(from.part)));
  to.Set("key", Napi::BigInt::New(env, from.key));
  to.Set("tie", Napi::BigInt::New(env, from.tie));
  to.Set("tied", encode_numbers(env, from.tied));
  to.Set("tiedBefore", encode_numbers(env, from.tied_before));
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

Napi::Array encode_counters(Napi::Env env, const std::vector<InputCounters>& all) {
  Napi::Array array = Napi::Array::New(env, all.size());
  for (uint32_t i = 0; i < all.size(); ++i) array.Set(i, encode_counters(env, all[i]));
  return array;
}

Napi::Object encode_measured(Napi::Env env, const Measured& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("counters", encode_counters(env, from.counters));
  if (from.statistics) to.Set("statistics", encode_statistics(env, *from.statistics));
  if (from.comparison) to.Set("comparison", encode_comparison(env, *from.comparison));
  to.Set("digest", from.digest ? Napi::Value(Napi::String::New(env, digest_text(*from.digest))) : env.Null());
  return to;
}

}  // namespace

Napi::Object encode_result(Napi::Env env, const TaskResult& result) {
  Napi::Object object = Napi::Object::New(env);
  if (result.digest) object.Set("digest", digest_text(*result.digest));

  Napi::Array digests = Napi::Array::New(env, result.input_digests.size());
  for (uint32_t i = 0; i < result.input_digests.size(); ++i) {
    const auto& digest = result.input_digests[i];
    if (digest) {
      digests.Set(i, digest_text(*digest));
    } else {
      digests.Set(i, env.Null());
    }
  }
  object.Set("inputDigests", digests);

  const Counters& counters = result.counters;
  object.Set("inputCounters", encode_counters(env, counters.inputs));

  Napi::Array masks = Napi::Array::New(env, counters.masks.size());
  for (uint32_t i = 0; i < counters.masks.size(); ++i) {
    const MaskCounters& from = counters.masks[i];
    Napi::Object to = Napi::Object::New(env);
    to.Set("operation", number(env, from.operation));
    to.Set("kept", number(env, from.kept));
    to.Set("empty", number(env, from.empty));
    to.Set("firstEmpty", number(env, from.first_empty));
    masks.Set(i, to);
  }
  object.Set("masks", masks);

  object.Set("overflow", number(env, counters.overflow));
  object.Set("firstOverflow", number(env, counters.first_overflow));
  object.Set("antiparallel", number(env, counters.antiparallel));
  if (!counters.windows.empty()) {
    Napi::Array windows = Napi::Array::New(env, counters.windows.size());
    for (uint32_t i = 0; i < counters.windows.size(); ++i) windows.Set(i, encode_window(env, counters.windows[i]));
    object.Set("windows", windows);
  }
  if (!counters.sums.empty()) {
    Napi::Array sums = Napi::Array::New(env, counters.sums.size());
    for (uint32_t i = 0; i < counters.sums.size(); ++i) sums.Set(i, counters.sums[i]);
    object.Set("sums", sums);
  }
  if (!result.found.empty()) {
    Napi::Array found = Napi::Array::New(env, result.found.size());
    for (uint32_t i = 0; i < result.found.size(); ++i) found.Set(i, encode_found(env, result.found[i]));
    object.Set("found", found);
  }
  if (!result.keeps_any.empty()) {
    Napi::Array keeps = Napi::Array::New(env, result.keeps_any.size());
    for (uint32_t i = 0; i < result.keeps_any.size(); ++i) keeps.Set(i, Napi::Boolean::New(env, result.keeps_any[i]));
    object.Set("keepsAny", keeps);
  }
  if (result.statistics) object.Set("statistics", encode_statistics(env, *result.statistics));
  if (result.comparison) object.Set("comparison", encode_comparison(env, *result.comparison));
  if (!result.output.empty()) {
    Napi::Array output = Napi::Array::New(env, result.output.size());
    for (uint32_t i = 0; i < result.output.size(); ++i) output.Set(i, encode_measured(env, result.output[i]));
    object.Set("output", output);
  }
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
