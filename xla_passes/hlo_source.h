// Where an instruction comes from in the user's program: OpMetadata, and the module's table of
// stack frames that newer JAX refers to instead of writing file and line into every instruction.
//
//   metadata {op_name: "jit(step)/mlp/dot_general", stack_frame_id: 3}
//   frame 3 -> location 7 -> file 1 "model.py", line 42
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hlo_module.h"
#include "wire.h"

namespace cfp {

class SourceReader {
 public:
  explicit SourceReader(HloModule* module) : module_(*module) {}

  void ReadStackFrameIndex(WireReader reader);
  // Makes frame n the n-th source of the module, once all tables have been read.
  void ResolveStackFrames();
  // After that. A frame that does not exist or leads nowhere gives no source.
  void ReadMetadata(WireReader reader, Instruction* instruction);

 private:
  struct Location {
    int64_t file_name_id = 0;
    int64_t line = 0;
  };

  HloModule& module_;
  std::vector<std::string_view> file_names_;
  std::vector<Location> locations_;
  std::vector<int64_t> location_ids_;  // per frame
};

}  // namespace cfp
