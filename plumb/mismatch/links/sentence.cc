#include "plumb/mismatch/links/sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "plumb/mismatch/links/links.h"
#include "plumb/stats/few_prompts.h"

namespace plumb::mismatch {
namespace {

constexpr std::array<const char*, 3> kSides = {
    "reward model and policy (A)", "reward model and evaluation (B)", "policy and evaluation (C)"};

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

std::string said(Verdict verdict) {
  return verdict == Verdict::kInsufficient ? "not settled (insufficient evidence)"
                                           : std::string(verdict_name(verdict));
}

// "aligned", or of several runs "aligned in 2 (grpo, ppo) and inverted in 1 (dpo)".
std::string over_runs(const LinkReport& report, std::size_t link) {
  if (report.verdicts.size() == 1) return said(report.verdicts[0].links[link]);
  std::vector<std::string> parts;
  for (const Verdict verdict :
       {Verdict::kAligned, Verdict::kDecoupled, Verdict::kInverted, Verdict::kInsufficient}) {
    std::vector<std::string> names;
    for (const LinkVerdicts& one : report.verdicts) {
      if (one.links[link] == verdict) names.push_back(one.run);
    }
    if (names.empty()) continue;
    parts.push_back(names.size() == report.verdicts.size()
                        ? fmt::format("{} in all {} runs", said(verdict), names.size())
                        : fmt::format("{} in {}", said(verdict), joined(names)));
  }
  return joined(parts);
}

std::string at_stage(const SwapStage& stage) {
  return fmt::format("at the {} ({:.2f} [{:.2f}, {:.2f}])", stage.stage, *stage.loss.value,
                     stage.loss.ci->low, stage.loss.ci->high);
}

}  // namespace

// The stages whose interval lies above 0; "most" where one's lies above all others'.
std::string swap_sentence(const SwapReport& swap) {
  std::vector<SwapStage> measured;
  for (const SwapStage& stage : swap.stages) {
    const bool whole = stage.stage == "total" || stage.stage == "remainder";
    if (!whole && stage.loss.value && stage.loss.ci) measured.push_back(stage);
  }
  std::ranges::stable_sort(measured, std::greater{},
                           [](const SwapStage& s) { return *s.loss.value; });
  if (swap.stages.empty() || !swap.stages.back().loss.value) return "";
  if (stats::too_few_to_judge(swap.prompts)) {
    return fmt::format("where gold is lost is not settled by {} prompts", swap.prompts);
  }
  std::vector<std::string> shown;
  for (const SwapStage& stage : measured) {
    if (stage.loss.ci->low > 0) shown.push_back(at_stage(stage));
  }
  if (shown.empty()) return "at no stage is a loss of gold shown";
  const bool most = measured.size() > 1 &&
                    std::all_of(measured.begin() + 1, measured.end(), [&](const SwapStage& other) {
                      return other.loss.ci->high < measured[0].loss.ci->low;
                    });
  return most ? "most gold is lost " + shown[0] : "gold is lost " + joined(shown);
}

std::string links_sentence(const LinkReport& report) {
  std::vector<std::string> parts;
  for (std::size_t link = 0; link < 3; ++link) {
    parts.push_back(fmt::format("{} are {}", kSides[link], over_runs(report, link)));
  }
  std::string sentence = parts[0] + ", " + parts[1] + ", " + parts[2];
  sentence[0] = 'R';
  const std::string swapped = report.swap ? swap_sentence(*report.swap) : "";
  return sentence + (swapped.empty() ? "" : "; " + swapped) + ".";
}

}  // namespace plumb::mismatch
