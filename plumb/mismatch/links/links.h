// The three links of a chain of RLHF, each with measures, intervals and a verdict: reward model and
// policy (A), reward model and evaluation (B), policy and evaluation (C); and at which stage gold
// is lost. Lambert and Calandra 2023, figure 1 and section 4.
//
//   PLUMB_TRY(table, read_link_table("run", {}));
//   PLUMB_TRY(run, measure_links("run", table, evaluations, {}));
//   LinkReport report = report_links({run}, outside_rows, swap, {});
//   report.sentence;
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plumb/mismatch/links/attribution.h"
#include "plumb/mismatch/links/inputs/outside.h"
#include "plumb/mismatch/links/link_a.h"
#include "plumb/mismatch/links/link_c.h"
#include "plumb/mismatch/links/swap.h"

namespace plumb::mismatch {

struct LinkOptions {
  std::size_t start = 0;
  stats::BootstrapOptions sampling = {.resamples = 1000};
  double efficiency = 0.1, accuracy = 0.05, tau = 0.1;  // resolutions, as LinkAOptions has them
  double correlation = 0.3, margin = 0.02;              // as LinkCOptions has them
  bool seeds = false;  // the runs are seeds of one training: pool them
};

// The samples with the numbers of their style beside them.
Result<SampleTable> read_link_table(const std::filesystem::path& run, TableOptions options);

// The score that a policy of DPO gives itself, beta (log-probability less the reference's), in
// place of the proxy. kBadInput: a sample lacks a log-probability.
Result<void> use_implicit_reward(SampleTable& table, double beta);

// The beta of a run folder of DPO; nothing for every other run and file.
std::optional<double> implicit_beta(const std::filesystem::path& run);

struct RunLinks {
  RunDraws draws;
  Attribution attribution;
  std::vector<LinkRow> rows;  // of A, B and C
  std::vector<CurveReport> curves;
  std::vector<std::string> missing;  // what was not measured, and why: sentences
};

// kBadInput, with the reason: neither a run nor best of n can be measured.
Result<RunLinks> measure_links(const std::string& name, const SampleTable& table,
                               const std::vector<EvalSeries>& evaluations,
                               const LinkOptions& options);

struct LinkVerdicts {
  std::string run;
  std::array<Verdict, 3> links;  // A, B, C
};

struct LinkReport {
  LinkOptions options;
  std::vector<RunLinks> runs;  // with options.seeds and two or more, the pooled one first
  std::vector<LinkRow> rows;   // judged: of the runs (of the pooled one alone), then of B outside
  std::vector<LinkVerdicts> verdicts;
  std::optional<SwapReport> swap;
  std::string sentence;
};

// outside: rows of populations, pairs and labels. kBadInput: seeds whose checkpoints differ.
Result<LinkReport> report_links(std::vector<RunLinks> runs, std::vector<LinkRow> outside,
                                std::optional<SwapReport> swap,
                                const std::vector<EvalSeries>& evaluations,
                                const LinkOptions& options);

}  // namespace plumb::mismatch
