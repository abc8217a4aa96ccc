// One worked instance of every clause R1 … R28 of docs/spec.md, written as RuleText writes it;
// OneOp::Text also checks that the factors cover every dimension exactly.
#include "partition_rules.h"

#include "rule_testing.h"
#include "testing.h"

namespace cfp::testing {
namespace {

TEST(ElementwiseDimsPassAndScalarsHaveNone) {
  EXPECT_EQ(OneOp(Opcode::kAdd, {8, 4}, {{8, 4}, {8, 4}}).Text(),
            "R1: 8 pass 0.0 1.0 r.0 | 4 pass 0.1 1.1 r.1");
  EXPECT_EQ(OneOp(Opcode::kClamp, {8, 1, 4}, {{}, {8, 1, 4}, {}}).Text(),
            "R1: 8 pass 1.0 r.0 | 4 pass 1.2 r.2");
  EXPECT_EQ(OneOp(Opcode::kSelect, {8}, {{}, {8}, {8}}).Text(), "R1: 8 pass 1.0 2.0 r.0");
}

TEST(BroadcastMakesNewDimsFree) {
  OneOp broadcast(Opcode::kBroadcast, {8, 4, 16}, {{8, 16}});
  broadcast.attributes().dimensions = broadcast.List({0, 2});
  EXPECT_EQ(broadcast.Text(), "R2: 8 pass 0.0 r.0 | 4 pass r.1 | 16 pass 0.1 r.2");
}

TEST(SourcesAreFree) {
  EXPECT_EQ(OneOp(Opcode::kIota, {8, 4}, {}).Text(), "R3: 8 pass r.0 | 4 pass r.1");
  OneOp bits(Opcode::kRngBitGenerator, {}, {{4}});
  bits.MakeTuple(&bits.op(), {{4}, {8, 16}});
  EXPECT_EQ(bits.Text(), "R3: 4 replicate 0.0 | 8 pass r.0 | 16 pass r.1");
}

TEST(LoopBordersJoinNothing) {
  EXPECT_EQ(OneOp(Opcode::kCarry, {8}, {{8}}).Text(), "R4: 8 pass 0.0 | 8 pass r.0");
  OneOp loop(Opcode::kLoop, {}, {{8}, {4, 2}});
  loop.MakeTuple(&loop.op(), {{8}, {4, 2}});
  EXPECT_EQ(loop.Text(), "R4: 8 pass 0.0 | 4 pass 1.0 | 2 pass 1.1");
}

TEST(TransposeMovesDims) {
  OneOp transpose(Opcode::kTranspose, {16, 8, 4}, {{8, 4, 16}});
  transpose.attributes().dimensions = transpose.List({2, 0, 1});
  EXPECT_EQ(transpose.Text(), "R5: 16 pass 0.2 r.0 | 8 pass 0.0 r.1 | 4 pass 0.1 r.2");
}

TEST(ReverseMovesShards) {
  OneOp reverse(Opcode::kReverse, {8, 4}, {{8, 4}});
  reverse.attributes().dimensions = reverse.List({1});
  EXPECT_EQ(reverse.Text(), "R6: 8 pass 0.0 r.0 | 4 permute 0.1 r.1");
}

std::string ReshapeText(const Dims& from, const Dims& to) {
  return OneOp(Opcode::kReshape, to, {from}).Text();
}

TEST(ReshapeFindsCommonFactors) {
  EXPECT_EQ(ReshapeText({8, 64}, {8, 4, 16}),
            "R7: 8 pass 0.0 r.0 | 4 pass 0.1 r.1 | 16 pass 0.1/4 r.2");
  EXPECT_EQ(ReshapeText({8, 4, 16}, {32, 16}),
            "R7: 8 pass 0.0 r.0 | 4 pass 0.1 r.0/8 | 16 pass 0.2 r.1");
  EXPECT_EQ(ReshapeText({1, 8, 1}, {8, 1}), "R7: 8 pass 0.1 r.0");
  EXPECT_EQ(ReshapeText({4, 6}, {2, 12}),
            "R7: 2 pass 0.0 r.0 | 2 pass 0.0/2 r.1 | 6 pass 0.1 r.1/2");
  EXPECT_EQ(ReshapeText({}, {1, 1}), "R7:");
}

TEST(ReshapeKeepsWholeWhatDoesNotNest) {
  EXPECT_EQ(ReshapeText({6, 2, 5}, {4, 3, 5}),
            "R7: 2 pass 0.0 r.0 | 3 replicate 0.0/2 | 2 replicate r.0/2 | 3 replicate r.1 | "
            "2 replicate 0.1 | 5 pass 0.2 r.2");
  EXPECT_EQ(ReshapeText({0, 3}, {0}), "R7: 3 replicate 0.1");
}

TEST(BitcastConvertKeepsTheLastDimWhole) {
  EXPECT_EQ(OneOp(Opcode::kBitcastConvert, {8, 4}, {{8}}).Text(),
            "R8: 8 pass 0.0 r.0 | 4 replicate r.1");
  EXPECT_EQ(OneOp(Opcode::kBitcastConvert, {8}, {{8, 2}}).Text(),
            "R8: 8 pass 0.0 r.0 | 2 replicate 0.1");
}

TEST(ElementsOfATuplePassIfAlike) {
  OneOp sorted(Opcode::kGetTupleElement, {8, 4}, {{}});
  sorted.MakeTuple(&sorted.operand(0), {{8, 4}, {8, 4}});
  EXPECT_EQ(sorted.Text(), "R9: 8 pass 0.0 r.0 | 4 pass 0.1 r.1");
  OneOp state(Opcode::kGetTupleElement, {4}, {{}});
  state.MakeTuple(&state.operand(0), {{4}, {8, 16}});
  EXPECT_EQ(state.Text(), "R9: 8 replicate 0.0 | 16 replicate 0.1 | 4 replicate r.0");
  OneOp taken(Opcode::kGetTupleElement, {4}, {{}});
  taken.MakeTuple(&taken.operand(0), {{4}, {8, 16}});
  taken.operand(0).opcode = Opcode::kBranch;
  EXPECT_EQ(taken.Text(), "R9: 4 pass r.0");
}

// %0 = loop(%1, %2); %3 = get-tuple-element(%0), index 1
TEST(AnElementOfALoopPassesFromTheValueThatBecomesIt) {
  OneOp last(Opcode::kGetTupleElement, {4}, {{}, {8, 16}, {4}});
  last.MakeTuple(&last.operand(0), {{8, 16}, {4}});
  last.operand(0).opcode = Opcode::kLoop;
  last.operand(0).operands_begin = last.op().operands_begin + 1;
  last.operand(0).operands_size = 2;
  last.op().operands_size = 1;
  last.op().tuple_index = 1;
  EXPECT_EQ(last.Text(), "R9: 4 pass 0.0 r.0");
}

TEST(DotKeepsBatchFreeAndContractedApart) {
  OneOp dot(Opcode::kDot, {2, 8, 4}, {{8, 2, 16}, {2, 16, 4}});
  dot.attributes().dot = {dot.List({2}), dot.List({1}), dot.List({1}), dot.List({0})};
  EXPECT_EQ(dot.Text(),
            "R10: 2 pass 0.1 1.0 r.0 | 8 pass 0.0 r.1 | 4 pass 1.2 r.2 | 16 reduced 0.2 1.1");
  EXPECT_TRUE(IsContraction(dot.graph(), 2));
}

TEST(AnOuterProductIsNoContraction) {
  OneOp outer(Opcode::kDot, {8, 4}, {{8, 1}, {1, 4}});
  outer.attributes().dot = {outer.List({1}), outer.List({0}), {}, {}};
  EXPECT_EQ(outer.Text(), "R10: 8 pass 0.0 r.0 | 4 pass 1.1 r.1");
  EXPECT_TRUE(!IsContraction(outer.graph(), 2));
}

TEST(RaggedDotSumsOverGroupsThatAShardDoesNotHold) {
  OneOp rows(Opcode::kRaggedDot, {64, 4}, {{64, 16}, {8, 16, 4}, {8}});
  rows.attributes().dot = {rows.List({1}), rows.List({1}), {}, {}};
  EXPECT_EQ(rows.Text(),
            "R11: 64 pass 0.0 r.0 | 4 pass 1.2 r.1 | 16 reduced 0.1 1.1 | 8 reduced 1.0 | "
            "8 replicate 2.0");
  OneOp gradient(Opcode::kRaggedDot, {8, 16, 4}, {{64, 16}, {64, 4}, {8}});
  gradient.attributes().dot = {gradient.List({0}), gradient.List({0}), {}, {}};
  EXPECT_EQ(gradient.Text().substr(0, 12), "R11 barrier:");
}

TEST(ScaledDotSplitsTheSummedDimByBlocks) {
  OneOp late(Opcode::kScaledDot, {8, 4}, {{8, 64}, {64, 4}, {8, 2}, {2, 4}});
  late.attributes().dot = {late.List({1}), late.List({0}), {}, {}};
  EXPECT_EQ(late.Text(),
            "R12: 8 pass 0.0 2.0 r.0 | 4 pass 1.1 3.1 r.1 | 2 reduced 0.1 1.0 2.1 3.0 | "
            "32 reduced 0.1/2 1.0/2");
  OneOp early(Opcode::kScaledDot, {8, 4}, {{8, 64}, {8, 2}, {64, 4}, {2, 4}});
  early.attributes().dot = {early.List({1}), early.List({0}), {}, {}};
  EXPECT_EQ(early.Text(),
            "R12: 8 pass 0.0 1.0 r.0 | 4 pass 2.1 3.1 r.1 | 2 reduced 0.1 1.1 2.0 3.0 | "
            "32 reduced 0.1/2 2.0/2");
}

TEST(ReduceMakesPartialSums) {
  OneOp argmax(Opcode::kReduce, {}, {{8, 4, 16}, {8, 4, 16}, {}, {}});
  argmax.MakeTuple(&argmax.op(), {{8, 16}, {8, 16}});
  argmax.attributes().dimensions = argmax.List({1});
  EXPECT_EQ(argmax.Text(), "R13: 8 pass 0.0 1.0 r.0 | 4 reduced 0.1 1.1 | 16 pass 0.2 1.2 r.1");
}

TEST(GatherLooksUpRows) {
  OneOp embedding(Opcode::kGather, {2, 8, 16}, {{100, 16}, {2, 8, 1}});
  GatherAttributes& dims = embedding.gather();
  dims.window_dims = embedding.List({2});
  dims.collapsed_dims = embedding.List({0});
  dims.index_map = embedding.List({0});
  dims.slice_sizes = embedding.List({1, 16});
  dims.index_vector_dim = 2;
  EXPECT_EQ(embedding.Text(),
            "R14: 2 pass 1.0 r.0 | 8 pass 1.1 r.1 | 100 reduced 0.0 | 16 pass 0.1 r.2");
}

TEST(GatherKeepsBatchingDimsAndPartialWindows) {
  OneOp gather(Opcode::kGather, {2, 8, 3}, {{2, 100, 16}, {2, 8, 2}});
  GatherAttributes& dims = gather.gather();
  dims.window_dims = gather.List({2});
  dims.collapsed_dims = gather.List({1});
  dims.index_map = gather.List({1, 2});
  dims.operand_batching_dims = gather.List({0});
  dims.indices_batching_dims = gather.List({0});
  dims.index_vector_dim = 2;
  EXPECT_EQ(gather.Text(),
            "R14: 2 pass 0.0 1.0 r.0 | 8 pass 1.1 r.1 | 100 reduced 0.1 | 16 replicate 0.2 | "
            "3 permute r.2 | 2 replicate 1.2");
}

std::string ScatterText(Combiner combiner) {
  OneOp scatter(Opcode::kScatter, {100, 16}, {{100, 16}, {2, 8, 1}, {2, 8, 16}});
  GatherAttributes& dims = scatter.gather();
  dims.window_dims = scatter.List({2});
  dims.collapsed_dims = scatter.List({0});
  dims.index_map = scatter.List({0});
  dims.index_vector_dim = 2;
  scatter.op().combiner = combiner;
  return scatter.Text();
}

TEST(ScatterSumsRowsButKeepsOtherCombinersWhole) {
  EXPECT_EQ(ScatterText(Combiner::kAdd),
            "R15: 2 reduced 1.0 2.0 | 8 reduced 1.1 2.1 | 100 pass 0.0 r.0 | 16 pass 0.1 2.2 r.1");
  EXPECT_EQ(ScatterText(Combiner::kOther),
            "R15: 2 replicate 1.0 2.0 | 8 replicate 1.1 2.1 | 100 pass 0.0 r.0 | "
            "16 pass 0.1 2.2 r.1");
}

TEST(ScatterWithSeveralTablesAndBatchingDims) {
  OneOp scatter(Opcode::kScatter, {}, {{2, 9, 5}, {2, 9, 5}, {2, 4, 1}, {2, 4, 3}, {2, 4, 3}});
  scatter.MakeTuple(&scatter.op(), {{2, 9, 5}, {2, 9, 5}});
  GatherAttributes& dims = scatter.gather();
  dims.window_dims = scatter.List({2});
  dims.collapsed_dims = scatter.List({1});
  dims.index_map = scatter.List({1});
  dims.operand_batching_dims = scatter.List({0});
  dims.indices_batching_dims = scatter.List({0});
  dims.index_vector_dim = 2;
  scatter.op().combiner = Combiner::kAdd;
  EXPECT_EQ(scatter.Text(),
            "R15: 2 pass 0.0 1.0 2.0 3.0 4.0 r.0 | 4 reduced 2.1 3.1 4.1 | 9 pass 0.1 1.1 r.1 | "
            "5 replicate 0.2 1.2 r.2 | 3 replicate 3.2 4.2");
}

std::string SliceText(int64_t size, int64_t part, int64_t start, int64_t stride) {
  OneOp slice(Opcode::kSlice, {8, part}, {{8, size}});
  slice.attributes().slice_starts = slice.List({0, start});
  slice.attributes().slice_strides = slice.List({1, stride});
  return slice.Text();
}

TEST(SliceOfAnEqualPartPassesTheInnerFactor) {
  EXPECT_EQ(SliceText(96, 32, 64, 1), "R16: 8 pass 0.0 r.0 | 3 replicate 0.1 | 32 pass 0.1/3 r.1");
  EXPECT_EQ(SliceText(3, 1, 2, 1), "R16: 8 pass 0.0 r.0 | 3 replicate 0.1");
  EXPECT_EQ(SliceText(64, 32, 1, 2), "R16: 8 pass 0.0 r.0 | 32 pass 0.1 r.1 | 2 replicate 0.1/32");
  EXPECT_EQ(SliceText(96, 32, 16, 1), "R16: 8 pass 0.0 r.0 | 96 permute 0.1 | 32 permute r.1");
  EXPECT_EQ(SliceText(96, 95, 1, 1), "R16: 8 pass 0.0 r.0 | 96 permute 0.1 | 95 permute r.1");
}

std::string PadText(int64_t part, int64_t size, const Dims& padding) {
  OneOp pad(Opcode::kPad, {8, size}, {{8, part}, {}});
  pad.attributes().padding = pad.List({0, 0, 0, padding.at(0), padding.at(1), padding.at(2)});
  return pad.Text();
}

TEST(PadMirrorsSlice) {
  EXPECT_EQ(PadText(32, 96, {64, 0, 0}), "R17: 8 pass 0.0 r.0 | 3 permute r.1 | 32 pass 0.1 r.1/3");
  EXPECT_EQ(PadText(32, 64, {1, 0, 1}), "R17: 8 pass 0.0 r.0 | 32 pass 0.1 r.1 | 2 permute r.1/32");
  EXPECT_EQ(PadText(32, 34, {1, 1, 0}), "R17: 8 pass 0.0 r.0 | 32 permute 0.1 | 34 permute r.1");
  EXPECT_EQ(PadText(32, 32, {1, -1, 0}), "R17: 8 pass 0.0 r.0 | 32 permute 0.1 | 32 permute r.1");
}

std::string ConcatenateText(const Dims& parts, int64_t size) {
  std::vector<Dims> operands;
  for (int64_t part : parts) operands.push_back({part, 8});
  OneOp concatenate(Opcode::kConcatenate, {size, 8}, operands);
  concatenate.attributes().dimensions = concatenate.List({0});
  return concatenate.Text();
}

TEST(ConcatenateOfEqualPartsPassesTheInnerFactor) {
  EXPECT_EQ(ConcatenateText({32, 32}, 64),
            "R18: 2 permute r.0 | 32 pass 0.0 1.0 r.0/2 | 8 pass 0.1 1.1 r.1");
  EXPECT_EQ(ConcatenateText({1, 1, 1}, 3), "R18: 3 permute r.0 | 8 pass 0.1 1.1 2.1 r.1");
  EXPECT_EQ(ConcatenateText({32, 16}, 48),
            "R18: 32 permute 0.0 | 16 permute 1.0 | 48 permute r.0 | 8 pass 0.1 1.1 r.1");
}

TEST(DynamicSlicesPassWholeDims) {
  EXPECT_EQ(OneOp(Opcode::kDynamicSlice, {1, 8}, {{12, 8}, {}, {}}).Text(),
            "R19: 12 permute 0.0 | 8 pass 0.1 r.1");
  EXPECT_EQ(OneOp(Opcode::kDynamicUpdateSlice, {12, 8}, {{12, 8}, {3, 8}, {}, {}}).Text(),
            "R19: 12 permute 0.0 r.0 | 3 permute 1.0 | 8 pass 0.1 1.1 r.1");
}

TEST(SortKeepsItsDimWhole) {
  OneOp sort(Opcode::kSort, {}, {{8, 4}, {8, 4}});
  sort.MakeTuple(&sort.op(), {{8, 4}, {8, 4}});
  sort.attributes().dimensions = sort.List({0});
  EXPECT_EQ(sort.Text(), "R20: 8 replicate 0.0 1.0 r.0 | 4 pass 0.1 1.1 r.1");
}

TEST(RowsAndMatricesStayWhole) {
  OneOp top(Opcode::kTopK, {}, {{8, 64}});
  top.MakeTuple(&top.op(), {{8, 2}, {8, 2}});
  EXPECT_EQ(top.Text(), "R21: 8 pass 0.0 r.0 | 2 replicate r.1 | 64 replicate 0.1");
  EXPECT_EQ(OneOp(Opcode::kTriangularSolve, {8, 4, 2}, {{8, 4, 4}, {8, 4, 2}}).Text(),
            "R21: 8 pass 0.0 1.0 r.0 | 4 replicate 0.1 1.1 r.1 | 2 replicate 1.2 r.2 | "
            "4 replicate 0.2");
  EXPECT_EQ(OneOp(Opcode::kFft, {2, 3, 8, 8, 5}, {{2, 3, 8, 8, 8}}).Text(),
            "R21: 2 pass 0.0 r.0 | 3 pass 0.1 r.1 | 8 replicate 0.2 r.2 | 8 replicate 0.3 r.3 | "
            "5 replicate r.4 | 8 replicate 0.4");
}

TEST(BatchNormPassesFeatures) {
  OneOp training(Opcode::kBatchNormTraining, {}, {{8, 4, 16}, {16}, {16}});
  training.MakeTuple(&training.op(), {{8, 4, 16}, {16}, {16}});
  EXPECT_EQ(training.Text(),
            "R22: 8 replicate 0.0 r.0 | 4 replicate 0.1 r.1 | 16 pass 0.2 1.0 2.0 r.2");
  EXPECT_EQ(OneOp(Opcode::kBatchNormInference, {8, 16}, {{8, 16}, {16}, {16}, {16}, {16}}).Text(),
            "R22: 8 pass 0.0 r.0 | 16 pass 0.1 1.0 2.0 3.0 4.0 r.1");
  EXPECT_EQ(
      OneOp(Opcode::kBatchNormInference, {8, 8}, {{8, 8}, {8}, {8}, {8}, {8}}).Text().substr(0, 12),
      "R22 barrier:");
}

// A convolution of f32[batch, in.., features] with f32[kernel.., in, out], spatial dims in the
// middle.
OneOp Convolution(const Dims& result, const Dims& input, const Dims& kernel, const Dims& window) {
  OneOp op(Opcode::kConvolution, result, {input, kernel});
  ConvAttributes& conv = op.conv();
  const int64_t spatial = static_cast<int64_t>(input.size()) - 2;
  Dims input_spatial, kernel_spatial;
  for (int64_t i = 0; i < spatial; ++i) {
    input_spatial.push_back(i + 1);
    kernel_spatial.push_back(i);
  }
  conv.input_spatial = conv.output_spatial = op.List(input_spatial);
  conv.kernel_spatial = op.List(kernel_spatial);
  conv.input_feature = conv.output_feature = spatial + 1;
  conv.kernel_input = spatial;
  conv.kernel_output = spatial + 1;
  op.attributes().window = op.List(window);
  return op;
}

TEST(ConvolutionIsADotOverFeatures) {
  EXPECT_EQ(Convolution({8, 64}, {8, 16}, {16, 64}, {}).Text(),
            "R23: 8 pass 0.0 r.0 | 64 pass 1.1 r.1 | 16 reduced 0.1 1.0");
  OneOp grouped = Convolution({8, 64}, {8, 16}, {4, 64}, {});
  grouped.conv().feature_groups = 4;
  EXPECT_EQ(grouped.Text(),
            "R23: 4 pass 0.1 1.1 r.1 | 8 pass 0.0 r.0 | 16 pass 1.1/4 r.1/4 | 4 reduced 0.1/4 1.0");
  OneOp depthwise = Convolution({8, 16}, {8, 16}, {1, 16}, {});
  depthwise.conv().feature_groups = 16;
  EXPECT_EQ(depthwise.Text(), "R23: 16 pass 0.1 1.1 r.1 | 8 pass 0.0 r.0");
  OneOp batch_grouped = Convolution({2, 64}, {8, 16}, {16, 64}, {});
  batch_grouped.conv().batch_groups = 4;
  EXPECT_EQ(batch_grouped.Text(),
            "R23: 4 pass 0.0 1.1 r.1 | 2 pass 0.0/4 r.0 | 16 pass 1.1/4 r.1/4 | "
            "16 reduced 0.1 1.0");
}

std::string SpatialText(int64_t out, int64_t in, const Dims& window) {
  return Convolution({1, out, 1}, {1, in, 1}, {window.at(0), 1, 1}, window).Text();
}

// [R24] The numbers are size, stride, padding low and high, two dilations and reversal.
TEST(WindowsSideBySideSplitLikeADot) {
  EXPECT_EQ(SpatialText(8, 8, {1, 1, 0, 0, 1, 1, 0}), "R23: 8 pass 0.1 r.1");
  EXPECT_EQ(SpatialText(8, 32, {4, 4, 0, 0, 1, 1, 0}), "R23: 8 pass 0.1 r.1 | 4 reduced 0.1/8 1.0");
  EXPECT_EQ(SpatialText(8, 16, {1, 2, 0, 0, 1, 1, 0}), "R23: 8 pass 0.1 r.1 | 2 replicate 0.1/8");
  EXPECT_EQ(SpatialText(4, 32, {8, 1, 0, 0, 4, 1, 0}), "R23: 8 reduced 0.1 1.0 | 4 pass 0.1/8 r.1");
  EXPECT_EQ(SpatialText(32, 8, {4, 1, 3, 3, 1, 4, 0}),
            "R23: 8 pass 0.1 r.1 | 4 replicate 1.0 r.1/8");
}

// [R24]
TEST(OverlappingWindowsNeedHalos) {
  EXPECT_EQ(SpatialText(8, 8, {3, 1, 1, 1, 1, 1, 0}), "R23: 8 halo 0.1 r.1 | 3 replicate 1.0");
  EXPECT_EQ(SpatialText(8, 16, {3, 2, 0, 1, 1, 1, 0}),
            "R23: 8 halo 0.1 r.1 | 2 replicate 0.1/8 | 3 replicate 1.0");
  EXPECT_EQ(SpatialText(6, 8, {3, 1, 0, 0, 1, 1, 0}),
            "R23: 8 halo 0.1 | 6 halo r.1 | 3 replicate 1.0");
  EXPECT_EQ(SpatialText(3, 8, {8, 1, 1, 1, 1, 1, 0}),
            "R23: 8 replicate 0.1 | 3 replicate r.1 | 8 replicate 1.0");
}

TEST(PoolingIsAReductionOfItsCells) {
  OneOp pool(Opcode::kReduceWindow, {8, 4, 9}, {{8, 8, 9}, {}});
  pool.attributes().window =
      pool.List({1, 1, 0, 0, 1, 1, 0, 2, 2, 0, 0, 1, 1, 0, 9, 1, 8, 0, 1, 1, 0});
  EXPECT_EQ(pool.Text(),
            "R25: 8 pass 0.0 r.0 | 4 pass 0.1 r.1 | 2 reduced 0.1/4 | 9 replicate 0.2 r.2");
}

TEST(SelectAndScatterFollowsItsSource) {
  OneOp gradient(Opcode::kSelectAndScatter, {8, 8, 8}, {{8, 8, 8}, {8, 4, 8}, {}});
  gradient.attributes().window =
      gradient.List({1, 1, 0, 0, 1, 1, 0, 2, 2, 0, 0, 1, 1, 0, 3, 1, 1, 1, 1, 1, 0});
  EXPECT_EQ(gradient.Text(),
            "R26: 8 pass 0.0 1.0 r.0 | 4 pass 0.1 1.1 r.1 | 2 replicate 0.1/4 r.1/4 | "
            "8 halo 0.2 1.2 r.2");
}

TEST(CustomCallsAreKnownByTarget) {
  OneOp annotation(Opcode::kCustomCall, {8, 4}, {{8, 4}});
  EXPECT_EQ(annotation.Text(),
            "R27 barrier: 8 replicate 0.0 | 4 replicate 0.1 | 8 replicate r.0 | 4 replicate r.1");
  annotation.attributes().custom_call_target = "Sharding";
  EXPECT_EQ(annotation.Text(), "R27: 8 pass 0.0 r.0 | 4 pass 0.1 r.1");
  OneOp manual(Opcode::kCustomCall, {4, 4}, {{8, 4}});
  manual.attributes().custom_call_target = "SPMDFullToShardShape";
  EXPECT_EQ(manual.Text().substr(0, 12), "R27 barrier:");
  OneOp attention(Opcode::kCustomCall, {}, {{2, 8, 4, 16}, {2, 8, 4, 16}, {2, 8, 4, 16}});
  attention.MakeTuple(&attention.op(), {{2, 8, 4, 16}, {0}});
  attention.attributes().custom_call_target = "__cudnn$fmhaSoftmax";
  EXPECT_EQ(attention.Text().substr(0, 29), "R27: 2 pass 0.0 1.0 2.0 r.0 |");
}

// [R28]
TEST(UnknownOpsAreBarriers) {
  EXPECT_EQ(OneOp(Opcode::kUnknown, {4}, {{8}}).Text(),
            "R28 barrier: 8 replicate 0.0 | 4 replicate r.0");
  EXPECT_EQ(OneOp(Opcode::kAllReduce, {8}, {{8}}).Text(),
            "R28 barrier: 8 replicate 0.0 | 8 replicate r.0");
}

TEST(ADumpSaysWhatEachOpReads) {
  OneOp add(Opcode::kAdd, {8}, {{8}, {8}});
  EXPECT_EQ(DumpPartitionRules(add.graph()),
            "%0 parameter(0)  R3: 8 pass r.0\n"
            "%1 parameter(1)  R3: 8 pass r.0\n"
            "%2 add(%0, %1)  R1: 8 pass 0.0 1.0 r.0\n");
}

TEST(MalformedAttributesAreAnError) {
  OneOp transpose(Opcode::kTranspose, {8, 4}, {{8, 4}});
  transpose.attributes().dimensions = transpose.List({1});
  EXPECT_EQ(
      ErrorText([&] { transpose.Text(); }),
      "the attributes of %the_op (transpose) do not fit its shapes: no element of that number. The "
      "HLO is damaged or was edited; dump it again from the compiler.");
}

}  // namespace
}  // namespace cfp::testing
