#include "plumb/mismatch/links/few_prompts.h"

#include <fmt/format.h>

namespace plumb::mismatch {
namespace {

constexpr std::size_t kEnough = 20;

// An interval over checkpoints says nothing of other prompts, whose mean gold each of them is.
bool rests_on_prompts(const LinkRow& row) {
  return row.of == "prompts" || row.measure == "gold with the reward";
}

std::string counted(std::size_t prompts) {
  return fmt::format("{} prompt{}", prompts, prompts == 1 ? "" : "s");
}

}  // namespace

std::optional<std::string> few_prompts(std::size_t prompts) {
  if (prompts >= kEnough) return std::nullopt;
  if (prompts >= kFewestJudged) {
    return fmt::format("{} are few for a bootstrap: intervals may be too short.", counted(prompts));
  }
  return fmt::format("{} {} too few for a verdict; {} or more are needed, {} or more are better.",
                     counted(prompts), prompts == 1 ? "is" : "are", kFewestJudged, kEnough);
}

void withhold_verdicts(std::span<LinkRow> rows, const std::string& run, std::size_t prompts) {
  if (prompts >= kFewestJudged) return;
  for (LinkRow& row : rows) {
    const bool judged = row.verdict && (row.ci || row.tested);
    if (row.run != run || !judged || !rests_on_prompts(row)) continue;
    row.verdict = Verdict::kInsufficient;
    row.note += fmt::format("{}no verdict from {}: {} or more are needed",
                            row.note.empty() ? "" : "; ", counted(prompts), kFewestJudged);
  }
}

}  // namespace plumb::mismatch
