#include "users.h"

namespace cfp {

Users::Users(const Graph& graph) : begin_(graph.ops.size() + 1), list_(graph.operand_pool.size()) {
  const OpId count = static_cast<OpId>(graph.ops.size());
  for (OpId op = 0; op < count; ++op) {
    for (OpId operand : graph.operands(op)) ++begin_[operand + 1];
  }
  for (OpId op = 0; op < count; ++op) begin_[op + 1] += begin_[op];
  list_.resize(begin_[count]);
  std::vector<size_t> at(begin_.begin(), begin_.end() - 1);
  for (OpId op = 0; op < count; ++op) {
    for (OpId operand : graph.operands(op)) list_[at[operand]++] = op;
  }
}

}  // namespace cfp
