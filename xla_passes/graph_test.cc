// Flattening and the canonical order, on modules small enough to see the whole graph. What is expected is spelled as
// the structural part of Dump: `%2 = dot(%0, %1)`, with `region r` where that is not 0.
#include "graph.h"

#include <algorithm>
#include <random>

#include "hlo_error.h"
#include "hlo_reader.h"
#include "hlo_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

Graph Build(const std::vector<HloText>& computations, int64_t entry_id) {
  Graph graph = BuildGraph(ReadHloModule(Serialize(computations, entry_id)));
  Verify(graph);
  return graph;
}

std::string Text(const Graph& graph) {
  std::string text;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const auto id = static_cast<OpId>(i);
    text += "%" + std::to_string(id) + " = " + std::string(OpcodeText(graph.ops[i].opcode)) + "(";
    const char* separator = "";
    for (const OpId operand : graph.operands(id)) {
      text += separator + ("%" + std::to_string(operand));
      separator = ", ";
    }
    text += ")";
    if (graph.ops[i].tuple_index >= 0) text += " index " + std::to_string(graph.ops[i].tuple_index);
    if (graph.next[i] != kNoOp) text += " next %" + std::to_string(graph.next[i]);
    if (graph.ops[i].region != 0) text += " region " + std::to_string(graph.ops[i].region);
    text += "\n";
  }
  return text;
}

HloText Binary(int64_t id, std::string_view opcode, const std::string& shape = F32({})) {
  HloText computation(id);
  const int64_t a = computation.Parameter(0, shape);
  const int64_t b = computation.Parameter(1, shape);
  computation.Add(opcode, shape, {a, b});
  return computation;
}

TEST(NestedCallsAreInlined) {
  HloText inner(1);
  inner.Add("negate", F32({4}), {inner.Parameter(0, F32({4}))});
  HloText outer(2);
  const int64_t x = outer.Parameter(0, F32({4}));
  const int64_t called = outer.Add("call", F32({4}), {x}, Calls({1}));
  outer.Add("fusion", F32({4}), {called}, Calls({1}));
  HloText main(3);
  main.Add("call", F32({4}), {main.Parameter(0, F32({4}))}, Calls({2}));
  EXPECT_EQ(Text(Build({inner, outer, main}, 3)), "%0 = parameter()\n%1 = negate(%0)\n%2 = negate(%1)\n");
}

TEST(TuplesAndBarriersLeaveNothingBehind) {
  HloText main(1);
  const std::string f = F32({4});
  const int64_t a = main.Parameter(0, f);
  const int64_t b = main.Parameter(1, f);
  const int64_t tuple = main.Add("tuple", TupleOf({f, TupleOf({f})}), {a, main.Add("tuple", TupleOf({f}), {b})});
  const int64_t barrier = main.Add("opt-barrier", TupleOf({f, TupleOf({f})}), {tuple});
  const int64_t nested = main.Element(barrier, 1, TupleOf({f}));
  const int64_t difference = main.Add("subtract", f, {main.Element(nested, 0, f), main.Element(barrier, 0, f)});
  main.Add("tuple", TupleOf({f, TupleOf({f, f})}), {difference, main.Add("tuple", TupleOf({f, f}), {a, difference})});
  const Graph graph = Build({main}, 1);
  EXPECT_EQ(Text(graph), "%0 = parameter()\n%1 = parameter()\n%2 = subtract(%1, %0)\n");
  EXPECT_EQ(graph.results, (std::vector<OpId>{2, 0, 2}));
}

TEST(DeadOpsAndParametersAreDropped) {
  HloText main(1);
  const int64_t dead = main.Parameter(0, F32({4}));
  const int64_t live = main.Parameter(1, F32({4}));
  main.Add("negate", F32({4}), {dead});
  main.Add("negate", F32({4}), {live});
  const Graph graph = Build({main}, 1);
  EXPECT_EQ(Text(graph), "%0 = parameter()\n%1 = negate(%0)\n");
  EXPECT_EQ(graph.parameters, (std::vector<OpId>{kNoOp, 0}));
}

