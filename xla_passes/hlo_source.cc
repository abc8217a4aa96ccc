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
  for (const int64_t location_id : location_ids_) {
    const Location* location = At(locations_, location_id);
    const std::string_view* file = location ? At(file_names_, location->file_name_id) : nullptr;
    module_.source_pool.push_back(file ? Source{*file, location->line} : Source{});
  }
}

void SourceReader::ReadMetadata(WireReader reader, Instruction* instruction) {
  Source source;
  int64_t frame = 0;
  for (WireField field; reader.Next(&field);) {
    switch (field.number) {
      case MetadataField::kOpName:
        instruction->op_name = reader.Bytes(field);
        break;
      case MetadataField::kSourceFile:
        source.file = reader.Bytes(field);
        break;
      case MetadataField::kSourceLine:
        source.line = reader.Integer(field);
        break;
      case MetadataField::kStackFrameId:
        frame = reader.Integer(field);
        break;
    }
  }
  if (At(location_ids_, frame) != nullptr) {
    instruction->source = static_cast<uint32_t>(frame);
  } else if (!source.file.empty()) {
    instruction->source = static_cast<uint32_t>(module_.source_pool.size());
    module_.source_pool.push_back(source);
  }
}

}  // namespace cfp
