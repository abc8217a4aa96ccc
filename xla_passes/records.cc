#include "records.h"

#include "dim_origins.h"

namespace cfp {
namespace {

std::string_view OwnerText(OwnerKind kind) {
  switch (kind) {
    case OwnerKind::kNobody:
      return "nobody";
    case OwnerKind::kBlock:
      return "block";
    case OwnerKind::kOptimizer:
      return "optimizer";
  }
  return "";
}

OpRecord RecordOp(const Analysis& analysis, OpId id) {
  const Graph& graph = analysis.graph;
  const Op& op = graph.ops[id];
  const Instruction& instruction = graph.instruction(id);
  const Owner& owner = analysis.blocks.owner[id];
  OpRecord record;
  record.opcode = op.opcode == Opcode::kUnknown ? instruction.opcode_text : OpcodeText(op.opcode);
  record.shape = ShapeText(graph.module, op.shape);
  record.operands.assign(graph.operands(id).begin(), graph.operands(id).end());
  record.instruction = instruction.name;
  record.op_name = OpName(graph, id);
  const Source& source = graph.module.source(instruction);
  record.source_file = source.file;
  record.source_line = source.line;
  record.region = op.region;
  record.owner = OwnerText(owner.kind);
  record.owner_index = owner.index;
  record.label = BecauseLabel(owner.because);
  record.because = BecauseText(owner.because);
  return record;
}

ContractionRecord RecordContraction(const Analysis& analysis, size_t index) {
  const Contraction& c = analysis.contractions.list[index];
  const Join join = analysis.grouping.join[index];
  return {
      c.op,          analysis.blocks.owner[c.op].index, std::string(PhaseText(c.phase)), c.forward,
      c.gradient_of, std::string(JoinLabel(join)),      std::string(JoinText(join)),     c.flops,
      c.unmatched};
}

// "%12 m1": a letter for the factor's role (b batch, m first operand, n second operand, k
// contracted), numbered.
std::string CutText(const Analysis& analysis, const Seed& seed) {
  const OpId op = analysis.contractions.list[seed.contraction].op;
  Rule rule;
  FillPartitionRule(analysis.graph, op, &rule);
  const auto letter = [&](int f) {
    if (rule.result_site(f).dim < 0) return 'k';
    const bool first = rule.operand_site(f, 0).dim >= 0, second = rule.operand_site(f, 1).dim >= 0;
    return first && second ? 'b' : first ? 'm' : 'n';
  };
  int number = 0;
  for (int f = 0; f < seed.factor; ++f) number += letter(f) == letter(seed.factor);
  std::string text = "%" + std::to_string(op) + " " + letter(seed.factor) + std::to_string(number);
  if (seed.within > 1) text += " inside each of " + std::to_string(seed.within) + " parts";
  return text;
}

std::vector<PlacementRecord> RecordPlacements(const std::vector<Placed>& placed) {
  std::vector<PlacementRecord> records;
  for (const Placed& p : placed) records.push_back({p.value, p.reader, p.split.dim, p.split.outer});
  return records;
}

// The dimensions of arguments that the seeds' factors come from, each once.
std::vector<SourceRecord> RecordSources(const Analysis& analysis, const DimOrigins& origins,
                                        const Strategy& strategy) {
  std::vector<SourceRecord> sources;
  const auto add = [&](const DimOrigin& origin) {
    for (const SourceRecord& s : sources) {
      if (s.parameter == origin.parameter && s.dim == origin.dim) return;
    }
    if (origin.parameter >= 0) sources.push_back({origin.parameter, origin.dim});
  };
  Rule rule;
  for (const Seed& seed : strategy.seeds) {
    const OpId op = analysis.contractions.list[seed.contraction].op;
    FillPartitionRule(analysis.graph, op, &rule);
    for (int i = 0; i < rule.num_operands; ++i) {
      const int dim = rule.operand_site(seed.factor, i).dim;
      if (dim >= 0) add(origins.of(analysis.graph.operands(op)[i], dim));
    }
  }
  return sources;
}

StrategyRecord RecordStrategy(const Analysis& analysis, const DimOrigins& origins,
                              const Strategy& strategy, double forward_flops) {
  StrategyRecord record;
  record.origin = OriginText(strategy.origin);
  for (const Seed& seed : strategy.seeds) record.cuts.push_back(CutText(analysis, seed));
  record.sources = RecordSources(analysis, origins, strategy);
  if (strategy.variant >= 0) {
    record.variant = "keeps operand " + std::to_string(strategy.variant) + " at %" +
                     std::to_string(strategy.forked_at);
  }
  record.granule = strategy.granule;
  record.split_flops_share = forward_flops > 0 ? strategy.split_flops / forward_flops : 0;
  for (const Collective& c : strategy.collectives) {
    record.collectives.push_back(
        {std::string(CollectiveText(c.kind)), c.value, c.reader, c.size_bytes});
  }
  record.inputs = RecordPlacements(strategy.inputs);
  record.members = RecordPlacements(strategy.members);
  return record;
}

BlockRecord RecordBlock(const Analysis& analysis, const DimOrigins& origins, size_t index) {
  const ParallelBlock& block = analysis.blocks.list[index];
  BlockRecord record;
  record.contractions = block.contractions;
  record.ops = block.ops;
  record.alike = analysis.alike[index];
  record.signature = analysis.segments.signature[index];
  record.flops = block.flops;
  const BlockStrategies& strategies = analysis.strategies[index];
  double forward_flops = 0;
  for (int i = 0; i < block.forward_count; ++i)
    forward_flops += analysis.contractions.list[block.contractions[i]].flops;
  for (const Strategy& s : strategies.list)
    record.strategies.push_back(RecordStrategy(analysis, origins, s, forward_flops));
  record.dropped = strategies.dropped;
  return record;
}

void ShareFlops(const Segments& segments, std::vector<BlockRecord>* blocks) {
  for (const Segment& segment : segments.list) {
    for (int start : segment.starts) {
      double flops = 0;
      for (int b = start; b < start + segment.blocks; ++b) flops += (*blocks)[b].flops;
      for (int b = start; b < start + segment.blocks && flops > 0; ++b)
        (*blocks)[b].flops_share = (*blocks)[b].flops / flops;
    }
  }
}

}  // namespace

std::string ShapeText(const HloModule& module, const Shape& shape) {
  if (shape.dtype == DType::kTuple) {
    std::string text = "(";
    for (const Shape& element : module.list_shapes(shape.elements)) {
      if (text.size() > 1) text += ", ";
      text += ShapeText(module, element);
    }
    return text + ")";
  }
  std::string text = std::string(DTypeText(shape.dtype)) + "[";
  for (int64_t dim : module.list(shape.dims)) {
    if (text.back() != '[') text += ",";
    text += std::to_string(dim);
  }
  return text + "]";
}

Records MakeRecords(const Analysis& analysis) {
  Records records;
  records.module = analysis.graph.module.name;
  for (OpId op = 0; op < static_cast<OpId>(analysis.graph.ops.size()); ++op) {
    records.ops.push_back(RecordOp(analysis, op));
  }
  records.parameters = analysis.graph.parameters;
  records.results = analysis.graph.results;
  for (const Region& r : analysis.graph.regions) {
    const std::string kind = r.parent < 0 ? "program" : std::string(OpcodeText(r.kind));
    records.regions.push_back({r.parent, kind, r.trip_count, r.trip_count_known, r.times});
  }
  for (size_t c = 0; c < analysis.contractions.list.size(); ++c) {
    records.contractions.push_back(RecordContraction(analysis, c));
  }
  const DimOrigins origins(analysis);
  for (size_t b = 0; b < analysis.blocks.list.size(); ++b)
    records.blocks.push_back(RecordBlock(analysis, origins, b));
  for (const Segment& s : analysis.segments.list)
    records.segments.push_back({s.blocks, s.starts, s.times});
  ShareFlops(analysis.segments, &records.blocks);
  records.warnings = analysis.warnings;
  records.timing = analysis.timing;
  return records;
}

}  // namespace cfp
