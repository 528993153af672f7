// The audit: what the headline of a published leaderboard depends on. The same figures are ranked
// again under every aggregate, every rule for "the human", on parts of the tasks and with other
// scores; beside them stand the inconsistencies of the publication that its own figures prove.
//
//   Result<Audit> audit = audit_figures(figures, options);
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/figures.h"
#include "plumb/gap/findings.h"
#include "plumb/stats/standings.h"

namespace plumb::gap {

struct AuditRow {
  std::string
      group;  // "aggregation", "human rule", "language", "training data", "scores", "agreement"
  std::string view;                         // "mean over 26 subsets"
  double human;                             // 0-100
  std::optional<stats::Interval> human_ci;  // nothing: too few units
  double best;                              // of the models
  std::string best_name;
  int human_rank;
  std::optional<std::pair<int, int>> rank_ci;
  std::size_t of;  // ranked rows
  std::size_t subsets;
  std::optional<double> leader;   // the model that leads the headline, under this view
  std::optional<double> trivial;  // best trivial answer under the same view
};

struct Audit {
  std::vector<AuditRow> rows;  // the first is the headline
  std::vector<Finding> findings;
};

// On the models of `models` (see BoardOptions). Views that the figures cannot support (no
// annotators, no declared training data, no agreement) are left out. kNotFound: no people, or no
// model with all subsets.
Result<Audit> audit_figures(const Figures& figures, const std::string& models,
                            const stats::ResampleOptions& resampling, double level);

}  // namespace plumb::gap
