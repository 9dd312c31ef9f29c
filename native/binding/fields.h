// Fields of objects that JavaScript hands over, checked: whatever is missing, of another type or out of its range is an
// Error(input) that names the field, such as `task.inputs[2].offset`.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace theta {

/// A value together with the words that lead to it.
class Field {
 public:
  Field(Napi::Value value, std::string path) : value_(value), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool is_undefined() const { return value_.IsUndefined(); }

  /// A field of this object.
  Field operator[](const char* name) const;
  /// An element of this array; `index` is below length().
  Field operator[](uint32_t index) const;
  uint32_t length() const;

  /// A finite number.
  double number() const;
  /// A whole number within [least, most]; both at most 2^53 away from 0.
  int64_t integer(int64_t least, int64_t most) const;
  /// An offset or a size: a whole number from 0 to 2^53 - 1.
  int64_t size() const;
  int32_t descriptor() const;
  bool boolean() const;
  std::string text() const;
  /// A bigint from 0 to 2^64 - 1.
  uint64_t stream() const;
  /// Those of a Uint8Array, valid as long as JavaScript keeps it.
  std::span<const std::byte> bytes() const;

  /// Throws Error(input): "<path> must be <wanted>, not <what it is>".
  [[noreturn]] void refuse(const std::string& wanted) const;

 private:
  std::string described() const;

  Napi::Value value_;
  std::string path_;
};

/// The value that stands beside the field's text in `choices`.
template <typename Value, size_t count>
Value choice(const Field& field, const std::pair<std::string_view, Value> (&choices)[count]) {
  const std::string text = field.text();
  std::string words;
  for (const auto& [word, value] : choices) {
    if (word == text) return value;
    words += words.empty() ? "\"" : ", \"";
    words += word;
    words += '"';
  }
  field.refuse("one of " + words);
}

}  // namespace theta
