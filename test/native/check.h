// The C++ tests of native/, without a framework: TEST adds a test, CHECK reports what does not hold and goes on.
// `theta_tests WORD` runs the tests whose name contains WORD.
#pragma once

namespace theta_test {

using TestBody = void (*)();

struct Registration {
  Registration(const char* name, TestBody body);
};

void check(bool holds, const char* condition, const char* file, int line);

}  // namespace theta_test

#define TEST(name)                                                             \
  static void name();                                                          \
  static const ::theta_test::Registration registration_of_##name(#name, name); \
  static void name()

#define CHECK(condition) ::theta_test::check((condition), #condition, __FILE__, __LINE__)
