#include <fmt/format.h>

#include <algorithm>

#include "plumb/mismatch/links/run_draws.h"

namespace plumb::mismatch {
namespace {

bool rests_on_rewards(const LinkRow& row) {
  return row.of == "prompts" || row.measure.find("gold") != std::string::npos;
}

}  // namespace

void withhold_incomplete(std::span<LinkRow> rows, const RunDraws& run) {
  const auto bad = std::ranges::find_if(run.lacking, &MissingField::too_much);
  if (bad == run.lacking.end()) return;
  const bool at_start = too_much_missing(run.lacking, "gold", 0, run.path.start.step) ||
                        too_much_missing(run.lacking, "proxy", 0, run.path.start.step);
  for (LinkRow& row : rows) {
    if (row.run != run.name || !row.verdict || !row.ci || !rests_on_rewards(row)) continue;
    if (row.link == Link::kB && !at_start) continue;
    row.verdict = Verdict::kInsufficient;
    row.note += fmt::format("{}no verdict: {} of {} samples lack \"{}\"",
                            row.note.empty() ? "" : "; ", bad->missing, bad->samples, bad->field);
  }
}

}  // namespace plumb::mismatch
