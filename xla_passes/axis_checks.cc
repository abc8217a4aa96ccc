#include "axis_checks.h"

#include "hlo_error.h"
#include "records.h"

namespace cfp {
namespace {

constexpr int64_t kMostDevices = int64_t{1} << 31;

std::string Number(int64_t number) { return std::to_string(number); }

std::string Text(const Graph& graph, OpId op) {
  return ShapeText(graph.module, graph.ops[op].shape);
}

void CheckSizes(const std::vector<Axis>& axes) {
  int64_t devices = 1;
  for (size_t a = 0; a < axes.size(); ++a) {
    if (axes[a].size < 1) throw HloError("axis " + Number(a) + " has size " + Number(axes[a].size));
    if (axes[a].size > kMostDevices / devices) throw HloError("axes of more than 2^31 devices");
    devices *= axes[a].size;
  }
}

void CheckContinues(const Graph& graph, const std::vector<int>& continues) {
  const int arguments = static_cast<int>(graph.parameters.size());
  if (!continues.empty() && continues.size() != graph.results.size())
    throw HloError("the step has " + Number(graph.results.size()) + " results, not " +
                   Number(continues.size()));
  for (size_t r = 0; r < continues.size(); ++r) {
    const int argument = continues[r];
    if (argument == -1) continue;
    if (argument < -1 || argument >= arguments)
      throw HloError("result " + Number(r) + " cannot be the next argument " + Number(argument) +
                     " of " + Number(arguments));
    const OpId result = graph.results[r], before = graph.parameters[argument];
    if (before != kNoOp && !SameDims(graph, result, before))
      throw HloError("result " + Number(r) + ", " + Text(graph, result) +
                     ", cannot be the next argument " + Number(argument) + ", " +
                     Text(graph, before));
  }
}

// Axes that follow one strategy cut the same factors.
void CheckStrategies(const Analysis& analysis, const std::vector<Axis>& axes, size_t block) {
  const std::vector<Strategy>& known = analysis.strategies[analysis.alike[block]].list;
  std::vector<int64_t> pieces(known.size(), 1);
  for (const Axis& axis : axes) {
    if (axis.choice[block] != kWhole) pieces[axis.choice[block]] *= axis.size;
  }
  for (size_t s = 0; s < known.size(); ++s) {
    if (known[s].granule % pieces[s] != 0)
      throw HloError("strategy " + Number(s) + " of block " + Number(block) + " cuts into " +
                     Number(known[s].granule) + " pieces at most, not into " + Number(pieces[s]));
  }
}

// Where the axes store one argument.
class Places {
 public:
  Places(const Graph& graph, const std::vector<Axis>& axes, size_t argument) : graph_(graph) {
    for (const Axis& axis : axes) {
      if (axis.stored.empty()) continue;
      cuts_.push_back(axis.stored[argument]);
      sizes_.push_back(axis.size);
    }
  }

  // `what` is the argument, or a result that is its next value.
  void Check(OpId value, const std::string& what) const {
    for (size_t i = 0; i < cuts_.size(); ++i) {
      if (!Divides(value, cuts_[i])) throw HloError(Refusal(value, what, cuts_[i]));
    }
  }

 private:
  bool Divides(OpId value, const Split& cut) const {
    const Span<int64_t> dims = graph_.dims(value);
    if (cut.dim == -1) return true;
    if (cut.dim < 0 || cut.dim >= static_cast<int>(dims.size()) || cut.outer < 1) return false;
    return dims[cut.dim] % cut.outer == 0 && dims[cut.dim] / cut.outer % PiecesAt(cut) == 0;
  }
  int64_t PiecesAt(const Split& cut) const {
    int64_t pieces = 1;
    for (size_t i = 0; i < cuts_.size(); ++i) {
      if (cuts_[i].dim == cut.dim && cuts_[i].outer == cut.outer) pieces *= sizes_[i];
    }
    return pieces;
  }
  std::string Refusal(OpId value, const std::string& what, const Split& cut) const {
    const std::string inside = cut.outer == 1 ? "" : " inside each of " + Number(cut.outer);
    return what + ", " + Text(graph_, value) + ", cannot be stored in " + Number(PiecesAt(cut)) +
           " parts of dimension " + Number(cut.dim) + inside;
  }

  const Graph& graph_;
  std::vector<Split> cuts_;
  std::vector<int64_t> sizes_;
};

void CheckPlaces(const Graph& graph, const std::vector<Axis>& axes,
                 const std::vector<int>& continues) {
  for (size_t p = 0; p < graph.parameters.size(); ++p) {
    if (graph.parameters[p] != kNoOp)
      Places(graph, axes, p).Check(graph.parameters[p], "argument " + Number(p));
  }
  for (size_t r = 0; r < continues.size(); ++r) {
    if (continues[r] >= 0)
      Places(graph, axes, continues[r]).Check(graph.results[r], "result " + Number(r));
  }
}

}  // namespace

void CheckAxes(const Analysis& analysis, const std::vector<Axis>& axes,
               const std::vector<int>& continues) {
  const Graph& graph = analysis.graph;
  CheckSizes(axes);
  CheckContinues(graph, continues);
  for (const Axis& axis : axes) {
    if (!axis.stored.empty() && axis.stored.size() != graph.parameters.size())
      throw HloError("a layout needs a place for each of " + Number(graph.parameters.size()) +
                     " arguments, or for none, not for " + Number(axis.stored.size()));
    if (axis.stored.empty() != axes[0].stored.empty())
      throw HloError("places are given on every axis or on none");
  }
  for (size_t b = 0; b < analysis.blocks.list.size(); ++b) {
    if (analysis.blocks.list[b].forward_count > 0) CheckStrategies(analysis, axes, b);
  }
  CheckPlaces(graph, axes, continues);
}

}  // namespace cfp
