#include "plumb/mismatch/full/full_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/mismatch/links/sentence.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

Result<void> note_input(const char* what, const fs::path& file, FullLinks& found) {
  PLUMB_TRY(bytes, read_file(file));
  found.inputs.push_back({what, file.string(), sha256(bytes)});
  return {};
}

Result<std::vector<LinkRow>> rows_outside(const BesideRuns& beside, double level,
                                          FullLinks& found) {
  std::vector<LinkRow> rows;
  if (!beside.population.empty()) {
    PLUMB_TRY(population, read_population(beside.population));
    rows = population_rows(population, level);
    if (auto noted = note_input("population", beside.population, found); !noted) {
      return tl::unexpected(noted.error());
    }
  }
  if (!beside.pairs.empty()) {
    PLUMB_TRY(pairs, read_scored_pairs(beside.pairs));
    for (LinkRow& row : pair_rows(pairs, level)) rows.push_back(std::move(row));
    if (auto noted = note_input("pairs", beside.pairs, found); !noted) {
      return tl::unexpected(noted.error());
    }
  }
  return rows;
}

Result<SampleTable> table_of(const fs::path& run) {
  PLUMB_TRY(table, read_link_table(run, {}));
  if (const auto beta = implicit_beta(run)) {
    if (auto used = use_implicit_reward(table, *beta); !used) return tl::unexpected(used.error());
  }
  return table;
}

Result<void> add_evaluations(const fs::path& run, double level, FullLinks& found) {
  const fs::path file = run / "evals.jsonl";
  PLUMB_TRY(series, read_eval_log(file, level));
  for (EvalSeries& one : series) {
    one.run = run.filename().string();
    found.evaluations.push_back(std::move(one));
  }
  return note_input("evals", file, found);
}

// "Reward model and policy (A) are ...; of rloo, most gold is lost at the reward model (...)."
std::string with_swaps(std::string sentence, const std::vector<RunSwap>& swaps) {
  if (swaps.empty()) return sentence;
  sentence.pop_back();
  for (const RunSwap& one : swaps) {
    const std::string said = swap_sentence(one.swap);
    if (!said.empty()) sentence += fmt::format("; of {}, {}", one.run, said);
  }
  return sentence + ".";
}

}  // namespace

Result<FullLinks> measure_full_links(const ChainReport& chain, const BesideRuns& beside,
                                     const LinkOptions& options) {
  FullLinks found;
  PLUMB_TRY(outside, rows_outside(beside, options.sampling.level, found));
  PLUMB_TRY(pool, read_link_table(chain.optimised_samples, {}));
  std::vector<RunLinks> runs;
  for (const fs::path& run : chain.runs) {
    const std::string name = run.filename().string();
    PLUMB_TRY(table, table_of(run));
    if (auto added = add_evaluations(run, options.sampling.level, found); !added) {
      return tl::unexpected(added.error());
    }
    PLUMB_TRY(links, measure_links(name, table, found.evaluations, options));
    runs.push_back(std::move(links));
    const auto gold = std::ranges::find(chain.gold_runs, run.filename(), &fs::path::filename);
    if (gold == chain.gold_runs.end()) continue;
    PLUMB_TRY(gold_table, read_link_table(*gold, {}));
    found.swaps.push_back(
        {name,
         swap_tests({.run = &table, .gold_run = &gold_table, .pool = &pool, .start = options.start},
                    options.sampling)});
  }
  PLUMB_TRY(report, report_links(std::move(runs), std::move(outside), std::nullopt,
                                 found.evaluations, options));
  found.report = std::move(report);
  found.report.sentence = with_swaps(std::move(found.report.sentence), found.swaps);
  return found;
}

}  // namespace plumb::mismatch
