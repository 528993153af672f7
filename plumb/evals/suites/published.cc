#include "plumb/evals/suites/published.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "plumb/base/utf8.h"
#include "plumb/evals/imports/entries.h"
#include "plumb/evals/imports/lm_eval.h"
#include "plumb/evals/imports/published.h"
#include "plumb/evals/scoring/intervals.h"
#include "plumb/evals/scoring/ratings.h"
#include "plumb/evals/suites/style_files.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/numbered.h"

namespace plumb::evals {
namespace {

constexpr PublishedKind kKinds[] = {
    {"style", "drift of style against the starting policy", "a difference and slope a meter",
     "outputs and --against; or a run's samples.jsonl"},
    {"winrate", "outputs against others by a judge", "win_rate, tie, flip, first",
     "outputs and --against, --judge"},
    {"alpaca-eval", "AlpacaEval's judgements, or its leaderboard",
     "win_rate, length_controlled_win_rate, rating; pearson, spearman; human_agreement",
     "annotations.json, a leaderboard CSV, or the table of judges"},
    {"rewardbench", "RewardBench: rewards of chosen and rejected answers",
     "subsets, sections, total", "per-sample scores (JSON, JSON lines)"},
    {"lm-eval", "results of lm-evaluation-harness", "as they stand there",
     "results.json, samples_*.jsonl"}};

// The instruction of each, numbered from 0.
std::vector<std::uint32_t> instructions_of(std::span<const Annotation> annotations) {
  std::vector<std::string_view> instructions;
  for (const Annotation& one : annotations) instructions.emplace_back(one.instruction);
  return stats::numbered(instructions);
}

std::vector<EvalRow> annotation_rows(std::span<const Annotation> annotations,
                                     const stats::BootstrapOptions& sampling) {
  std::vector<Judgement> judgements;
  std::vector<LengthComparison> comparisons;
  const std::vector<std::uint32_t> items = instructions_of(annotations);
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    judgements.push_back(annotations[i].judgement);
    judgements.back().item = items[i];
    comparisons.push_back(annotations[i].comparison);
  }
  std::vector<EvalRow> rows = win_rate_rows("alpaca-eval", judgements, {.level = sampling.level});
  std::ranges::move(length_controlled_rows("alpaca-eval", comparisons, items, sampling),
                    std::back_inserter(rows));
  for (EvalRow& row : rows) row.model = annotations.front().model;
  return rows;
}

// What a judge of length alone would have said of the same pairs.
std::vector<EvalRow> length_rows(std::span<const Annotation> annotations, double level) {
  std::vector<EvalRow> rows;
  const std::vector<std::uint32_t> items = instructions_of(annotations);
  for (const bool longest : {true, false}) {
    std::vector<double> values;
    for (const Annotation& one : annotations) {
      const double more = one.comparison.length - one.comparison.reference;
      values.push_back(more == 0 ? 0.5 : (more > 0) == longest ? 1 : 0);
    }
    rows.push_back(share_row({"alpaca-eval", "win_rate"}, values, items, kWinRateScale, level));
    rows.back().n = std::ranges::max(items) + 1U;
    rows.back().model = annotations.front().model;
    rows.back().note = longest ? "baseline: longest" : "baseline: shortest";
  }
  return rows;
}

Result<SuiteRun> score_annotations(const std::string& file, const PublishedOptions& options) {
  PLUMB_TRY(read, read_annotations(file));
  if (read.all.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: none of {} records has a \"preference\": these are no annotations "
                            "of AlpacaEval (instruction, output_1, output_2, preference)",
                            file, read.without_preference));
  }
  std::map<std::string, std::vector<Annotation>> models;
  std::vector<Battle> battles;
  std::map<std::string, std::uint32_t> prompts;
  for (Annotation& one : read.all) {
    const auto item =
        prompts.emplace(one.instruction, static_cast<std::uint32_t>(prompts.size())).first->second;
    battles.push_back({one.model, one.reference, one.judgement.preference, item});
    models[one.model].push_back(std::move(one));
  }
  SuiteRun run;
  for (const auto& [model, annotations] : models) {
    std::ranges::move(annotation_rows(annotations, options.sampling), std::back_inserter(run.rows));
    std::ranges::move(length_rows(annotations, options.sampling.level),
                      std::back_inserter(run.rows));
  }
  if (read.without_preference > 0) {
    run.notes.push_back(fmt::format("{} annotations have no preference and are left out.",
                                    read.without_preference));
  }
  if (models.size() < 2) return run;
  auto rated = rate_models(battles, {}, options.sampling);
  if (!rated) {
    run.notes.push_back("No ratings: " + rated.error().message + ".");
    return run;
  }
  std::ranges::move(*rated, std::back_inserter(run.rows));
  return run;
}

using Correlation = stats::Score (*)(std::span<const double>, std::span<const double>);

// As often as counts say.
std::vector<double> repeated(std::span<const double> values, stats::Counts counts) {
  std::vector<double> drawn;
  for (std::size_t i = 0; i < values.size(); ++i) drawn.insert(drawn.end(), counts[i], values[i]);
  return drawn;
}

