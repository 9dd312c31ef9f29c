// Runs what check.h collects; the exit code says whether everything held.

#include <cstdio>
#include <cstring>
#include <vector>

#include "check.h"

namespace theta_test {
namespace {

struct Test {
  const char* name;
  TestBody body;
};

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

int failures = 0;

}  // namespace

Registration::Registration(const char* name, TestBody body) { tests().push_back({name, body}); }

void check(bool holds, const char* condition, const char* file, int line) {
  if (holds) return;
  ++failures;
  if (failures <= 20) std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
}

}  // namespace theta_test

int main(int count, char** arguments) {
  // Read as it runs, and whole when a sanitizer ends the program.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const char* wanted = count > 1 ? arguments[1] : "";
  int run = 0;
  for (const auto& test : theta_test::tests()) {
    if (std::strstr(test.name, wanted) == nullptr) continue;
    const int before = theta_test::failures;
    test.body();
    ++run;
    std::printf("%s %s\n", theta_test::failures == before ? "ok  " : "FAIL", test.name);
  }
  if (run == 0) std::fprintf(stderr, "no test is named like %s\n", wanted);
  return run > 0 && theta_test::failures == 0 ? 0 : 1;
}
