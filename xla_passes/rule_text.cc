// See rule_text.h.
#include "rule_text.h"

namespace cfp {
namespace {

const char* KindText(FactorKind kind) {
  switch (kind) {
    case FactorKind::kPass:
      return "pass";
    case FactorKind::kReduced:
      return "reduced";
    case FactorKind::kReplicate:
      return "replicate";
    case FactorKind::kHalo:
      return "halo";
    case FactorKind::kPermute:
      return "permute";
  }
  return "?";
}

void AppendSite(const std::string& array, const Site& site, std::string* text) {
  if (site.dim < 0) return;
  *text += " " + array + "." + std::to_string(site.dim);
  if (site.outer != 1) *text += "/" + std::to_string(site.outer);
}

std::string ArgumentsText(const Graph& graph, OpId op) {
  if (graph.ops[op].opcode == Opcode::kParameter) {
    return std::to_string(graph.attributes(op).index);
  }
  std::string text;
  for (OpId operand : graph.operands(op)) {
    text += (text.empty() ? "%" : ", %") + std::to_string(operand);
  }
  return text;
}

}  // namespace

std::string FactorText(const Rule& rule, size_t factor) {
  std::string text = std::to_string(rule.factors[factor].size) + " ";
  text += KindText(rule.factors[factor].kind);
  for (int i = 0; i < rule.num_operands; ++i) {
    AppendSite(std::to_string(i), rule.operand_site(factor, i), &text);
  }
  AppendSite("r", rule.result_site(factor), &text);
  return text;
}

std::string RuleText(const Rule& rule) {
  std::string text = std::string(rule.label) + (rule.barrier ? " barrier:" : ":");
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    text += (f == 0 ? " " : " | ") + FactorText(rule, f);
  }
  return text;
}

std::string DumpPartitionRules(const Graph& graph) {
  std::string text;
  Rule rule;
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    FillPartitionRule(graph, op, &rule);
    text += "%" + std::to_string(op) + " " + std::string(OpcodeText(graph.ops[op].opcode)) + "(" +
            ArgumentsText(graph, op) + ")  " + RuleText(rule) + "\n";
  }
  return text;
}

}  // namespace cfp
