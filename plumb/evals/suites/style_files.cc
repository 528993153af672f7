#include "plumb/evals/suites/style_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "plumb/evals/imports/outputs.h"
#include "plumb/evals/scoring/intervals.h"
#include "plumb/evals/style/drift.h"
#include "plumb/stats/few_prompts.h"

namespace plumb::evals {
namespace {

StyleSample sample_of(std::span<const Output> outputs) {
  StyleSample sample;
  for (const Output& output : outputs) {
    sample.texts.push_back({output.prompt, output.text, output.ended});
  }
  return sample;
}

// The share of prompts on which the completion is the longer one.
EvalRow longer_row(const DriftRow& characters, double level) {
  const auto n = static_cast<double>(characters.prompts);
  std::vector<double> values(characters.prompts, 0.0);
  std::fill_n(values.begin(), std::lround(characters.rises * n), 1.0);
  return share_row({"style", "longer"}, values, {}, kShareScale, level);
}

std::string note_of(const DriftRow& row) {
  const int digits = row.meter->share ? 4 : 2;
  std::string note = fmt::format("{:.{}f} to {:.{}f}", row.before, digits, row.after, digits);
  if (row.tested) note += fmt::format(", p {:.3g} among all meters", row.adjusted_p);
  return row.difference.note.empty() ? note : note + "; " + row.difference.note;
}

// A warning, where prompts are few but enough to claim something.
void note_few(std::span<const EvalRow> rows, SuiteRun& run) {
  const auto row = std::ranges::find(rows, "characters", &EvalRow::metric);
  if (row == rows.end() || stats::too_few_to_judge(row->n)) return;
  if (auto few = stats::few_prompts(row->n)) run.notes.push_back(std::move(*few));
}

Result<std::vector<EvalRow>> drift_rows(const StyleSample& before, const StyleSample& after,
                                        const stats::BootstrapOptions& sampling) {
  PLUMB_TRY(drift, style_drift(before, after, sampling));
  std::vector<EvalRow> rows;
  for (const DriftRow& one : drift) {
    rows.push_back(one.difference);
    rows.back().note = note_of(one);
    if (one.meter->id == "characters") rows.push_back(longer_row(one, sampling.level));
  }
  return rows;
}

void add_means(std::vector<EvalRow>& rows, const char* eval, const StyleSample& sample,
               double level) {
  for (EvalRow& row : style_rows(sample, level)) {
    row.eval = eval;
    rows.push_back(std::move(row));
  }
}

Result<SuiteRun> pair_style(std::span<const Output> outputs, const std::string& against,
                            const stats::BootstrapOptions& sampling) {
  PLUMB_TRY(references, read_outputs(against));
  const StyleSample before = sample_of(references), after = sample_of(outputs);
  PLUMB_TRY(rows, drift_rows(before, after, sampling));
  SuiteRun run;
  note_few(rows, run);
  run.rows = std::move(rows);
  add_means(run.rows, "style-before", before, sampling.level);
  add_means(run.rows, "style-after", after, sampling.level);
  return run;
}

// sqrt of the mean divergence of a step's samples. Nothing: one of them does not say.
std::optional<double> distance_of(std::span<const Output> outputs) {
  double sum = 0;
  for (const Output& output : outputs) {
    if (!output.kl) return std::nullopt;
    sum += *output.kl;
  }
  return std::sqrt(sum / static_cast<double>(outputs.size()));
}

void add_slopes(SuiteRun& run, std::span<const std::vector<Output>> steps,
                const stats::BootstrapOptions& sampling) {
  std::vector<Checkpoint> checkpoints;
  for (const auto& outputs : steps) {
    const auto d = distance_of(outputs);
    if (!d) {
      run.notes.emplace_back("No slopes against sqrt(KL): not every sample has \"kl\".");
      return;
    }
    checkpoints.push_back({*d, sample_of(outputs)});
  }
  auto slopes = style_slopes(checkpoints, sampling);
  if (!slopes) {
    run.notes.push_back("No slopes against sqrt(KL): " + slopes.error().message + ".");
    return;
  }
  std::ranges::move(*slopes, std::back_inserter(run.rows));
}

Result<SuiteRun> run_style(std::span<const Output> outputs,
                           const stats::BootstrapOptions& sampling) {
  std::map<std::size_t, std::vector<Output>> by_step;
  for (const Output& output : outputs) by_step[*output.step].push_back(output);
  std::vector<std::vector<Output>> steps;
  SuiteRun run;
  for (auto& [step, members] : by_step) {
    steps.push_back(std::move(members));
    if (steps.size() == 1) continue;
    PLUMB_TRY(rows, drift_rows(sample_of(steps.front()), sample_of(steps.back()), sampling));
    for (EvalRow& row : rows) {
      row.model = fmt::format("step {}", step);
      run.rows.push_back(std::move(row));
    }
  }
  note_few(run.rows, run);
  add_slopes(run, steps, sampling);
  return run;
}

}  // namespace

Result<SuiteRun> score_style(const std::string& file, const std::string& against,
                             const stats::BootstrapOptions& sampling) {
  PLUMB_TRY(outputs, read_outputs(file));
  if (!against.empty()) return pair_style(outputs, against, sampling);
  const bool steps =
      std::ranges::all_of(outputs, [](const Output& o) { return o.step.has_value(); });
  const bool several = steps && std::ranges::any_of(outputs, [&](const Output& o) {
                         return o.step != outputs.front().step;
                       });
  if (!several) {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: drift is measured against the starting policy: name its outputs "
                            "with --against, or give the samples of a run with several steps",
                            file));
  }
  return run_style(outputs, sampling);
}

}  // namespace plumb::evals