EvalRow correlation_row(const char* metric, std::span<const double> x, std::span<const double> y,
                        bool ranks, double level) {
  const auto r = ranks ? stats::spearman(x, y) : stats::pearson(x, y);
  std::optional<stats::Interval> ci;
  if (r) {
    const auto found = ranks ? stats::spearman_interval(*r, x.size(), level)
                             : stats::fisher_z(*r, x.size(), level);
    if (found) ci = *found;
  }
  return make_row("alpaca-leaderboard", metric, x.size(), r, ci, kOpenScale);
}

// How much less a correlation is once length is controlled, on the same models.
EvalRow fall_row(const char* metric, Correlation correlation, std::span<const double> length,
                 std::span<const double> raw, std::span<const double> controlled,
                 const stats::BootstrapOptions& sampling) {
  const auto of = [&](std::span<const double> y) {
    return [=](stats::Counts counts) {
      return correlation(repeated(length, counts), repeated(y, counts));
    };
  };
  const auto result = stats::bootstrap_difference(stats::Resampling::of_items(length.size()),
                                                  of(raw), of(controlled), sampling);
  return make_row("alpaca-leaderboard", metric, length.size(), result.point,
                  result.interval ? std::optional(*result.interval) : std::nullopt, kOpenScale);
}

Result<SuiteRun> score_leaderboard(const std::string& file, const PublishedOptions& options) {
  PLUMB_TRY(entries, read_alpaca_leaderboard(file));
  std::vector<double> length, raw, both_length, both_raw, controlled;
  for (const LeaderboardEntry& entry : entries) {
    length.push_back(entry.length);
    raw.push_back(entry.win_rate);
    if (!entry.length_controlled) continue;
    both_length.push_back(entry.length);
    both_raw.push_back(entry.win_rate);
    controlled.push_back(*entry.length_controlled);
  }
  const double level = options.sampling.level;
  SuiteRun run;
  run.rows = {correlation_row("pearson_length_win_rate", length, raw, false, level),
              correlation_row("spearman_length_win_rate", length, raw, true, level)};
  if (controlled.size() < 2) return run;
  run.rows.push_back(
      correlation_row("pearson_length_controlled", both_length, controlled, false, level));
  run.rows.push_back(
      correlation_row("spearman_length_controlled", both_length, controlled, true, level));
  run.rows.push_back(fall_row("pearson_fall", stats::pearson, both_length, both_raw, controlled,
                              options.sampling));
  const Correlation ranks = stats::spearman;
  run.rows.push_back(
      fall_row("spearman_fall", ranks, both_length, both_raw, controlled, options.sampling));
  return run;
}

// People judged 648 instructions, some judges four times over: annotations of one instruction are
// not independent, so each counts once.
constexpr std::size_t kJudgedInstructions = 648;

EvalRow judge_row(const JudgeEntry& entry, bool percentages, double level) {
  const std::size_t n = std::min(entry.annotations, kJudgedInstructions);
  if (percentages && entry.agreement < 1) {
    const std::string reason = fmt::format(
        "{:.3g} in a column of percentages: which was meant is not known", entry.agreement);
    EvalRow row = make_row("alpaca-judges", "human_agreement", n,
                           stats::undefined("its note says why"), {}, kWinRateScale);
    row.note = reason;
    return row;
  }
  const double share = entry.agreement / 100, all = static_cast<double>(n);
  return make_row("alpaca-judges", "human_agreement", n, share,
                  stats::wilson(share * all, all, level), choice_scale(0.5));
}

Result<SuiteRun> score_judges(const std::string& file, const PublishedOptions& options) {
  PLUMB_TRY(entries, read_alpaca_judges(file));
  const bool percentages =
      std::ranges::any_of(entries, [](const JudgeEntry& e) { return e.agreement > 1; });
  SuiteRun run;
  for (const JudgeEntry& entry : entries) {
    std::vector<EvalRow> rows = {judge_row(entry, percentages, options.sampling.level)};
    for (const auto& [metric, value] :
         {std::pair("prefers_longer", entry.longer), std::pair("prefers_lists", entry.lists),
          std::pair("prefers_first", entry.first)}) {
      if (!value) continue;
      rows.push_back(make_row("alpaca-judges", metric, 0, *value, {}, kWinRateScale));
      rows.back().note = "the table does not say of how many pairs";
    }
    for (EvalRow& row : rows) {
      row.model = entry.judge;
      if (entry.judge == "longest") row.note = "baseline: longest";
      run.rows.push_back(std::move(row));
    }
  }
  run.notes.push_back(fmt::format(
      "Intervals are of {} instructions at most: annotations of one are not independent.",
      kJudgedInstructions));
  return run;
}

bool is_table(const std::string& file) {
  return file.ends_with(".csv") || file.ends_with(".tsv") || file.ends_with(".csv.gz");
}

