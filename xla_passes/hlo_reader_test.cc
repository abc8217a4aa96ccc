// What the reader makes of a module, of modules around it, and of bytes that are none.
#include "hlo_reader.h"

#include "hlo_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

HloText MatMul() {
  HloText main(1);
  const int64_t a = main.Parameter(0, F32({8, 4}));
  const int64_t w = main.Parameter(1, F32({4, 16}));
  main.Add("dot", F32({8, 16}), {a, w}, DotNumbers({1}, {0}));
  return main;
}

HloModule ReadOne(const HloText& computation) { return ReadHloModule(Serialize({computation}, 1)); }

std::vector<int64_t> ToVector(Span<int64_t> span) { return {span.begin(), span.end()}; }

TEST(AModuleIsRead) {
  const HloModule module = ReadOne(MatMul());
  EXPECT_EQ(module.name, "test");
  EXPECT_EQ(module.entry_id, 1);
  EXPECT_EQ(module.computations.size(), 1u);
  EXPECT_EQ(module.computations[0].root_id, (int64_t{1} << 32) + 3);
  const Instruction& dot = module.instructions[2];
  EXPECT_EQ(dot.opcode, Opcode::kDot);
  EXPECT_EQ(dot.shape.dtype, DType::kF32);
  EXPECT_EQ(ToVector(module.list(dot.shape.dims)), (std::vector<int64_t>{8, 16}));
  EXPECT_EQ(ToVector(module.list(dot.operands)),
            (std::vector<int64_t>{module.instructions[0].id, module.instructions[1].id}));
  const DotAttributes& numbers = module.attributes(dot).dot;
  EXPECT_EQ(ToVector(module.list(numbers.lhs_contracting)), (std::vector<int64_t>{1}));
  EXPECT_EQ(ToVector(module.list(numbers.rhs_contracting)), (std::vector<int64_t>{0}));
  EXPECT_EQ(module.attributes(module.instructions[1]).index, 1);
}

TEST(AnHloProtoAroundTheModuleIsUnwrapped) {
  const std::string module = Serialize({MatMul()}, 1);
  const std::string wrapped = BytesField(1, module) + BytesField(3, "");
  EXPECT_EQ(ModuleBytes(wrapped), module);
  EXPECT_EQ(ReadHloModule(wrapped).instructions.size(), 3u);
  EXPECT_EQ(ModuleBytes(module), module);
  const std::string broken = BytesField(1, module + "\x0b") + BytesField(3, "");
  EXPECT_THROWS(ReadHloModule(broken),
                "wire type 3, expected 0, 1, 2 or 5 at byte " + std::to_string(broken.size() - 3));
}

TEST(UnpackedIntegersAndAnAbsentIdAreRead) {
  HloText main(0);
  main.next_id = 0;
  main.Parameter(0, IntegerField(2, 11) + IntegerField(3, 8) + IntegerField(3, 4));
  std::string bytes = main.Serialized();
  const HloModule module =
      ReadHloModule(BytesField(1, "m") + BytesField(2, "main") + BytesField(3, bytes));
  EXPECT_EQ(ToVector(module.list(module.instructions[0].shape.dims)), (std::vector<int64_t>{8, 4}));
  EXPECT_EQ(module.instructions[0].id, 0);
  EXPECT_EQ(module.entry_id, 0);
}

