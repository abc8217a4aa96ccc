// Sets that are only ever united: which contractions share a block, which seeds share a class.
//
//   DisjointSets sets(4);  sets.Unite(1, 3);  sets.Find(3) == 1;     // a set is named by its least
//   member
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

namespace cfp {

class DisjointSets {
 public:
  explicit DisjointSets(size_t count = 0) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  int Find(int member) const {
    while (parent_[member] != member) member = parent_[member];
    return member;
  }
  bool Same(int a, int b) const { return Find(a) == Find(b); }
  // True if they were two sets until now.
  bool Unite(int a, int b) {
    a = Find(a), b = Find(b);
    parent_[std::max(a, b)] = std::min(a, b);
    return a != b;
  }
  int Add() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }

 private:
  std::vector<int> parent_;
};

}  // namespace cfp