TEST(OpsWithSeveralResultsAreReadThroughElements) {
  HloText main(1);
  const std::string pair = TupleOf({F32({4}), S32({4})});
  const int64_t parameter = main.Parameter(0, pair);
  const int64_t sorted = main.Add("sort", pair, {main.Element(parameter, 1, S32({4})), main.Element(parameter, 0, F32({4}))});
  main.Add("negate", S32({4}), {main.Element(sorted, 1, S32({4}))});
  EXPECT_EQ(Text(Build({main}, 1)),
            "%0 = parameter()\n%1 = get-tuple-element(%0) index 1\n%2 = get-tuple-element(%0) index 0\n"
            "%3 = sort(%1, %2)\n%4 = get-tuple-element(%3) index 1\n%5 = negate(%4)\n");
}

// carry (i, x, w) -> (i + step, tanh(x · w), w), while i < limit.
struct ScanText {
  std::string state = TupleOf({S32({}), F32({4, 4}), F32({4, 4})});
  HloText body{1}, condition{2};

  ScanText(int64_t step, int64_t limit, std::string_view direction = "LT") {
    const int64_t carry = body.Parameter(0, state);
    const int64_t next = body.Add("add", S32({}), {body.Element(carry, 0, S32({})), body.Constant(step)});
    const int64_t w = body.Element(carry, 2, F32({4, 4}));
    const int64_t dot = body.Add("dot", F32({4, 4}), {body.Element(carry, 1, F32({4, 4})), w}, DotNumbers({1}, {0}));
    body.Add("tuple", state, {next, body.Add("tanh", F32({4, 4}), {dot}), w});
    const int64_t read = condition.Parameter(0, state);
    condition.Add("compare", Pred(), {condition.Element(read, 0, S32({})), condition.Constant(limit)}, Direction(direction));
  }

  // main(x, w): the x after the loop
  HloText Main(int64_t start) const {
    HloText main(9);
    const int64_t x = main.Parameter(0, F32({4, 4}));
    const int64_t w = main.Parameter(1, F32({4, 4}));
    const int64_t initial = main.Add("tuple", state, {main.Constant(start), x, w});
    main.Element(main.Add("while", state, {initial}, Calls({1, 2})), 1, F32({4, 4}));
    return main;
  }

  Graph Built(int64_t start) const { return Build({body, condition, Main(start)}, 9); }
};

TEST(ALoopIsLaidOutOnceWithoutItsInvariants) {
  const Graph graph = ScanText(1, 12).Built(0);
  EXPECT_EQ(Text(graph),
            "%0 = parameter()\n%1 = parameter()\n%2 = constant()\n"
            "%3 = carry(%2) index 0 next %8 region 1\n%4 = carry(%0) index 1 next %6 region 1\n"
            "%5 = dot(%4, %1) region 1\n%6 = tanh(%5) region 1\n%7 = constant() region 1\n%8 = add(%3, %7) region 1\n"
            "%9 = constant() region 1\n%10 = compare(%3, %9) region 1\n"
            "%11 = loop(%8, %6, %1)\n%12 = get-tuple-element(%11) index 1\n");
  EXPECT_EQ(graph.regions.size(), 2u);
  EXPECT_EQ(graph.regions[1].owner, 11);
  EXPECT_EQ(graph.regions[1].condition, 10);
  EXPECT_EQ(graph.regions[1].times, 12);
}

TEST(TripCountsAreCounted) {
  const auto trips = [](int64_t start, int64_t step, int64_t limit, std::string_view direction) {
    const Region region = ScanText(step, limit, direction).Built(start).regions[1];
    return region.trip_count_known ? region.trip_count : -1;
  };
  const int64_t never_ends = -1;
  EXPECT_EQ(trips(0, 1, 12, "LT"), 12);
  EXPECT_EQ(trips(3, 4, 12, "LT"), 3);
  EXPECT_EQ(trips(0, 1, 12, "LE"), 13);
  EXPECT_EQ(trips(11, -1, 0, "GE"), 12);
  EXPECT_EQ(trips(11, -2, 0, "GT"), 6);
  EXPECT_EQ(trips(0, 3, 12, "NE"), 4);
  EXPECT_EQ(trips(0, 5, 12, "NE"), never_ends);
  EXPECT_EQ(trips(5, 1, 2, "LT"), 0);
  EXPECT_EQ(trips(0, 0, 2, "LT"), never_ends);
  EXPECT_EQ(trips(0, 1, 12, "EQ"), never_ends);
}

