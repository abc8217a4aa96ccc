// How an array lies on the devices of a module, as a serialised xla.OpSharding of the oldest form,
// which every partitioner reads.
//
//   SplitSharding(3, 1, 4)    {devices=[1,4,1]0,1,2,3}: dimension 1 of 3 in 4 pieces
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cfp {

// Every device holds all of it.
std::string WholeSharding();

// Device i holds the i-th of `pieces` equal parts of dimension `dim`.
std::string SplitSharding(size_t rank, size_t dim, int pieces);

// Of a tuple: one sharding per element.
std::string TupleSharding(const std::vector<std::string>& elements);

}  // namespace cfp
