// The core as the Python module `cfp._cfp_core`: bytes of HLO in, read-only records out.
//
//   program = _cfp_core.read(step.hlo)         another thread may run Python meanwhile
//   program.records.blocks[3].strategies[0].cuts       ["%12 n0", "%14 n0"]
//   program.lay_out([axis], [-1, 0])[0].movements      what moves under a choice of strategies
//
// The only file that includes Python. It decides nothing: what a record means is said in records.h,
// and cfp/_native.py, its one reader, turns records into the nouns of cfp/ir.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <utility>

#include "analysis.h"
#include "block_module.h"
#include "hlo_error.h"
#include "layout_records.h"
#include "records.h"

namespace nb = nanobind;

namespace cfp {
namespace {

// Compared with CORE_VERSION of cfp/_native.py: an extension left over from another version is
// refused.
constexpr char kVersion[] = "0.1.0";

// An analysis that stays in the core: its layouts can be asked for again and again.
class Program {
 public:
  explicit Program(std::string bytes) : analysis_(Analyze(std::move(bytes))) {}
  Records records() const { return MakeRecords(analysis_); }
  std::vector<LayoutRecord> LayOut(const std::vector<AxisRecord>& axes,
                                   const std::vector<int>& continues) const {
    return MakeLayouts(analysis_, axes, continues);
  }
  std::string Block(int block, int strategy, int pieces) const {
    return BlockModule(analysis_, block, strategy, pieces);
  }

