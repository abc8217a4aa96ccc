// See lookup_rules.h; each function carries the label of its clause in docs/spec.md.
#include "lookup_rules.h"

namespace cfp {
namespace {

struct LookupDims {
  explicit LookupDims(const RuleWriter& rule)
      : window(rule.list(rule.gather().window_dims)),
        collapsed(rule.list(rule.gather().collapsed_dims)),
        index_map(rule.list(rule.gather().index_map)),
        table_batching(rule.list(rule.gather().operand_batching_dims)),
        indices_batching(rule.list(rule.gather().indices_batching_dims)),
        index_vector(rule.gather().index_vector_dim) {}
  Numbers window, collapsed, index_map, table_batching, indices_batching;
  int64_t index_vector;
};

// Calls visit(indices dim, rows dim, table dim or -1) for each batch dimension. `rows` is what lies
// side by side for each index: a gather's result, a scatter's updates.
template <typename Visit>
void ForEachBatchDim(const LookupDims& dims, int64_t rows_rank, Visit visit) {
  int64_t indices_dim = 0;
  for (int64_t d = 0; d < rows_rank; ++d) {
    if (dims.window.Has(d)) continue;
    if (indices_dim == dims.index_vector) ++indices_dim;
    const int64_t batching = dims.indices_batching.Find(indices_dim);
    visit(indices_dim, d, batching < 0 ? -1 : dims.table_batching[batching]);
    ++indices_dim;
  }
}

// Calls visit(table dim, rows dim or -1) for each table dimension that is not a batching one; -1
// stands for a dimension that the rows do not have.
template <typename Visit>
void ForEachTableDim(const LookupDims& dims, int64_t table_rank, Visit visit) {
  int64_t window = 0;
  for (int64_t d = 0; d < table_rank; ++d) {
    if (dims.table_batching.Has(d)) continue;
    visit(d, dims.collapsed.Has(d) ? -1 : dims.window[window++]);
  }
}

void KeepIndexVectorWhole(RuleWriter& rule, size_t indices, const LookupDims& dims) {
  const Numbers sizes = rule.operand_dims(indices);
  if (dims.index_vector >= sizes.size()) return;
  rule.Add(sizes[dims.index_vector], FactorKind::kReplicate).OnOperand(indices, dims.index_vector);
}

// The operands of a scatter: n tables, the indices, n updates; its result is the n tables again.
class ScatterArrays {
 public:
  explicit ScatterArrays(RuleWriter& rule) : rule_(rule), tables_(rule.num_operands() / 2) {}
  size_t indices() const { return tables_; }
  Numbers table_dims() const { return rule_.operand_dims(0); }
  Numbers updates_dims() const { return rule_.operand_dims(tables_ + 1); }

  void OnTables(Placement& placement, int64_t dim) const {
    for (size_t i = 0; i < tables_; ++i) placement.OnOperand(i, dim);
    placement.OnResult(dim);
  }
  void OnUpdates(Placement& placement, int64_t dim) const {
    for (size_t i = 0; i < tables_; ++i) placement.OnOperand(tables_ + 1 + i, dim);
  }

 private:
  RuleWriter& rule_;
  size_t tables_;
};

// A batch dimension of the updates: rows that meet in the table are combined there, which only a
// sum can put off until all shards are done.
void WriteUpdateBatch(RuleWriter& rule, const ScatterArrays& arrays, const LookupDims& dims) {
  const FactorKind unbatched =
      rule.op().combiner == Combiner::kAdd ? FactorKind::kReduced : FactorKind::kReplicate;
  const Numbers updates = arrays.updates_dims();
  ForEachBatchDim(
      dims, updates.size(), [&](int64_t indices_dim, int64_t updates_dim, int64_t table_dim) {
        Placement placement =
            rule.Add(updates[updates_dim], table_dim >= 0 ? FactorKind::kPass : unbatched)
                .OnOperand(arrays.indices(), indices_dim);
        arrays.OnUpdates(placement, updates_dim);
        if (table_dim >= 0) arrays.OnTables(placement, table_dim);
      });
}

// A table dimension: one that the updates cover passes with them, one that indices point into is
// updated by each shard for the rows it holds.
void WriteTableDim(RuleWriter& rule, const ScatterArrays& arrays, int64_t table_dim,
                   int64_t updates_dim) {
  const int64_t size = arrays.table_dims()[table_dim];
  const int64_t window = updates_dim < 0 ? 1 : arrays.updates_dims()[updates_dim];
  const bool passes = window == size || window == 1;
  Placement table = rule.Add(size, passes ? FactorKind::kPass : FactorKind::kReplicate);
  arrays.OnTables(table, table_dim);
  if (window == size) {
    if (updates_dim >= 0) arrays.OnUpdates(table, updates_dim);
    return;
  }
  Placement updates = rule.Add(window, FactorKind::kReplicate);
  arrays.OnUpdates(updates, updates_dim);
}

}  // namespace

void WriteGather(RuleWriter& rule) {  // [R14]
  const LookupDims dims(rule);
  const Numbers table = rule.operand_dims(0), indices = rule.operand_dims(1);
  const Numbers rows = rule.result_dims();
  ForEachBatchDim(dims, rows.size(), [&](int64_t indices_dim, int64_t rows_dim, int64_t table_dim) {
    Placement placement = rule.Add(indices[indices_dim], FactorKind::kPass)
                              .OnOperand(1, indices_dim)
                              .OnResult(rows_dim);
    if (table_dim >= 0) placement.OnOperand(0, table_dim);
  });
  ForEachTableDim(dims, table.size(), [&](int64_t table_dim, int64_t rows_dim) {
    const int64_t slice = rows_dim < 0 ? 1 : rows[rows_dim];
    if (slice == table[table_dim]) {
      rule.Add(slice, FactorKind::kPass).OnOperand(0, table_dim).OnResult(rows_dim);
      return;
    }
    const bool looked_up = slice == 1 && dims.index_map.Has(table_dim);
    rule.Add(table[table_dim], looked_up ? FactorKind::kReduced : FactorKind::kReplicate)
        .OnOperand(0, table_dim);
    rule.Add(slice, FactorKind::kPermute).OnResult(rows_dim);
  });
  KeepIndexVectorWhole(rule, 1, dims);
}

void WriteScatter(RuleWriter& rule) {  // [R15]
  const LookupDims dims(rule);
  const ScatterArrays arrays(rule);
  WriteUpdateBatch(rule, arrays, dims);
  ForEachTableDim(dims, arrays.table_dims().size(), [&](int64_t table_dim, int64_t updates_dim) {
    WriteTableDim(rule, arrays, table_dim, updates_dim);
  });
  KeepIndexVectorWhole(rule, arrays.indices(), dims);
}

}  // namespace cfp
