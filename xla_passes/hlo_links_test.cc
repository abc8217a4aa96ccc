// References that lead nowhere, to two places, or back.
#include "hlo_links.h"

#include "graph_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

TEST(ModulesThatDoNotHangTogetherAreErrors) {
  HloText missing(1);
  missing.Add("negate", F32({4}), {77});
  EXPECT_THROWS(Build({missing}, 1),
                "instruction \"i1\" uses id 77, which no instruction before it has");
  HloText later(1);
  later.Add("negate", F32({4}), {later.next_id + 1});
  later.Add("iota", F32({4}));
  EXPECT_THROWS(Build({later}, 1), "uses id 4294967298, which no instruction before it has");
  HloText twice(1);
  twice.Add("iota", F32({4}));
  --twice.next_id;
  twice.Add("iota", F32({4}));
  EXPECT_THROWS(Build({twice}, 1),
                "two instructions of computation \"computation1\" have the id 4294967297");
  HloText recursive(1);
  recursive.Add("call", F32({4}), {}, Calls({1}));
  EXPECT_THROWS(Build({recursive}, 1),
                "calls computation 1, which is not listed before it (recursion is not allowed)");
  HloText rootless(1);
  rootless.Add("iota", F32({4}));
  rootless.root_id = 5;
  EXPECT_THROWS(Build({rootless}, 1),
                "computation \"computation1\" has no instruction with its root id 5");
  EXPECT_THROWS(Build({Binary(1, "add")}, 2), "no computation has the entry id 2");
  EXPECT_THROWS(Build({Binary(1, "add"), Binary(1, "add")}, 1), "two computations have the id 1");
}

}  // namespace
}  // namespace cfp