 private:
  Analysis analysis_;
};

std::unique_ptr<Program> ReadProgram(const nb::bytes& hlo) {
  std::string bytes(hlo.c_str(), hlo.size());
  nb::gil_scoped_release release;
  return std::make_unique<Program>(std::move(bytes));
}

nb::bytes BlockBytes(const Program& program, int block, int strategy, int pieces) {
  const std::string bytes = program.Block(block, strategy, pieces);
  return nb::bytes(bytes.data(), bytes.size());
}

void BindOps(nb::module_& m) {
  nb::class_<OpRecord>(m, "OpRecord")
      .def_ro("opcode", &OpRecord::opcode)
      .def_ro("shape", &OpRecord::shape)
      .def_ro("operands", &OpRecord::operands)
      .def_ro("instruction", &OpRecord::instruction)
      .def_ro("op_name", &OpRecord::op_name)
      .def_ro("source_file", &OpRecord::source_file)
      .def_ro("source_line", &OpRecord::source_line)
      .def_ro("region", &OpRecord::region)
      .def_ro("owner", &OpRecord::owner)
      .def_ro("owner_index", &OpRecord::owner_index)
      .def_ro("label", &OpRecord::label)
      .def_ro("because", &OpRecord::because);
  nb::class_<RegionRecord>(m, "RegionRecord")
      .def_ro("parent", &RegionRecord::parent)
      .def_ro("kind", &RegionRecord::kind)
      .def_ro("trip_count", &RegionRecord::trip_count)
      .def_ro("trip_count_known", &RegionRecord::trip_count_known)
      .def_ro("times", &RegionRecord::times);
  nb::class_<ContractionRecord>(m, "ContractionRecord")
      .def_ro("op", &ContractionRecord::op)
      .def_ro("block", &ContractionRecord::block)
      .def_ro("phase", &ContractionRecord::phase)
      .def_ro("forward", &ContractionRecord::forward)
      .def_ro("gradient_of", &ContractionRecord::gradient_of)
      .def_ro("label", &ContractionRecord::label)
      .def_ro("because", &ContractionRecord::because)
      .def_ro("flops", &ContractionRecord::flops)
      .def_ro("unmatched", &ContractionRecord::unmatched);
}

void BindStrategies(nb::module_& m) {
  nb::class_<CollectiveRecord>(m, "CollectiveRecord")
      .def_ro("kind", &CollectiveRecord::kind)
      .def_ro("value", &CollectiveRecord::value)
      .def_ro("reader", &CollectiveRecord::reader)
      .def_ro("size_bytes", &CollectiveRecord::size_bytes);
  nb::class_<PlacementRecord>(m, "PlacementRecord")
      .def_ro("value", &PlacementRecord::value)
      .def_ro("reader", &PlacementRecord::reader)
      .def_ro("dim", &PlacementRecord::dim)
      .def_ro("outer", &PlacementRecord::outer);
  nb::class_<SourceRecord>(m, "SourceRecord")
      .def_ro("parameter", &SourceRecord::parameter)
      .def_ro("dim", &SourceRecord::dim);
  nb::class_<StrategyRecord>(m, "StrategyRecord")
      .def_ro("origin", &StrategyRecord::origin)
      .def_ro("cuts", &StrategyRecord::cuts)
      .def_ro("sources", &StrategyRecord::sources)
      .def_ro("variant", &StrategyRecord::variant)
      .def_ro("granule", &StrategyRecord::granule)
      .def_ro("split_flops_share", &StrategyRecord::split_flops_share)
      .def_ro("collectives", &StrategyRecord::collectives)
      .def_ro("inputs", &StrategyRecord::inputs)
      .def_ro("members", &StrategyRecord::members);
}

void BindBlocks(nb::module_& m) {
  nb::class_<BlockRecord>(m, "BlockRecord")
      .def_ro("contractions", &BlockRecord::contractions)
      .def_ro("ops", &BlockRecord::ops)
      .def_ro("alike", &BlockRecord::alike)
      .def_ro("signature", &BlockRecord::signature)
      .def_ro("flops", &BlockRecord::flops)
      .def_ro("flops_share", &BlockRecord::flops_share)
      .def_ro("strategies", &BlockRecord::strategies)
      .def_ro("dropped", &BlockRecord::dropped);
  nb::class_<SegmentRecord>(m, "SegmentRecord")
      .def_ro("blocks", &SegmentRecord::blocks)
      .def_ro("starts", &SegmentRecord::starts)
      .def_ro("times", &SegmentRecord::times);
}

void BindRecords(nb::module_& m) {
  nb::class_<Timing>(m, "Timing")
      .def_ro("read_s", &Timing::read_s)
      .def_ro("graph_s", &Timing::graph_s)
      .def_ro("contractions_s", &Timing::contractions_s)
      .def_ro("blocks_s", &Timing::blocks_s)
      .def_ro("segments_s", &Timing::segments_s)
      .def_ro("strategies_s", &Timing::strategies_s);
  nb::class_<Records>(m, "Records")
      .def_ro("module", &Records::module)
      .def_ro("ops", &Records::ops)
      .def_ro("parameters", &Records::parameters)
      .def_ro("results", &Records::results)
      .def_ro("regions", &Records::regions)
      .def_ro("contractions", &Records::contractions)
      .def_ro("blocks", &Records::blocks)
      .def_ro("segments", &Records::segments)
      .def_ro("warnings", &Records::warnings)
      .def_ro("timing", &Records::timing);
}

void BindLayouts(nb::module_& m) {
  nb::class_<CutRecord>(m, "CutRecord")
      .def(nb::init<int, int64_t>(), nb::arg("dim"), nb::arg("outer"))
      .def_ro("dim", &CutRecord::dim)
      .def_ro("outer", &CutRecord::outer);
  nb::class_<AxisRecord>(m, "AxisRecord")
      .def(nb::init<int64_t, std::vector<int>, std::vector<CutRecord>>(), nb::arg("size"),
           nb::arg("choice"), nb::arg("stored"));
  nb::class_<PlacedRecord>(m, "PlacedRecord")
      .def_ro("index", &PlacedRecord::index)
      .def_ro("cut", &PlacedRecord::cut);
  nb::class_<UseRecord>(m, "UseRecord")
      .def_ro("op", &UseRecord::op)
      .def_ro("operand", &UseRecord::operand)
      .def_ro("cut", &UseRecord::cut);
  nb::class_<MovementRecord>(m, "MovementRecord")
      .def_ro("kind", &MovementRecord::kind)
      .def_ro("value", &MovementRecord::value)
      .def_ro("reader", &MovementRecord::reader)
      .def_ro("times", &MovementRecord::times);
  nb::class_<LayoutRecord>(m, "LayoutRecord")
      .def_ro("cuts", &LayoutRecord::cuts)
      .def_ro("wanted", &LayoutRecord::wanted)
      .def_ro("uses", &LayoutRecord::uses)
      .def_ro("movements", &LayoutRecord::movements);
}

void BindProgram(nb::module_& m) {
  nb::class_<Program>(m, "Program")
      .def("records", &Program::records, "The whole analysis as records.")
      .def("lay_out", &Program::LayOut, nb::arg("axes"), nb::arg("continues"),
           nb::call_guard<nb::gil_scoped_release>(),
           "How every value lies on each axis. `continues`: per result, the parameter it is next.")
      .def("block_module", &BlockBytes, nb::arg("block"), nb::arg("strategy"), nb::arg("pieces"),
           "One block alone as an HloModuleProto whose shardings are those of one of its "
           "strategies.");
}

}  // namespace
}  // namespace cfp

NB_MODULE(_cfp_core, m) {
  m.doc() = "The compiled core of cfp: HLO bytes to ParallelBlocks, strategies and segments.";
  m.attr("__version__") = cfp::kVersion;
  // An analysis that a module keeps lives until Python ends, which is no leak.
  nb::set_leak_warnings(false);
  nb::exception<cfp::HloError>(m, "HloError", PyExc_ValueError);
  cfp::BindOps(m);
  cfp::BindStrategies(m);
  cfp::BindBlocks(m);
  cfp::BindRecords(m);
  cfp::BindLayouts(m);
  cfp::BindProgram(m);
  m.def("read", &cfp::ReadProgram, nb::arg("hlo"),
        "The analysis of one HloModuleProto. Raises HloError where the bytes are none. Releases "
        "the GIL.");
}
