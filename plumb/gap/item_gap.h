// The gap on single answers: people, models and baselines on the items of one task, every row with
// an interval, every difference paired.
//
//   PLUMB_TRY(comparison, compare_raters(task, sheets, {}));
//   for (const RaterRow& row : comparison.rows) print(row.name, row.score, row.ci, row.gap);
//
// "human" is the expected score of one annotator: the mean over the annotators of their scores,
// each on the items that they answered. The consensus of all of them is a second line. Items are
// resampled, and annotators (or runs) too where there are several (Owen 2007, pigeonhole
// bootstrap); all rows share the resampled items, so a difference is paired. Where a rater answered
// other items than people did, their difference is on the items that both answered.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/gap.h"
#include "plumb/stats/standings.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/scoring.h"
#include "plumb/tasks/task.h"

namespace plumb::gap {

enum class RowRole {
  kHuman,      // the expected score of one annotator
  kConsensus,  // of all annotators together
  kAnnotator,  // one of them
  kRater,      // a model, an llm, a reward model, a baseline
};

struct RaterRow {
  std::string name;
  RowRole role = RowRole::kRater;
  tasks::RaterKind kind = tasks::RaterKind::kModel;
  std::size_t sheets = 1;   // annotators, or runs of a protocol that draws at random
  std::size_t items = 0;    // that count, the most of any sheet
  std::size_t refused = 0;  // answers
  stats::Score score = stats::undefined("");
  stats::IntervalScore ci = stats::undefined("");
  std::optional<double> spread;  // standard deviation of the sheets' scores
  stats::Score chance = stats::undefined("");
  stats::Score normalised = stats::undefined("");  // (score - chance) / (1 - chance)
  std::optional<double> gap;  // human less this row, both on the items that both answered
  std::size_t gap_items = 0;  // these
  std::optional<stats::Interval> gap_ci;
  std::optional<double> detectable;  // the least gap that would be found with power 0.8
  std::optional<Verdict> verdict;    // of models, llms and reward models
  std::vector<double> per_item;      // [items], mean over sheets; NaN where none counts; or empty
};

// STS: how the ratings lie to the gold, beside how they order it.
struct Calibration {
  std::string name;
  double bias;   // mean of answer less gold, on the scale
  double slope;  // of the least-squares line of answers on gold
  double mse;
};

struct ItemComparison {
  std::string task, hash;
  tasks::Kind kind = tasks::Kind::kSts;
  std::string metric;
  std::vector<RaterRow> rows;  // human, consensus, annotators, then raters by score
  // Of the intervals of differences: models share the error of picking one of them.
  double gap_level = 0.95;
  std::vector<Calibration> calibrations;
  std::optional<AgreementScore> agreement;
  // How well people do against people: each annotator scored against the others.
  stats::Score human_ceiling = stats::undefined("");
  // STS: the correlation with the mean rating that no rater can pass on average (Spearman-Brown).
  stats::Score noise_ceiling = stats::undefined("");
  std::vector<std::string> warnings;
};

struct ItemGapOptions {
  tasks::MetricOptions metric = {};
  stats::ResampleOptions sampling = {};
  double level = 0.95;
  bool corrected = true;   // differences at 1 - (1 - level) / models
  bool published = false;  // HUME's rules: alphabetical votes, blocks of ties as scikit-learn
};

// Sheets of kind person are the annotators; the others are grouped by rater, a run each. kBadInput:
// see Scorer::make().
Result<ItemComparison> compare_raters(const tasks::Task& task,
                                      std::span<const tasks::AnswerSheet> sheets,
                                      const ItemGapOptions& options);

}  // namespace plumb::gap