TEST(AKnownTripCountIsTakenFromTheBackendConfig) {
  ScanText scan(0, 12);
  HloText main = scan.Main(0);
  main.instructions[4].fields += BytesField(InstructionField::kBackendConfig, R"({"known_trip_count":{"n":"30"}})");
  EXPECT_EQ(Build({scan.body, scan.condition, main}, 9).regions[1].trip_count, 30);
}

TEST(InvariantsReachThroughNestedLoops) {
  const ScanText inner(1, 3);
  ScanText outer(1, 5);
  outer.body = HloText(3);
  const int64_t carry = outer.body.Parameter(0, outer.state);
  const int64_t i = outer.body.Element(carry, 0, S32({}));
  const int64_t initial = outer.body.Add("tuple", outer.state,
      {outer.body.Constant(0), outer.body.Element(carry, 1, F32({4, 4})), outer.body.Element(carry, 2, F32({4, 4}))});
  const int64_t loop = outer.body.Add("while", outer.state, {initial}, Calls({1, 2}));
  const int64_t next = outer.body.Add("add", S32({}), {i, outer.body.Constant(1)});
  outer.body.Add("tuple", outer.state, {next, outer.body.Element(loop, 1, F32({4, 4})), outer.body.Element(loop, 2, F32({4, 4}))});
  outer.condition = HloText(4);
  const int64_t read = outer.condition.Parameter(0, outer.state);
  outer.condition.Add("compare", Pred(), {outer.condition.Constant(5), outer.condition.Element(read, 0, S32({}))}, Direction("GT"));
  HloText main = outer.Main(0);
  main.instructions[4].fields = BytesField(InstructionField::kOpcode, "while") + BytesField(InstructionField::kShape, outer.state) + Calls({3, 4});

  const Graph graph = Build({inner.body, inner.condition, outer.body, outer.condition, main}, 9);
  EXPECT_EQ(graph.regions.size(), 3u);
  EXPECT_EQ(graph.regions[1].times, 5);
  EXPECT_EQ(graph.regions[2].parent, 1);
  EXPECT_EQ(graph.regions[2].times, 15);
  const OpId weight = graph.parameters[1];
  const auto is_dot = [](const Op& op) { return op.opcode == Opcode::kDot; };
  const auto dot = std::find_if(graph.ops.begin(), graph.ops.end(), is_dot);
  EXPECT_EQ(dot->region, 2);
  EXPECT_EQ(graph.operands(static_cast<OpId>(dot - graph.ops.begin()))[1], weight);
}

TEST(BranchesAreRegionsWhoseParametersAreTheOperands) {
  HloText negated(1);
  negated.Add("negate", F32({4}), {negated.Parameter(0, F32({4}))});
  HloText kept(2);
  kept.Parameter(0, F32({4}));
  HloText main(3);
  const int64_t selector = main.Parameter(0, Pred());
  const int64_t x = main.Parameter(1, F32({4}));
  main.Add("conditional", F32({4}), {selector, x, x}, Calls({1, 2}));
  const Graph graph = Build({negated, kept, main}, 3);
  EXPECT_EQ(Text(graph),
            "%0 = parameter()\n%1 = parameter()\n%2 = negate(%1) region 1\n%3 = branch(%0, %2, %1)\n"
            "%4 = get-tuple-element(%3) index 0\n");
  EXPECT_EQ(graph.regions.size(), 3u);
  EXPECT_EQ(graph.regions[1].kind, Opcode::kBranch);
  EXPECT_EQ(graph.regions[2].owner, 3);
}

Combiner CombinerOfReduce(const HloText& to_apply) {
  HloText main(9);
  const int64_t x = main.Parameter(0, F32({4}));
  main.Add("reduce", F32({}), {x, main.Add("constant", F32({}))}, Calls({1}));
  const Graph graph = Build({to_apply, main}, 9);
  return graph.ops[graph.results[0]].combiner;
}

