// See fields.h.

#include "fields.h"

#include <cmath>
#include <limits>

#include "../error.h"

namespace theta {
namespace {

constexpr int64_t kMostExact = (int64_t{1} << 53) - 1;

std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  quoted += text;
  quoted += '"';
  return quoted;
}

}  // namespace

Field Field::operator[](const char* name) const {
  if (!value_.IsObject()) refuse("an object");
  return Field(value_.As<Napi::Object>().Get(name), path_ + "." + name);
}

Field Field::operator[](uint32_t index) const {
  return Field(value_.As<Napi::Array>().Get(index), path_ + "[" + std::to_string(index) + "]");
}

uint32_t Field::length() const {
  if (!value_.IsArray()) refuse("an array");
  return value_.As<Napi::Array>().Length();
}

double Field::number() const {
  if (!value_.IsNumber()) refuse("a number");
  const double number = value_.As<Napi::Number>().DoubleValue();
  if (!std::isfinite(number)) refuse("a finite number");
  return number;
}

int64_t Field::integer(int64_t least, int64_t most) const {
  const std::string wanted = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!value_.IsNumber()) refuse(wanted);
  const double number = value_.As<Napi::Number>().DoubleValue();
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) || number != std::floor(number)) {
    refuse(wanted);
  }
  return static_cast<int64_t>(number);
}

int64_t Field::size() const { return integer(0, kMostExact); }

int32_t Field::descriptor() const { return static_cast<int32_t>(integer(0, std::numeric_limits<int32_t>::max())); }

bool Field::boolean() const {
  if (!value_.IsBoolean()) refuse("true or false");
  return value_.As<Napi::Boolean>().Value();
}

std::string Field::text() const {
  if (!value_.IsString()) refuse("a string");
  return value_.As<Napi::String>().Utf8Value();
}

uint64_t Field::stream() const {
  bool lossless = false;
  if (!value_.IsBigInt()) refuse("a bigint");
  const uint64_t stream = value_.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) refuse("a bigint from 0 to 2^64 - 1");
  return stream;
}

std::span<const std::byte> Field::bytes() const {
  const bool is_bytes = value_.IsTypedArray() && value_.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
  if (!is_bytes) refuse("a Uint8Array");
  const auto array = value_.As<Napi::Uint8Array>();
  return {reinterpret_cast<const std::byte*>(array.Data()), array.ByteLength()};
}

void Field::refuse(const std::string& wanted) const {
  throw Error(ErrorCode::input, path_ + " must be " + wanted + ", not " + described());
}

std::string Field::described() const {
  switch (value_.Type()) {
    case napi_string:
      return quoted(value_.As<Napi::String>().Utf8Value());
    case napi_number:
    case napi_boolean:
    case napi_bigint:
    case napi_undefined:
    case napi_null:
      return value_.ToString().Utf8Value();
    default:
      return value_.IsArray() ? "an array" : value_.IsFunction() ? "a function" : "an object";
  }
}

}  // namespace theta
