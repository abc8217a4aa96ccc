// A module of one computation, made of instructions copied out of another module: their bytes stay
// as they were, fields that this core has never heard of included; only what ties an instruction to
// its place (id, name, operands, sharding, metadata) is written anew. What a copied instruction
// calls comes along.
//
//   ModuleBuilder builder(source, "block");
//   int64_t x = builder.AddParameter(shape_of_x, {});
//   int64_t y = builder.AddCopy(tanh_of_the_source, {x}, {SplitSharding(2, 0, 8), "layer/tanh"});
//   std::string bytes = builder.Finish({y});       an HloModuleProto: parameter x -> (tanh(x))
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hlo_module.h"

namespace cfp {

// What is said of an instruction besides what it computes; empty where nothing is.
struct Note {
  std::string sharding;  // a serialised xla.OpSharding
  std::string op_name;
};

class ModuleBuilder {
 public:
  ModuleBuilder(const HloModule& source, std::string_view name);

  // Each returns the id by which later instructions name this one as their operand.
  int64_t AddParameter(const Shape& shape, const Note& note);
  int64_t AddCopy(const Instruction& instruction, const std::vector<int64_t>& operands,
                  const Note& note);
  int64_t AddElement(int64_t tuple, int index, const Shape& shape, const Note& note);

  // The whole module; its result is a tuple of `outputs`.
  std::string Finish(const std::vector<int64_t>& outputs);

 private:
  struct Added {
    std::string shape;  // a serialised ShapeProto
    std::string sharding;
  };

  std::string ShapeBytes(const Shape& shape) const;
  int64_t Append(std::string fields, const std::vector<int64_t>& operands, Added added,
                 const std::string& op_name);
  int64_t AppendTuple(const std::vector<int64_t>& outputs);
  const Added& At(int64_t id) const { return added_[id - first_id_]; }
  void Call(int64_t computation);
  void AppendCalled(std::string* module) const;
  void AppendStackFrames(std::string* module) const;

  const HloModule& source_;
  std::string name_;
  int64_t computation_id_;
  int64_t first_id_;
  std::string instructions_;  // fields of the computation
  std::vector<Added> added_;
  std::vector<int64_t> parameters_;
  std::vector<bool> called_;  // per computation of the source
};

}  // namespace cfp
