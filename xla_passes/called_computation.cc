// Structural hashes and combiners; see called_computation.h.
#include "called_computation.h"

#include "hash.h"

namespace cfp {
namespace {

Combiner CombinerOf(Opcode opcode) {
  switch (opcode) {
    case Opcode::kAdd:
      return Combiner::kAdd;
    case Opcode::kMultiply:
      return Combiner::kMultiply;
    case Opcode::kMaximum:
      return Combiner::kMaximum;
    case Opcode::kMinimum:
      return Combiner::kMinimum;
    case Opcode::kAnd:
      return Combiner::kAnd;
    case Opcode::kOr:
      return Combiner::kOr;
    default:
      return Combiner::kOther;
  }
}

// Through converts, which a reduction in a narrow type puts around its op.
uint32_t Peel(const HloModule& module, const HloLinks& links, uint32_t instruction) {
  while (module.instructions[instruction].opcode == Opcode::kConvert &&
         links.operands(instruction).size() == 1) {
    instruction = links.operands(instruction)[0];
  }
  return instruction;
}

bool IsParameter(const HloModule& module, uint32_t instruction, int64_t number) {
  const Instruction& parameter = module.instructions[instruction];
  return parameter.opcode == Opcode::kParameter && module.attributes(parameter).index == number;
}

Combiner FindCombiner(const HloModule& module, const HloLinks& links, uint32_t root) {
  const uint32_t op = Peel(module, links, root);
  const Combiner combiner = CombinerOf(module.instructions[op].opcode);
  if (combiner == Combiner::kOther || links.operands(op).size() != 2) return Combiner::kOther;
  const uint32_t left = Peel(module, links, links.operands(op)[0]);
  const uint32_t right = Peel(module, links, links.operands(op)[1]);
  const bool in_order = IsParameter(module, left, 0) && IsParameter(module, right, 1);
  const bool swapped = IsParameter(module, left, 1) && IsParameter(module, right, 0);
  return in_order || swapped ? combiner : Combiner::kOther;
}

}  // namespace

std::vector<CalledComputation> SummarizeComputations(const HloModule& module,
                                                     const HloLinks& links) {
  std::vector<CalledComputation> summaries;
  std::vector<uint64_t> hashes(module.instructions.size());
  for (uint32_t c = 0; c < module.computations.size(); ++c) {
    const Computation& computation = module.computations[c];
    for (uint32_t i = computation.begin; i < computation.end; ++i) {
      const Instruction& instruction = module.instructions[i];
      const int64_t index = module.attributes(instruction).index;
      uint64_t hash = MixHash(instruction.fingerprint, static_cast<uint64_t>(index));
      for (const uint32_t operand : links.operands(i)) hash = MixHash(hash, hashes[operand]);
      for (const uint32_t called : links.called(i)) hash = MixHash(hash, summaries[called].hash);
      hashes[i] = hash;
    }
    summaries.push_back({hashes[links.root(c)], FindCombiner(module, links, links.root(c))});
  }
  return summaries;
}

uint64_t HashShape(const HloModule& module, const Shape& shape) {
  uint64_t hash = MixHash(kHashSeed, static_cast<uint64_t>(shape.dtype));
  for (const int64_t size : module.list(shape.dims)) {
    hash = MixHash(hash, static_cast<uint64_t>(size));
  }
  return hash;
}

}  // namespace cfp
