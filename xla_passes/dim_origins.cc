#include "dim_origins.h"

#include "shape_size.h"

namespace cfp {

DimOrigins::DimOrigins(const Analysis& analysis)
    : begin_(analysis.graph.ops.size()), trained_(analysis.graph.parameters.size()) {
  const Graph& graph = analysis.graph;
  for (const Owner& owner : analysis.blocks.owner) {
    if (owner.kind == OwnerKind::kOptimizer && owner.index >= 0) trained_[owner.index] = true;
  }
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    begin_[op] = pool_.size();
    pool_.resize(pool_.size() + WidestDims(graph.module, graph.ops[op].shape).size());
  }
  for (size_t p = 0; p < graph.parameters.size(); ++p) {
    const OpId op = graph.parameters[p];
    if (op == kNoOp) continue;
    for (size_t d = 0; d < graph.dims(op).size(); ++d)
      pool_[begin_[op] + d] = {static_cast<int>(p), static_cast<int>(d)};
  }
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    if (graph.ops[op].opcode != Opcode::kParameter) Fill(graph, op, analysis.rules.of(op));
  }
}

DimOrigin DimOrigins::Better(const DimOrigin& a, const DimOrigin& b) const {
  if (a.parameter < 0 || (b.parameter >= 0 && trained_[a.parameter] && !trained_[b.parameter]))
    return b;
  return a;
}

void DimOrigins::Fill(const Graph& graph, OpId op, const Rule& rule) {
  if (graph.ops[op].opcode == Opcode::kCarry) {  // enters a loop as it is
    const OpId start = graph.operands(op)[0];
    for (size_t d = 0; d < graph.dims(op).size(); ++d) pool_[begin_[op] + d] = of(start, d);
    return;
  }
  const Span<OpId> operands = graph.Reads(op);
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    const Site& site = rule.result_site(f);
    if (site.dim < 0 || site.outer != 1) continue;
    DimOrigin& origin = pool_[begin_[op] + site.dim];
    for (size_t i = 0; i < operands.size(); ++i) {
      const int dim = rule.operand_site(f, i).dim;
      if (dim >= 0) origin = Better(origin, of(operands[i], dim));
    }
  }
}

}  // namespace cfp
