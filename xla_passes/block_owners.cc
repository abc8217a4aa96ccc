// [B10] Who owns each op that is not a contraction. Three kinds of op, three rules:
//   forward ops follow their producer, normalisations go to the block that reads them;
//   backward ops belong to the block whose forward value they differentiate;
//   what updates parameters belongs to them (optimizer_chains.h).
#include <algorithm>

#include "block_order.h"
#include "optimizer_chains.h"
#include "parallel_blocks.h"
#include "users.h"

namespace cfp {
namespace {

constexpr int kNobody = -1, kSeveral = -2;

class Owners {
 public:
  Owners(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions,
         const Grouping& grouping)
      : graph_(graph),
        numbers_(numbers),
        contractions_(contractions),
        grouping_(grouping),
        users_(graph),
        count_(static_cast<OpId>(graph.ops.size())) {}

  // Owners by block key: the least contraction of a block, or for a shared normalisation
  // contraction count + the contraction it follows.
  std::vector<Owner> Run() {
    owner_.resize(count_);
    FindReaders();
    optimizer_chain_ = FindOptimizerChains(graph_, contractions_, users_);
    for (OpId op = 0; op < count_; ++op) owner_[op] = OwnerOf(op);
    return std::move(owner_);
  }

 private:
  Owner OfContraction(int contraction, Because because) const {
    return {OwnerKind::kBlock, grouping_.block_of[contraction], because};
  }

  Owner OwnerOf(OpId op) {
    if (const int c = contractions_.at[op]; c >= 0) return OfContraction(c, Because::kContraction);
    if (graph_.ops[op].opcode == Opcode::kLoop || graph_.ops[op].opcode == Opcode::kBranch)
      return {};
    if (const int parameter = optimizer_chain_[op]; parameter >= 0)
      return {OwnerKind::kOptimizer, parameter, Because::kOptimizer};
    if (const OpId first = numbers_.of[op];
        first != op && owner_[first].kind != OwnerKind::kOptimizer) {
      const Owner owner = owner_[first];
      return owner.kind == OwnerKind::kNobody
                 ? owner
                 : Owner{owner.kind, owner.index, Because::kRecomputed};
    }
    return contractions_.IsBackward(op) ? OfBackward(op) : OfForward(op);
  }

  // ---- forward

  Owner OfForward(OpId op) const {
    const int up = grouping_.up[op];
    if (up < 0) return {};
    if (graph_.ops[op].opcode == Opcode::kCarry)
      return {OwnerKind::kNobody, -1, Because::kLoopState};
    if (JoinsScalars(op)) return {OwnerKind::kNobody, -1, Because::kJoinsScalars};
    if (!pending_[op]) return OfContraction(up, Because::kProducer);
    if (reader_[op] == kNobody) return OfUnread(op, up);
    if (reader_[op] != kSeveral) return OfContraction(reader_[op], Because::kReader);
    return {OwnerKind::kBlock, static_cast<int>(contractions_.list.size()) + up,
            Because::kManyReaders};
  }

  // Auxiliary losses added up over the layers would make the first and the last layer another.
  bool JoinsScalars(OpId op) const {
    if (!graph_.dims(op).empty() || graph_.ops[op].shape.dtype == DType::kTuple) return false;
    int block = kNobody;
    for (OpId operand : graph_.Reads(op)) {
      const Owner& owner = owner_[operand];
      if (owner.because == Because::kJoinsScalars) return true;
      if (owner.kind != OwnerKind::kBlock || !graph_.dims(operand).empty()) continue;
      if (block != kNobody && owner.index != block) return true;
      block = owner.index;
    }
    return false;
  }

  // What only gradients read (the derivative of a normalisation) stands where the normalisation
  // does.
  Owner OfUnread(OpId op, int up) const {
    for (OpId read_op : graph_.Reads(op)) {
      const OpId operand = numbers_.of[read_op];
      const Owner& owner = owner_[operand];
      const bool read = owner.because == Because::kReader || owner.because == Because::kManyReaders;
      if (pending_[operand] && grouping_.up[operand] == up && read) return owner;
    }
    return OfContraction(up, Because::kNoReader);
  }

  // reader_[op]: the one block whose contractions read a normalisation, kSeveral, or kNobody. A
  // reader in another loop does not count as one: what is computed once must not be computed on
  // every trip.
  void FindReaders() {
    reader_.assign(count_, kNobody);
    pending_ = grouping_.pending;
    for (OpId op = count_ - 1; op >= 0; --op) {
      if (PreparesNormalisation(op)) {
        pending_[op] = true;
        for (OpId user : users_.of(op)) AddReader(op, user);
      }
      for (OpId operand : graph_.Reads(op)) AddReader(numbers_.of[operand], op);
    }
  }

  void AddReader(OpId value, OpId user) {
    if (!pending_[value]) return;
    const int c = contractions_.at[user];
    int block = kNobody;
    if (c >= 0 && contractions_.list[c].phase == Phase::kForward) block = grouping_.block_of[c];
    if (c < 0 && pending_[user] && grouping_.up[user] == grouping_.up[value])
      block = reader_[numbers_.of[user]];
    if (block == kNobody) return;
    const bool one = reader_[value] == kNobody || reader_[value] == block;
    reader_[value] = one && graph_.ops[value].region == graph_.ops[user].region ? block : kSeveral;
  }

