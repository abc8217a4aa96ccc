// Runs the tests that testing.h registered: `some_test [part-of-a-name]`.
#include <cstdio>
#include <cstring>
#include <vector>

#include "testing.h"

namespace cfp::testing {
namespace {

constexpr char kNothingThrown[] = "(nothing was thrown)";

std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

int& Failures() {
  static int failures = 0;
  return failures;
}

void Run(const Test& test) {
  const int before = Failures();
  try {
    test.body();
  } catch (const std::exception& error) {
    Fail(test.name, 0, std::string("threw: ") + error.what());
  }
  if (Failures() != before) std::fprintf(stderr, "FAILED %s\n", test.name);
}

}  // namespace

bool Register(Test test) {
  Tests().push_back(std::move(test));
  return true;
}

void Fail(const char* file, int line, const std::string& message) {
  ++Failures();
  std::fprintf(stderr, "%s:%d: %s\n", file, line, message.c_str());
}

std::string ErrorText(const std::function<void()>& run) {
  try {
    run();
  } catch (const std::exception& error) {
    return error.what();
  }
  return kNothingThrown;
}

void ExpectThrows(const char* file, int line, const char* source, const std::string& part_of_text,
                  const std::function<void()>& run) {
  const std::string text = ErrorText(run);
  if (text != kNothingThrown && text.find(part_of_text) != std::string::npos) return;
  Fail(file, line,
       std::string(source) + "\n    got:  " + text + "\n    want: ... " + part_of_text + " ...");
}

int RunAll(const char* filter) {
  int run = 0;
  for (const Test& test : Tests()) {
    if (std::strstr(test.name, filter) == nullptr) continue;
    Run(test);
    ++run;
  }
  std::printf("%d tests, %d failed expectations\n", run, Failures());
  return run > 0 && Failures() == 0 ? 0 : 1;
}

}  // namespace cfp::testing

int main(int argc, char** argv) { return cfp::testing::RunAll(argc > 1 ? argv[1] : ""); }
