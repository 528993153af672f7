// A quantity at the checkpoints of a run, on the data and on resamples: what link C compares.
//
//   PointSeries gold = series_of_column(run, PointColumn::kGold, "gold");
//   gold.values[i] at run.points[gold.places[i]]; gold.resample(r)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/mismatch/links/inputs/eval_log.h"
#include "plumb/mismatch/links/run_draws.h"

namespace plumb::mismatch {

struct PointSeries {
  std::string name;
  std::vector<std::size_t> places = {};  // in RunDraws::points
  std::vector<double> values = {};
  std::vector<double> draws = {};    // [resamples, places]; empty: nothing is known of the errors
  std::string_view stuck = {};       // why it does not move; "": it does
  const EvalPoint* first = nullptr;  // of evaluations
  const EvalPoint* last = nullptr;

  std::size_t resamples() const { return values.empty() ? 0 : draws.size() / values.size(); }
  std::span<const double> resample(std::size_t r) const {
    return std::span(draws).subspan(r * values.size(), values.size());
  }
};

inline constexpr std::string_view kUnmoved = "a side does not change over the checkpoints";

// The checkpoints at which the column is defined, on all resamples too. Stuck: values differ by no
// more than rounding.
PointSeries series_of_column(const RunDraws& run, PointColumn column, std::string name);

// The checkpoints that the log has. Where all scores have intervals, resample r adds a normal error
// of that size to each with Stream(seed, "evaluation", r).
PointSeries series_of_evaluation(const RunDraws& run, const EvalSeries& evaluation,
                                 const stats::BootstrapOptions& options);

// Last less first: item by item where both know their items, else from both intervals, which is
// wider than item by item would be. Where all items change alike, as where none does, scores in
// 0 .. 1 have the interval of the share of items that may change otherwise, and others have none.
struct EvalChange {
  std::optional<double> difference, deviation;
  std::optional<stats::Interval> ci;
  double freedom = 0;
  std::size_t items = 0;
  std::string reason, note;
};
EvalChange change_of(const PointSeries& series, double level);

}  // namespace plumb::mismatch
