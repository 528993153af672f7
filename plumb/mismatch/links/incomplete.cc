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
  const std::string why = fmt::format("no verdict: {} of {} samples lack \"{}\"", bad->missing,
                                      bad->samples, bad->field);
  for (LinkRow& row : rows) {
    if (row.run != run.name || !rests_on_rewards(row)) continue;
    if (row.link != Link::kB || at_start) withhold(row, why);
  }
}

}  // namespace plumb::mismatch
