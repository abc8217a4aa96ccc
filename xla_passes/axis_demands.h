// What the readers of every value would have of it on one mesh axis, found by walking back.
//
//   m' = 0.9·m + 0.1·g    m is stored cut on dim 0, so the reader of g takes a part of it: g, a sum
//                         over devices, need not be whole anywhere
//   x·convert(W)          W is read in columns: W would best be stored so
#pragma once

#include <vector>

#include "forward_work.h"

namespace cfp {

struct Demands {
  std::vector<Split> asked;        // per op: the part that its first reader who takes one takes
  std::vector<bool> needed_whole;  // per op: a reader that cannot do otherwise takes all of it

  // The part that the first reader takes, where none needs all; dim -1: there is no such part.
  Split PartOf(OpId op) const { return asked.empty() || needed_whole[op] ? Split{} : asked[op]; }
};

// `stored` says where entry parameters, and the results that continue them, lie. [L8] [L9]
Demands FindDemands(const Analysis& analysis, const ForwardWorks& works,
                    const std::vector<Split>& stored, const std::vector<int>& continues);

}  // namespace cfp
