// Reads provenance; see hlo_source.h.
#include "hlo_source.h"

#include "hlo_fields.h"

namespace cfp {
namespace {

// Frames, locations and file names refer to each other by position, counted from 1; 0 is "none".
template <typename T>
const T* At(const std::vector<T>& list, int64_t id) {
  return id >= 1 && static_cast<uint64_t>(id) <= list.size() ? &list[id - 1] : nullptr;
}

}  // namespace

void SourceReader::ReadMetadata(WireReader reader, Instruction* instruction) {
  for (WireField field; reader.Next(&field);) {
    switch (field.number) {
      case MetadataField::kOpName:
        instruction->op_name = reader.Bytes(field);
        break;
      case MetadataField::kSourceFile:
        instruction->source_file = reader.Bytes(field);
        break;
      case MetadataField::kSourceLine:
        instruction->source_line = reader.Integer(field);
        break;
      case MetadataField::kStackFrameId:
        uses_.push_back({module_.instructions.size() - 1, reader.Integer(field)});
        break;
    }
  }
}

void SourceReader::ReadStackFrameIndex(WireReader reader) {
  for (WireField field; reader.Next(&field);) {
    if (field.number == StackFrameIndexField::kFileNames) {
      file_names_.push_back(reader.Bytes(field));
    } else if (field.number == StackFrameIndexField::kFileLocations) {
      WireReader parts = reader.Message(field);
      Location& location = locations_.emplace_back();
      for (WireField part; parts.Next(&part);) {
        if (part.number == FileLocationField::kFileNameId) {
          location.file_name_id = parts.Integer(part);
        }
        if (part.number == FileLocationField::kLine) location.line = parts.Integer(part);
      }
    } else if (field.number == StackFrameIndexField::kStackFrames) {
      WireReader parts = reader.Message(field);
      int64_t& location_id = location_ids_.emplace_back(0);
      for (WireField part; parts.Next(&part);) {
        if (part.number == StackFrameField::kFileLocationId) location_id = parts.Integer(part);
      }
    }
  }
}

void SourceReader::ResolveStackFrames() {
  for (const Use& use : uses_) {
    const int64_t* location_id = At(location_ids_, use.frame_id);
    const Location* location = location_id ? At(locations_, *location_id) : nullptr;
    const std::string_view* file = location ? At(file_names_, location->file_name_id) : nullptr;
    if (file == nullptr) continue;
    module_.instructions[use.instruction].source_file = *file;
    module_.instructions[use.instruction].source_line = location->line;
  }
}

}  // namespace cfp