TEST(CombinersAreRecognised) {
  EXPECT_EQ(CombinerOfReduce(Binary(1, "add")), Combiner::kAdd);
  EXPECT_EQ(CombinerOfReduce(Binary(1, "maximum")), Combiner::kMaximum);
  EXPECT_EQ(CombinerOfReduce(Binary(1, "subtract")), Combiner::kOther);

  HloText wide(1);
  const auto widened = [&](int64_t number) {
    return wide.Add("convert", F32({}), {wide.Parameter(number, ArrayShape(DType::kBF16, {}))});
  };
  const int64_t left = widened(0);
  const int64_t right = widened(1);
  wide.Add("convert", ArrayShape(DType::kBF16, {}), {wide.Add("add", F32({}), {left, right})});
  EXPECT_EQ(CombinerOfReduce(wide), Combiner::kAdd);

  HloText twice(1);
  const int64_t a = twice.Parameter(0, F32({}));
  twice.Parameter(1, F32({}));
  twice.Add("add", F32({}), {a, a});
  EXPECT_EQ(CombinerOfReduce(twice), Combiner::kOther);
}

TEST(CalledComputationsCountByWhatTheyCompute) {
  const auto fingerprint = [](HloText to_apply, const std::string& suffix) {
    to_apply.name_suffix = suffix;
    HloText main(9);
    const int64_t x = main.Parameter(0, F32({4}));
    main.Add("reduce", F32({}), {x, main.Add("constant", F32({}))}, Calls({1}));
    const Graph graph = Build({to_apply, main}, 9);
    return graph.ops[graph.results[0]].fingerprint;
  };
  EXPECT_EQ(fingerprint(Binary(1, "add"), ""), fingerprint(Binary(1, "add"), ".renamed"));
  EXPECT_TRUE(fingerprint(Binary(1, "add"), "") != fingerprint(Binary(1, "multiply"), ""));
}

TEST(TheDeeperOperandComesFirst) {
  HloText main(1);
  const std::string f = F32({4, 4});
  const int64_t x = main.Parameter(0, f);
  const int64_t shallow = main.Add("negate", f, {x});
  const int64_t deep = main.Add("dot", f, {x, x}, DotNumbers({1}, {0}));
  main.Add("add", f, {shallow, deep});
  EXPECT_EQ(Text(Build({main}, 1)), "%0 = parameter()\n%1 = dot(%0, %0)\n%2 = negate(%0)\n%3 = add(%2, %1)\n");
}

// The same computation listed in another valid order, under other ids and names.
HloText Shuffled(const HloText& original, uint32_t seed) {
  std::mt19937 random(seed);
  HloText shuffled = original;
  shuffled.instructions.clear();
  shuffled.name_suffix = ".s" + std::to_string(seed);
  std::vector<HloText::Line> waiting = original.instructions;
  std::vector<int64_t> listed;
  while (!waiting.empty()) {
    const size_t pick = random() % waiting.size();
    const auto is_listed = [&](int64_t id) { return std::find(listed.begin(), listed.end(), id) != listed.end(); };
    const Integers& operands = waiting[pick].operands;
    if (!std::all_of(operands.begin(), operands.end(), is_listed)) continue;
    listed.push_back(waiting[pick].id);
    shuffled.instructions.push_back(waiting[pick]);
    waiting.erase(waiting.begin() + static_cast<long>(pick));
  }
  const int64_t factor = 1 + seed % 7, offset = 1000 * seed;  // another numbering, dense or sparse
  const auto renumbered = [&](int64_t id) { return (id & 0xffffffff) * factor + offset; };
  for (HloText::Line& line : shuffled.instructions) {
    line.id = renumbered(line.id);
    for (int64_t& operand : line.operands) operand = renumbered(operand);
  }
  shuffled.root_id = renumbered(original.root_id);
  return shuffled;
}

std::vector<uint64_t> Fingerprints(const Graph& graph) {
  std::vector<uint64_t> fingerprints;
  for (const Op& op : graph.ops) fingerprints.push_back(op.fingerprint);
  return fingerprints;
}

