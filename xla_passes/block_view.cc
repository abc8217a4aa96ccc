#include "block_view.h"

#include "shape_size.h"

namespace cfp {

BlockView::BlockView(const Graph& graph, const ValueNumbers& numbers,
                     const Contractions& contractions, const Grouping& grouping,
                     const Blocks& blocks, int block)
    : graph_(graph), numbers_(numbers), contractions_(contractions), grouping_(grouping) {
  const ParallelBlock& b = blocks.list[block];
  forward_.assign(b.contractions.begin(), b.contractions.begin() + b.forward_count);
  for (OpId op : b.ops) {
    const int c = contractions.at[op];
    const bool is_root = c >= 0 && contractions.list[c].phase ==
                                       Phase::kForward;  // unmatched ones follow a gradient
    if (numbers.of[op] != op || (contractions.IsBackward(op) && !is_root)) continue;
    index_.emplace(op, static_cast<int>(ops_.size()));
    ops_.push_back(op);
    FillPartitionRule(graph, op, &rules_.emplace_back());
  }
}

Relation BlockView::RelationOf(OpId value) const {
  if (IsMember(value)) return Relation::kMember;
  return grouping_.activation[value] ? Relation::kInput : Relation::kSource;
}

int64_t BlockView::PartsOf(int contraction, int factor) const {
  for (const FusedFactor& f : grouping_.fused) {
    if (f.contraction == contraction && f.factor == factor) return f.parts;
  }
  return 1;
}

int64_t BlockView::SizeBytes(OpId value) const {
  return cfp::SizeBytes(graph_.module, graph_.ops[value].shape);
}

}  // namespace cfp
