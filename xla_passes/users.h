// Who reads each op: the operand edges turned round, in one allocation.
#pragma once

#include <vector>

#include "graph.h"

namespace cfp {

class Users {
 public:
  explicit Users(const Graph& graph);
  Span<OpId> of(OpId op) const { return {list_.data() + begin_[op], begin_[op + 1] - begin_[op]}; }

 private:
  std::vector<size_t> begin_;
  std::vector<OpId> list_;
};

}  // namespace cfp