TEST(SlicesWindowsAndPaddingsAreListsPerDimension) {
  HloText main(1);
  const auto slice = [](int64_t start, int64_t limit, int64_t stride) {
    return BytesField(InstructionField::kSlices,
                      IntegerField(1, start) + IntegerField(2, limit) + IntegerField(3, stride));
  };
  const int64_t a = main.Parameter(0, F32({8, 9}));
  main.Add("slice", F32({3, 3}), {a}, slice(1, 4, 1) + slice(0, 9, 3));
  const std::string edge = IntegerField(1, 2) + IntegerField(3, 1);
  main.Add("pad", F32({8, 9}), {a},
           BytesField(InstructionField::kPadding, BytesField(1, edge) + BytesField(1, "")));
  main.Add("reduce-window", F32({8, 9}), {a},
           BytesField(InstructionField::kWindow, BytesField(1, IntegerField(1, 2))));
  const HloModule module = ReadOne(main);
  const Attributes& attributes = module.attributes(module.instructions[1]);
  EXPECT_EQ(ToVector(module.list(attributes.slice_starts)), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(ToVector(module.list(attributes.slice_limits)), (std::vector<int64_t>{4, 9}));
  EXPECT_EQ(ToVector(module.list(attributes.slice_strides)), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(ToVector(module.list(module.attributes(module.instructions[2]).padding)),
            (std::vector<int64_t>{2, 0, 1, 0, 0, 0}));
  EXPECT_EQ(ToVector(module.list(module.attributes(module.instructions[3]).window)),
            (std::vector<int64_t>{2, 1, 0, 0, 1, 1, 0}));
}

TEST(TupleShapesKeepTheirElementsTogether) {
  HloText main(1);
  main.Parameter(0, TupleOf({F32({2}), TupleOf({S32({}), F32({3})}), F32({4})}));
  const HloModule module = ReadOne(main);
  const Span<Shape> elements = module.list_shapes(module.instructions[0].shape.elements);
  EXPECT_EQ(elements.size(), 3u);
  EXPECT_EQ(elements[1].dtype, DType::kTuple);
  EXPECT_EQ(module.list_shapes(elements[1].elements)[0].dtype, DType::kS32);
  EXPECT_EQ(module.list(elements[2].dims)[0], 4);
}

TEST(AnUnknownOpcodeIsKept) {
  HloText main(1);
  main.Add("quantum-entangle", F32({}));
  const HloModule module = ReadOne(main);
  EXPECT_EQ(module.instructions[0].opcode, Opcode::kUnknown);
  EXPECT_EQ(module.instructions[0].opcode_text, "quantum-entangle");
}

TEST(StackFramesBecomeFileAndLine) {
  const uint32_t frame = MetadataField::kStackFrameId;
  HloText main(1);
  for (const int64_t id : {2, 9}) {
    const std::string metadata =
        BytesField(MetadataField::kOpName, "dot") + IntegerField(frame, id);
    main.Add("iota", F32({}), {}, BytesField(InstructionField::kMetadata, metadata));
  }
  const auto location = [](int64_t file, int64_t line) {
    return BytesField(StackFrameIndexField::kFileLocations,
                      IntegerField(FileLocationField::kFileNameId, file) +
                          IntegerField(FileLocationField::kLine, line));
  };
  const auto stack_frame = [](int64_t location_id) {
    return BytesField(StackFrameIndexField::kStackFrames,
                      IntegerField(StackFrameField::kFileLocationId, location_id));
  };
  const std::string index = BytesField(StackFrameIndexField::kFileNames, "model.py") +
                            BytesField(StackFrameIndexField::kFileNames, "train.py") +
                            location(1, 7) + location(2, 42) + stack_frame(1) + stack_frame(2);
  const std::string bytes = Serialize({main}, 1) + BytesField(ModuleField::kStackFrameIndex, index);
  const HloModule module = ReadHloModule(bytes);
  EXPECT_EQ(module.instructions[0].op_name, "dot");
  EXPECT_EQ(module.source(module.instructions[0]).file, "train.py");
  EXPECT_EQ(module.source(module.instructions[0]).line, 42);
  EXPECT_EQ(module.source(module.instructions[1]).file, "");  // there is no frame 9
}

TEST(FileAndLineMayStandInTheMetadataItself) {
  HloText main(1);
  const std::string metadata = BytesField(MetadataField::kSourceFile, "old.py") +
                               IntegerField(MetadataField::kSourceLine, 5) +
                               IntegerField(MetadataField::kStackFrameId, 1);
  main.Add("iota", F32({}), {}, BytesField(InstructionField::kMetadata, metadata));
  const HloModule module = ReadOne(main);  // there is no frame 1
  EXPECT_EQ(module.source(module.instructions[0]).file, "old.py");
  EXPECT_EQ(module.source(module.instructions[0]).line, 5);
}

uint64_t FingerprintWith(const std::string& shape, const std::string& attributes,
                         const std::string& opcode = "dot") {
  HloText main(1);
  main.Add(opcode, shape, {}, attributes);
  return ReadOne(main).instructions[0].fingerprint;
}

TEST(FingerprintsSeeWhatIsComputedOnly) {
  const std::string shape = F32({8, 4});
  const uint64_t plain = FingerprintWith(shape, "");
  const std::string layout = BytesField(ShapeField::kLayout, PackedField(1, {0, 1}));
  EXPECT_EQ(FingerprintWith(shape + layout, ""), plain);
  for (const uint32_t number :
       {InstructionField::kMetadata, InstructionField::kSharding,
        InstructionField::kFrontendAttributes, InstructionField::kBackendConfig}) {
    EXPECT_EQ(FingerprintWith(shape, BytesField(number, "\x0a\x01x")), plain);
  }
  EXPECT_EQ(FingerprintWith(shape, IntegerField(InstructionField::kParameterNumber, 7)), plain);
  EXPECT_EQ(FingerprintWith(shape, IntegerField(InstructionField::kChannelId, 7)), plain);

  EXPECT_TRUE(FingerprintWith(F32({4, 8}), "") != plain);
  EXPECT_TRUE(FingerprintWith(shape, "", "add") != plain);
  EXPECT_TRUE(FingerprintWith(shape, DotNumbers({1}, {0})) != plain);
  const uint32_t nobody_knows_this_field = 12345;
  EXPECT_TRUE(FingerprintWith(shape, IntegerField(nobody_knows_this_field, 1)) != plain);
  EXPECT_TRUE(FingerprintWith(shape, S32Literal(1)) != FingerprintWith(shape, S32Literal(2)));
}

TEST(TheConfigOfACustomCallCounts) {
  const std::string one = BytesField(InstructionField::kBackendConfig, "{causal=1}");
  const std::string other = BytesField(InstructionField::kBackendConfig, "{causal=0}");
  EXPECT_TRUE(FingerprintWith(F32({}), one, "custom-call") !=
              FingerprintWith(F32({}), other, "custom-call"));
}

TEST(WhatIsNoModuleIsAnError) {
  EXPECT_THROWS(ReadHloModule(""), "HLO proto: a module without computations");
  EXPECT_THROWS(ReadHloModule("HloModule jit_step"), "HLO proto: ");
  const std::string whole = Serialize({MatMul()}, 1);
  const size_t computation = whole.find("computation1");
  EXPECT_THROWS(ReadHloModule(whole.substr(0, computation + 4)), "are left at byte");
}

TEST(ShapesAreCheckedWhereTheyAreRead) {
  const auto parameter = [](const std::string& shape) {
    HloText main(1);
    main.Parameter(0, shape);
    return Serialize({main}, 1);
  };
  EXPECT_THROWS(ReadHloModule(parameter(F32({-1}))), "a dimension of size -1 at byte");
  EXPECT_THROWS(ReadHloModule(parameter(F32({1 << 30, 1 << 30}))),
                "a shape of more than 2^56 elements");
  std::string deep = F32({});
  for (int i = 0; i < 100; ++i) deep = TupleOf({deep});
  EXPECT_THROWS(ReadHloModule(parameter(deep)), "tuple shapes nested more than 64 deep");
}

TEST(AnInstructionNeedsAnOpcodeAndWholeLists) {
  HloText main(1);
  main.Add("", F32({}));
  EXPECT_THROWS(ReadOne(main), "an instruction without opcode at byte");
  HloText pieces(1);
  const std::string one = IntegerField(InstructionField::kDimensions, 1);
  pieces.Add("transpose", F32({}), {},
             one + IntegerField(InstructionField::kDynamicSliceSizes, 1) + one);
  EXPECT_THROWS(ReadOne(pieces), "field 14 comes in pieces, expected one run at byte");
}

}  // namespace
}  // namespace cfp