  // One value squared or cast for a normalisation, and for nothing else, is part of it.
  bool PreparesNormalisation(OpId op) const {
    if (pending_[op] || !IsElementwise(graph_.ops[op].opcode) || !IsForward(op) ||
        grouping_.up[op] < 0)
      return false;
    OpId only = kNoOp;
    for (OpId operand : graph_.operands(op)) {
      if (!grouping_.activation[operand]) continue;
      if (only != kNoOp && numbers_.of[operand] != only) return false;
      only = numbers_.of[operand];
    }
    bool is_read = false;
    for (OpId user : users_.of(op)) {
      if (!IsForward(user)) continue;
      if (!pending_[user] || grouping_.up[user] != grouping_.up[op]) return false;
      is_read = true;
    }
    return is_read && only != kNoOp;
  }

  bool IsForward(OpId op) const { return numbers_.of[op] == op && !contractions_.IsBackward(op); }

  // ---- backward

  Owner OfBackward(OpId op) const {
    if (const int forward = contractions_.cotangent_of[op]; forward >= 0)
      return OfContraction(forward, Because::kCotangent);
    int residual = kNobody, upstream = kNobody;
    for (OpId operand : graph_.Reads(op)) {
      const Owner& owner = owner_[operand];
      if (owner.kind != OwnerKind::kBlock) continue;
      if (!contractions_.IsBackward(operand)) {
        residual = std::max(residual, owner.index);
      } else {
        upstream = upstream == kNobody ? owner.index : std::min(upstream, owner.index);
      }
    }
    if (residual != kNobody) return {OwnerKind::kBlock, residual, Because::kResidual};
    if (upstream != kNobody) return {OwnerKind::kBlock, upstream, Because::kUpstream};
    return {OwnerKind::kNobody, -1, Because::kFollowsUpdate};
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  const Contractions& contractions_;
  const Grouping& grouping_;
  const Users users_;
  const OpId count_;
  std::vector<Owner> owner_;
  std::vector<bool> pending_;
  std::vector<int> reader_;
  std::vector<int> optimizer_chain_;  // per op: a parameter's number, -1 for none
};

// Collects the members of every block, in the order of OrderBlocks.
Blocks Collect(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions,
               const Grouping& grouping, std::vector<Owner> owner) {
  const std::vector<int> position = OrderBlocks(graph, numbers, contractions, owner);
  Blocks blocks;
  blocks.list.resize(std::count_if(position.begin(), position.end(), [](int p) { return p >= 0; }));
  for (size_t c = 0; c < contractions.list.size(); ++c) {
    ParallelBlock& block = blocks.list[position[grouping.block_of[c]]];
    const bool forward = contractions.list[c].phase == Phase::kForward;
    block.contractions.insert(
        forward ? block.contractions.begin() + block.forward_count : block.contractions.end(),
        static_cast<int>(c));
    block.forward_count += forward;
    block.flops += contractions.list[c].flops;
  }
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    if (owner[op].kind != OwnerKind::kBlock) continue;
    owner[op].index = position[owner[op].index];
    blocks.list[owner[op].index].ops.push_back(op);
  }
  blocks.owner = std::move(owner);
  return blocks;
}

}  // namespace

std::string_view BecauseLabel(Because because) {
  switch (because) {
    case Because::kNoActivation:
      return "B10.1";
    case Because::kContraction:
      return "B5";
    case Because::kProducer:
      return "B10.2";
    case Because::kReader:
      return "B10.3";
    case Because::kManyReaders:
      return "B10.4";
    case Because::kNoReader:
      return "B10.5";
    case Because::kRecomputed:
      return "B10.6";
    case Because::kCotangent:
      return "B10.7";
    case Because::kResidual:
      return "B10.8";
    case Because::kUpstream:
      return "B10.9";
    case Because::kOptimizer:
      return "B10.10";
    case Because::kJoinsScalars:
      return "B10.11";
    case Because::kLoopState:
      return "B10.12";
    case Because::kFollowsUpdate:
      return "B10.13";
  }
  return "";
}

std::string_view BecauseText(Because because) {
  switch (because) {
    case Because::kNoActivation:
      return "depends on inputs alone";
    case Because::kContraction:
      return "contraction of the block";
    case Because::kProducer:
      return "follows its producer";
    case Because::kReader:
      return "normalisation, computed by its reader";
    case Because::kManyReaders:
      return "normalisation that several blocks read";
    case Because::kNoReader:
      return "reduction that no contraction reads";
    case Because::kRecomputed:
      return "computed again";
    case Because::kCotangent:
      return "cotangent of the block's result";
    case Because::kResidual:
      return "differentiates the block's value";
    case Because::kUpstream:
      return "continues the gradient upstream";
    case Because::kOptimizer:
      return "updates a parameter";
    case Because::kJoinsScalars:
      return "joins scalars of several blocks";
    case Because::kLoopState:
      return "state of a loop";
    case Because::kFollowsUpdate:
      return "follows an update";
  }
  return "";
}

Blocks FindBlocks(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions,
                  const Grouping& grouping) {
  return Collect(graph, numbers, contractions, grouping,
                 Owners(graph, numbers, contractions, grouping).Run());
}

}  // namespace cfp