TEST(TheOrderDependsOnWhatIsComputedOnly) {
  const ScanText scan(1, 12);
  HloText main = scan.Main(0);
  for (int i = 0; i < 6; ++i) {
    const int64_t left = main.Add(i % 2 == 0 ? "tanh" : "negate", F32({4, 4}), {main.root_id});
    const int64_t right = main.Add("dot", F32({4, 4}), {main.instructions[0].id, left}, DotNumbers({1}, {0}));
    main.Add("add", F32({4, 4}), {left, right});
  }
  const Graph expected = Build({scan.body, scan.condition, main}, 9);
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    const Graph graph = Build({Shuffled(scan.body, seed), Shuffled(scan.condition, seed), Shuffled(main, seed)}, 9);
    EXPECT_EQ(Text(graph), Text(expected));
    EXPECT_EQ(Fingerprints(graph), Fingerprints(expected));
  }
}

TEST(DeepChainsAreNoProblem) {
  HloText main(1);
  main.Parameter(0, F32({4}));
  for (int i = 0; i < 100000; ++i) main.Add("negate", F32({4}), {main.root_id});
  EXPECT_EQ(Build({main}, 1).ops.size(), 100001u);
}

TEST(CallsThatMultiplyAreStopped) {
  std::vector<HloText> computations;
  computations.emplace_back(0);
  computations[0].Add("negate", F32({4}), {computations[0].Parameter(0, F32({4}))});
  for (int64_t id = 1; id < 64; ++id) {
    HloText twice(id);
    const int64_t once = twice.Add("call", F32({4}), {twice.Parameter(0, F32({4}))}, Calls({id - 1}));
    twice.Add("call", F32({4}), {once}, Calls({id - 1}));
    computations.push_back(twice);
  }
  EXPECT_THROWS(Build(computations, 63), "with its calls inlined the module has more than 16 million ops");
}

TEST(ModulesThatDoNotHangTogetherAreErrors) {
  HloText missing(1);
  missing.Add("negate", F32({4}), {77});
  EXPECT_THROWS(Build({missing}, 1), "instruction \"i1\" uses id 77, which no instruction before it has");
  HloText twice(1);
  twice.Add("iota", F32({4}));
  --twice.next_id;
  twice.Add("iota", F32({4}));
  EXPECT_THROWS(Build({twice}, 1), "two instructions of computation \"computation1\" have the id 4294967297");
  HloText recursive(1);
  recursive.Add("call", F32({4}), {}, Calls({1}));
  EXPECT_THROWS(Build({recursive}, 1), "calls computation 1, which is not listed before it (recursion is not allowed)");
  HloText rootless(1);
  rootless.Add("iota", F32({4}));
  rootless.root_id = 5;
  EXPECT_THROWS(Build({rootless}, 1), "computation \"computation1\" has no instruction with its root id 5");
  EXPECT_THROWS(Build({Binary(1, "add")}, 2), "no computation has the entry id 2");
  EXPECT_THROWS(Build({Binary(1, "add"), Binary(1, "add")}, 1), "two computations have the id 1");
}

TEST(CallsWithTheWrongArgumentsAreErrors) {
  HloText main(9);
  const int64_t x = main.Parameter(0, F32({}));
  main.Add("call", F32({}), {x}, Calls({1}));
  EXPECT_THROWS(Build({Binary(1, "add"), main}, 9), "parameter \"i2\" is parameter 1 of a computation called with 1 arguments");
  HloText element(1);
  element.Element(element.Parameter(0, TupleOf({F32({})})), 1, F32({}));
  EXPECT_THROWS(Build({element}, 1), "get-tuple-element \"i2\" takes element 1 of a tuple of 1");
  ScanText scan(1, 12);
  scan.body.Constant(0);
  EXPECT_THROWS(scan.Built(0), "carries 3 values but its body returns 1");
}

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
  const std::string name = BytesField(InstructionField::kMetadata, BytesField(2, "mlp/dot_general"));
  const int64_t x = main.Parameter(0, F32({4, 4}));
  main.Add("dot", F32({4, 4}), {x, x}, name);
  EXPECT_EQ(Dump(Build({main}, 1)),
            "%0 = f32[4,4] parameter()  region 0\n"
            "%1 = f32[4,4] dot(%0, %0)  region 0  \"mlp/dot_general\"\n"
            "parameters %0\nresults %1\n");
}

}  // namespace
}  // namespace cfp
