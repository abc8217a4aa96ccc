// The whole core on whole steps.
#include "analysis.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "shuffle_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

struct TextOfRecords {
  std::string text;
  TextOfRecords& operator<<(const std::string& s) { return text += s + " ", *this; }
  TextOfRecords& operator<<(int64_t n) { return *this << std::to_string(n); }
  TextOfRecords& operator<<(double x) { return *this << std::to_string(x); }
  TextOfRecords& operator<<(int n) { return *this << std::to_string(n); }
  template <typename T>
  TextOfRecords& operator<<(const std::vector<T>& list) {
    *this << "(";
    for (const T& item : list) *this << item;
    return *this << ")";
  }
  TextOfRecords& operator<<(const OpRecord& op) {
    return *this << "\n"
                 << op.opcode << op.shape << op.operands << op.region << op.owner << op.owner_index
                 << op.label;
  }
  TextOfRecords& operator<<(const RegionRecord& r) {
    return *this << "\n" << r.parent << r.kind << r.trip_count << r.times;
  }
  TextOfRecords& operator<<(const ContractionRecord& c) {
    return *this << "\n"
                 << c.op << c.block << c.phase << c.forward << c.gradient_of << c.label << c.flops
                 << c.unmatched;
  }
  TextOfRecords& operator<<(const CollectiveRecord& c) {
    return *this << c.kind << c.value << c.reader << c.size_bytes;
  }
  TextOfRecords& operator<<(const PlacementRecord& p) {
    return *this << p.value << p.reader << p.dim << p.outer;
  }
  TextOfRecords& operator<<(const StrategyRecord& s) {
    return *this << "\n " << s.origin << s.cuts << s.variant << s.granule << s.split_flops_share
                 << s.collectives << s.inputs << s.members;
  }
  TextOfRecords& operator<<(const BlockRecord& b) {
    return *this << "\n"
                 << b.contractions << b.ops << b.alike << std::to_string(b.signature) << b.flops
                 << b.flops_share << b.strategies << b.dropped;
  }
  TextOfRecords& operator<<(const SegmentRecord& s) {
    return *this << "\n" << s.blocks << s.starts << s.times;
  }
};

// Everything that an analysis says but names and timing.
std::string NamelessText(const std::string& bytes) {
  const Records r = MakeRecords(Analyze(bytes));
  return (TextOfRecords() << r.ops << r.regions << r.contractions << r.blocks << r.segments
                          << r.warnings)
      .text;
}

// A step with some of everything: attention, a normalisation, gradients, an optimizer, a loop.
struct SomeOfEverything {
  Program p;
  Arrays results;
  SomeOfEverything() {
    const Array h = p.Lookup(p.Input({1000, 64}), p.Input({8, 32}, DType::kS32));
    const Attention attention = WriteAttention(p, Norm(p, h), 4);
    const Array residual = p.Plus(h, attention.out);
    const Array looped =
        p.Loop(3, {residual, p.Input({64, 64})}, [&](const Array&, const Arrays& carry) {
          return Arrays{p.Apply("tanh", {p.MatMul(carry[0], carry[1])}), carry[1]};
        })[0];
    Mlp m;
    m.x = p.Reshape(Norm(p, looped), {256, 64});
    m.first = p.Input({64, 128}), m.second = p.Input({128, 16});
    WriteForward(p, &m);
    m.dy = p.Times(m.y, m.y);
    WriteBackward(p, &m);
    results = {p.Sum(m.dy, {0, 1}), p.Apply("subtract", {m.first, m.dfirst}),
               p.Apply("subtract", {m.second, m.dsecond})};
  }
};

// Renaming ops or listing independent ones in another order changes nothing: not a block, an owner,
// a signature or a strategy.
TEST(OnlyWhatIsComputedCounts) {
  SomeOfEverything step;
  const std::string expected = NamelessText(step.p.Serialized(step.results));
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    const std::string bytes =
        step.p.Serialized(step.results, [&](const HloText& text) { return Shuffled(text, seed); });
    const std::string title = "seed " + std::to_string(seed) + "\n";
    EXPECT_EQ(title + NamelessText(bytes), title + expected);
  }
}

// A step without contractions has no block: its ops are nobody's.
TEST(AStepWithoutContractions) {
  Program p;
  const Array x = p.Input({8, 64});
  const Array y = p.Apply("tanh", {x}), loss = p.Sum(y, {0, 1});
  const Step step(p, {loss});
  EXPECT_EQ(step.BlockCount(), 0);
  EXPECT_EQ(step.Segments(), "");
  EXPECT_EQ(step.Owner(loss), "nobody [B10.1]");
  EXPECT_EQ(step.analysis().warnings, std::vector<std::string>{});
}

// An empty step is a step.
TEST(AStepOfNothing) {
  Program p;
  EXPECT_EQ(Step(p, {}).BlockCount(), 0);
  EXPECT_EQ(Step(p, {p.Input({8})}).BlockCount(), 0);
}

// Strategies are found once for blocks that are alike.
TEST(RepeatsPointToTheirTemplate) {
  Program p;
  Arrays layers{Stem(p)};
  while (layers.size() < 4) {
    layers.push_back(p.Apply("tanh", {p.MatMul(layers.back(), p.Input({64, 64}))}));
  }
  const Step step(p, {layers.back()});
  EXPECT_EQ(step.analysis().alike, (std::vector<int>{0, 1, 1, 1}));
  EXPECT_TRUE(!step.analysis().strategies[1].list.empty());
  EXPECT_TRUE(step.analysis().strategies[2].list.empty());
  const Records records = MakeRecords(step.analysis());
  EXPECT_EQ(records.blocks[3].alike, 1);
}

// [B7] Which contractions are light is told by their block's share of the FLOPs of its segment.
TEST(SharesOfFlopsAddUpInASegment) {
  Program p;
  const Array h = Stem(p);
  const Array light = p.MatMul(h, p.Input({64, 1}));
  const Array heavy = p.MatMul(p.Times(h, p.Broadcast(p.Reshape(light, {8, 32}), h.dims, {0, 1})),
                               p.Input({64, 64}));
  const Step step(p, {heavy});
  const Records records = MakeRecords(step.analysis());
  EXPECT_EQ(records.blocks[step.Block(light)].flops_share, 1.0 / 129);
  EXPECT_EQ(records.blocks[step.Block(heavy)].flops_share, 64.0 / 129);
}

// What nobody knows how to split, and loops that do not say how often they run, are reported.
TEST(WarningsSayWhatIsNotKnown) {
  Program p;
  const Array h = Stem(p);
  const std::string target = BytesField(InstructionField::kCustomCallTarget, "mystery");
  const Array a = p.Add("custom-call", {h}, h.dims, target);
  const Array b = p.Add("custom-call", {a}, h.dims, target);
  const Array c = p.Add("no-such-op", {b}, h.dims);
  const Step step(p, {c});
  EXPECT_EQ(step.analysis().warnings,
            (std::vector<std::string>{
                "no partition rule for custom-call mystery (2x): kept whole on every device",
                "no partition rule for no-such-op (1x): kept whole on every device"}));
}

// Bytes that are no module are an error, not a crash.
TEST(OtherBytesAreRefused) { EXPECT_THROWS(Analyze("not a module"), "HLO"); }

}  // namespace
}  // namespace cfp
