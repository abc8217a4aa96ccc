// A test framework small enough to read in a minute: named tests, expectations that print both
// sides, nothing else.
//
//   TEST(DivideRejectsZero) {
//     EXPECT_EQ(Divide(6, 3), 2);
//     EXPECT_THROWS(Divide(1, 0), "by zero");  // a part of the text; ErrorText gives the whole
//   }
//
// A failed expectation prints `file:line`, the source of both sides and their values; the test then
// goes on, so one run shows every mismatch. Link with testing_main.cc, whose `main` runs all tests
// or those whose name contains argv[1].
#ifndef CFP_XLA_PASSES_TESTING_H_
#define CFP_XLA_PASSES_TESTING_H_

#include <exception>
#include <functional>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

namespace cfp::testing {

struct Test {
  const char* name;
  std::function<void()> body;
};

// Where a test registers itself and a failed expectation reports; both live in testing_main.cc.
bool Register(Test test);
void Fail(const char* file, int line, const std::string& message);

template <typename T, typename = void>
struct IsStreamable : std::false_type {};
template <typename T>
struct IsStreamable<
    T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<const T&>())>>
    : std::true_type {};
template <typename T, typename = void>
struct IsRange : std::false_type {};
template <typename T>
struct IsRange<T, std::void_t<decltype(std::declval<const T&>().begin())>> : std::true_type {};

// `7`, `text`, `[1, 2, 3]`; a type that cannot be printed says so.
template <typename T>
std::string Print(const T& value) {
  std::ostringstream out;
  if constexpr (IsStreamable<T>::value) {
    out << std::boolalpha << value;
  } else if constexpr (IsRange<T>::value) {
    const char* separator = "[";
    for (const auto& item : value) {
      out << separator << Print(item);
      separator = ", ";
    }
    out << (separator[0] == '[' ? "[]" : "]");
  } else if constexpr (std::is_enum_v<T>) {
    out << static_cast<long long>(value);
  } else {
    out << "(a value without operator<<)";
  }
  return out.str();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"  // EXPECT_EQ(list.size(), 3) is meant as it reads
template <typename Left, typename Right>
void ExpectEq(const char* file, int line, const char* source, const Left& got, const Right& want) {
  if (got == want) return;
  Fail(file, line,
       std::string(source) + "\n    got:  " + Print(got) + "\n    want: " + Print(want));
}
#pragma GCC diagnostic pop

// Fails unless `run` throws a std::exception whose text contains `part_of_text`.
void ExpectThrows(const char* file, int line, const char* source, const std::string& part_of_text,
                  const std::function<void()>& run);

// The text of the exception that `run` throws, or "(nothing was thrown)".
std::string ErrorText(const std::function<void()>& run);

}  // namespace cfp::testing

#define TEST(name)                                       \
  static void Test_##name();                             \
  [[maybe_unused]] static const bool registered_##name = \
      ::cfp::testing::Register({#name, Test_##name});    \
  static void Test_##name()

#define EXPECT_EQ(got, want) \
  ::cfp::testing::ExpectEq(__FILE__, __LINE__, #got " == " #want, (got), (want))

#define EXPECT_TRUE(condition) \
  ::cfp::testing::ExpectEq(__FILE__, __LINE__, #condition, static_cast<bool>(condition), true)

#define EXPECT_THROWS(expression, part_of_text)                                           \
  ::cfp::testing::ExpectThrows(__FILE__, __LINE__, #expression " throws", (part_of_text), \
                               [&] { static_cast<void>(expression); })

#endif  // CFP_XLA_PASSES_TESTING_H_
