#include "plumb/mismatch/links/sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "plumb/mismatch/links/links.h"

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

// The stage whose loss is surely above 0 and the largest of those.
std::string of_swap(const SwapReport& swap) {
  const SwapStage* worst = nullptr;
  for (const SwapStage& stage : swap.stages) {
    const bool whole = stage.stage == "total" || stage.stage == "remainder";
    if (whole || !stage.loss.value || !stage.loss.ci || stage.loss.ci->low <= 0) continue;
    if (worst == nullptr || *stage.loss.value > *worst->loss.value) worst = &stage;
  }
  if (swap.stages.empty() || !swap.stages.back().loss.value) return "";
  if (worst == nullptr) return "; at no stage is a loss of gold shown";
  return fmt::format("; most gold is lost at the {} ({:.2f} [{:.2f}, {:.2f}])", worst->stage,
                     *worst->loss.value, worst->loss.ci->low, worst->loss.ci->high);
}

}  // namespace

std::string links_sentence(const LinkReport& report) {
  std::vector<std::string> parts;
  for (std::size_t link = 0; link < 3; ++link) {
    parts.push_back(fmt::format("{} are {}", kSides[link], over_runs(report, link)));
  }
  std::string sentence = parts[0] + ", " + parts[1] + ", " + parts[2];
  sentence[0] = 'R';
  if (report.swap) sentence += of_swap(*report.swap);
  return sentence + ".";
}

}  // namespace plumb::mismatch
