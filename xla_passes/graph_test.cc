// Verify, Dump and names.
#include "graph.h"

#include "graph_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

TEST(VerifyNamesWhatDoesNotHold) {
  Graph graph = ScanText(1, 12).Built(0);
  const auto error = [](Graph broken) { return ErrorText([&] { Verify(broken); }); };
  EXPECT_EQ(error(graph), "(nothing was thrown)");
  Graph late = graph;
  late.operand_pool[late.ops[5].operands_begin] = 7;
  EXPECT_EQ(error(late), "graph: %5 (dot) reads %7, which is not before it");
  Graph reshaped = graph;
  reshaped.next[3] = 6;
  EXPECT_EQ(error(reshaped), "graph: %3 (carry) and its next value %6 differ in shape");
  Graph orphan = graph;
  orphan.regions[1].parent = 1;
  EXPECT_EQ(error(orphan), "graph: region 1 has no parent before it");
}

TEST(DumpShowsShapesRegionsAndProvenance) {
  HloText main(1);
  const std::string name =
      BytesField(InstructionField::kMetadata, BytesField(2, "mlp/dot_general"));
  const int64_t x = main.Parameter(0, F32({4, 4}));
  main.Add("dot", F32({4, 4}), {x, x}, name);
  EXPECT_EQ(Dump(Build({main}, 1)),
            "%0 = f32[4,4] parameter()  region 0\n"
            "%1 = f32[4,4] dot(%0, %0)  region 0  \"mlp/dot_general\"\n"
            "parameters %0\nresults %1\n");
}

TEST(NamesGoOnFromCallToCall) {
  const auto named = [](std::string_view name) {
    return BytesField(InstructionField::kMetadata, BytesField(MetadataField::kOpName, name));
  };
  HloText inner(1);
  const int64_t x = inner.Parameter(0, F32({4}));
  inner.Add("negate", F32({4}), {inner.Add("tanh", F32({4}), {x})}, named("neg"));
  HloText outer(2);
  outer.Add("call", F32({4}), {outer.Parameter(0, F32({4}))},
            Calls({1}) + named("mlp/closed_call"));
  HloText main(3);
  main.Add("call", F32({4}), {main.Parameter(0, F32({4}))}, Calls({2}) + named("jit(step)"));
  const Graph graph = Build({inner, outer, main}, 3);
  EXPECT_EQ(OpName(graph, 0), "");
  EXPECT_EQ(OpName(graph, 1), "jit(step)/mlp/closed_call");
  EXPECT_EQ(OpName(graph, 2), "jit(step)/mlp/closed_call/neg");
}

}  // namespace
}  // namespace cfp