// Which subsets of the sections without the prior sets are not there, in a sentence; "" for none.
std::string missing_subsets(const std::map<std::string, double>& there) {
  std::vector<std::string_view> missing;
  std::size_t all = 0;
  for (const RewardSubset& subset : reward_subsets()) {
    if (subset.section == "Prior Sets") continue;
    ++all;
    if (!there.contains(std::string(subset.name))) missing.push_back(subset.name);
  }
  if (missing.empty()) return "";
  return fmt::format(
      "{} of {} subsets are missing, and sections and total are of what is there: {}.",
      missing.size(), all, fmt::join(missing, ", "));
}

Result<SuiteRun> score_rewards(const std::string& file, const PublishedOptions& options) {
  PLUMB_TRY(pairs, read_reward_bench(file));
  auto rows = reward_bench_rows(pairs, options.sampling.level);
  if (!rows) {
    return fail(rows.error().kind, fmt::format("{}: {}", file, rows.error().message));
  }
  std::map<std::string, double> subsets;
  for (const RewardPair& pair : pairs) subsets[pair.subset] += 1;
  SuiteRun run;
  run.rows = std::move(*rows);
  const double level = options.sampling.level;
  std::ranges::move(reward_bench_baselines(subsets, level), std::back_inserter(run.rows));
  auto by_length = reward_bench_length_rows(pairs, level);
  if (by_length.empty()) {
    run.notes.emplace_back(
        "What a reward of length alone gets is not known: not every pair has its texts "
        "(\"text_chosen\", \"text_rejected\").");
  }
  std::ranges::move(by_length, std::back_inserter(run.rows));
  if (const std::string missing = missing_subsets(subsets); !missing.empty()) {
    run.notes.push_back(missing);
  }
  return run;
}

Result<SuiteRun> score_harness(const std::string& file, const PublishedOptions& options) {
  SuiteRun run;
  if (file.ends_with(".jsonl") || file.ends_with(".jsonl.gz")) {
    PLUMB_TRY(read, read_harness_samples(file, options.sampling.level));
    run.rows = std::move(read.rows);
    run.notes = std::move(read.notes);
    return run;
  }
  PLUMB_TRY(rows, read_harness_results(file, options.sampling.level));
  run.rows = std::move(rows);
  return run;
}

Result<std::vector<TextPair>> pairs_of(const std::string& file, const std::string& against) {
  PLUMB_TRY(outputs, read_outputs(file));
  PLUMB_TRY(references, read_outputs(against));
  std::vector<std::string> prompts;
  for (const Output& reference : references) prompts.push_back(reference.prompt);
  PLUMB_TRY(matched, match_outputs(prompts, outputs, {.suite = against, .partial = false}));
  std::vector<TextPair> pairs;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    pairs.push_back({prompts[i], matched[i]->text, references[i].text});
  }
  return pairs;
}

Result<SuiteRun> score_pairs(const std::string& file, const PublishedOptions& options) {
  if (options.against.empty() || options.judge == nullptr) {
    return fail(ErrorKind::kUsage, "winrate needs --against and --judge");
  }
  PLUMB_TRY(pairs, pairs_of(file, options.against));
  PLUMB_TRY(judgements, options.judge->compare(pairs, options.progress));
  SuiteRun run;
  const WinRateOptions win{.level = options.sampling.level};
  run.rows = win_rate_rows("winrate", judgements, win);
  std::vector<LengthComparison> comparisons;
  const std::vector<double> values = values_by_item(judgements);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    comparisons.push_back({values[i],
                           static_cast<double>(count_characters(pairs[i].output)),
                           static_cast<double>(count_characters(pairs[i].reference)),
                           {}});
  }
  std::ranges::move(length_controlled_rows("winrate", comparisons, {}, options.sampling),
                    std::back_inserter(run.rows));
  for (const auto& [name, changed] : trivial_opponents(pairs)) {
    PLUMB_TRY(judged, options.judge->compare(changed, options.progress));
    EvalRow row = win_rate_rows("winrate", judged, win).front();
    row.note = "baseline: " + name;
    run.rows.push_back(std::move(row));
  }
  run.notes.push_back(fmt::format("Judge: {}.", options.judge->name()));
  return run;
}

}  // namespace

std::span<const PublishedKind> published_kinds() { return kKinds; }

bool is_published_kind(std::string_view id) {
  return std::ranges::find(kKinds, id, &PublishedKind::id) != std::end(kKinds);
}

Result<SuiteRun> score_published(std::string_view id, const std::string& file,
                                 const PublishedOptions& options) {
  if (id == "style") return score_style(file, options.against, options.sampling);
  if (id == "winrate") return score_pairs(file, options);
  if (id == "rewardbench") return score_rewards(file, options);
  if (id == "lm-eval") return score_harness(file, options);
  if (!is_table(file)) return score_annotations(file, options);
  return holds_alpaca_judges(file) ? score_judges(file, options) : score_leaderboard(file, options);
}

}  // namespace plumb::evals
