#include "plumb/mismatch/links/links.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/mismatch/links/few_prompts.h"
#include "plumb/mismatch/links/sentence.h"
#include "plumb/rlhf/sample_files.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

LinkAOptions a_options(const LinkOptions& options) {
  return {options.sampling, options.efficiency, options.accuracy, options.tau};
}

LinkCOptions c_options(const LinkOptions& options) {
  return {
      .sampling = options.sampling, .correlation = options.correlation, .margin = options.margin};
}

// What the reward model knows of the start's samples, before anything was optimised.
void add_start_rows(const RunDraws& run, const LinkOptions& options, std::vector<LinkRow>& rows) {
  const std::string missing = run.has_gold ? "" : "no sample has a \"gold\"";
  const auto add = [&](const char* measure, PointColumn column, double null, double resolution) {
    rows.push_back(run.row(Link::kB, measure, run.column(0, column), options.sampling));
    if (!missing.empty()) rows.back().reason = missing;
    if (missing.empty() && run.flat_start) {
      take_away(rows.back(), "samples of a prompt do not differ in the proxy at the start");
    }
    rows.back().null = null;
    rows.back().resolution = resolution;
  };
  add("pairs ordered right at the start", PointColumn::kAccuracy, 0.5, options.accuracy);
  rows.back().headline = true;
  as_share(rows.back(), options.sampling.level);
  add("tau within prompts at the start", PointColumn::kTau, 0, options.tau);
  as_bounded(rows.back(), -1, 1, options.sampling.level);
}

std::vector<LinkRow> rows_of(const RunDraws& run, const std::vector<EvalSeries>& evaluations,
                             const LinkOptions& options) {
  std::vector<LinkRow> rows = link_a(run, a_options(options));
  add_start_rows(run, options, rows);
  for (LinkRow& row : link_c(run, evaluations, c_options(options))) rows.push_back(std::move(row));
  return rows;
}

std::vector<std::string> missing_of(const RunDraws& run) {
  std::vector<std::string> missing;
  if (!run.has_proxy) {
    missing.push_back(fmt::format("No sample has a \"proxy\": what was optimised is not known; {}.",
                                  rlhf::how_to_give("proxy", run.file)));
  }
  if (!run.has_gold) {
    missing.push_back(
        fmt::format("No sample has a \"gold\": whether reward became what was wanted is not known; "
                    "{}.",
                    rlhf::how_to_give("gold", run.file)));
  }
  return missing;
}

Result<void> pool_seeds(LinkReport& report, const std::vector<EvalSeries>& evaluations) {
  std::vector<RunDraws> draws;
  for (const RunLinks& run : report.runs) draws.push_back(run.draws);
  PLUMB_TRY(pooled, pool_runs(draws, "all seeds", report.options.sampling));
  RunLinks all;
  all.rows = rows_of(pooled, evaluations, report.options);
  all.missing = missing_of(pooled);
  all.draws = std::move(pooled);
  report.runs.insert(report.runs.begin(), std::move(all));
  return {};
}

}  // namespace

Result<SampleTable> read_link_table(const fs::path& run, TableOptions options) {
  options.extras = kStyles;
  options.describe = describe_style;
  return read_sample_table(run, options);
}

Result<void> use_implicit_reward(SampleTable& table, double beta) {
  for (std::size_t i = 0; i < table.samples(); ++i) {
    if (std::isnan(table.k1[i])) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: a sample lacks \"log_probability\" or "
                              "\"reference_log_probability\", of which the implicit reward is made",
                              table.file));
    }
    table.proxy[i] = beta * table.k1[i];
  }
  return {};
}

std::optional<double> implicit_beta(const fs::path& run) {
  std::error_code ignored;
  if (!fs::is_directory(run, ignored)) return std::nullopt;
  const auto text = read_file(run / "manifest.json");
  if (!text) return std::nullopt;
  const Json manifest = Json::parse(*text, nullptr, false);
  if (!manifest.is_object() || manifest.value("method", Json()) != "dpo") return std::nullopt;
  const auto beta = manifest.find("dpo_beta");
  if (beta == manifest.end() || !beta->is_number()) return std::nullopt;
  return beta->get<double>();
}

Result<RunLinks> measure_links(const std::string& name, const SampleTable& table,
                               const std::vector<EvalSeries>& evaluations,
                               const LinkOptions& options) {
  RunLinks run;
  PLUMB_TRY(draws, draw_run(name, table, options.start, options.sampling));
  run.draws = std::move(draws);
  run.attribution = attribute_score(table, run.draws.path.prompts, options.sampling);
  run.rows = rows_of(run.draws, evaluations, options);
  for (LinkRow& row : attribution_rows(run.attribution, name)) run.rows.push_back(std::move(row));
  run.curves = gold_curve(run.draws, options.sampling);
  run.missing = missing_of(run.draws);
  return run;
}

Result<LinkReport> report_links(std::vector<RunLinks> runs, std::vector<LinkRow> outside,
                                std::optional<SwapReport> swap,
                                const std::vector<EvalSeries>& evaluations,
                                const LinkOptions& options) {
  LinkReport report;
  report.options = options;
  report.runs = std::move(runs);
  report.swap = std::move(swap);
  const bool pooled = options.seeds && report.runs.size() > 1;
  if (pooled) {
    if (auto done = pool_seeds(report, evaluations); !done) return tl::unexpected(done.error());
  }
  const auto counted = std::span(report.runs).first(pooled ? 1 : report.runs.size());
  for (const RunLinks& run : counted) {
    report.rows.insert(report.rows.end(), run.rows.begin(), run.rows.end());
  }
  for (LinkRow& row : outside) report.rows.push_back(std::move(row));
  std::ranges::stable_sort(report.rows, {}, &LinkRow::link);
  judge(report.rows, options.sampling.level);
  for (const RunLinks& run : counted) {
    withhold_verdicts(report.rows, run.draws.name, run.draws.prompts);
    LinkVerdicts verdicts{run.draws.name, {}};
    for (std::size_t i = 0; i < 3; ++i) {
      verdicts.links[i] = link_verdict(report.rows, static_cast<Link>('A' + i), verdicts.run);
    }
    report.verdicts.push_back(std::move(verdicts));
  }
  report.sentence = links_sentence(report);
  return report;
}

}  // namespace plumb::mismatch
