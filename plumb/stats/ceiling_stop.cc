#include "plumb/stats/ceiling_stop.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>

namespace plumb::stats {
namespace {

// The first `seen` checkpoints, as rows.
struct Seen {
  std::vector<double> d, reward;
  std::vector<std::uint32_t> cluster;
  CurveData data() const { return {d, reward, cluster}; }
};

Seen rows_of(const RunCurves& run, std::size_t seen) {
  Seen rows;
  for (std::size_t c = 0; c < seen; ++c) {
    for (std::size_t p = 0; p < run.prompts; ++p) {
      rows.d.push_back(run.d[c]);
      rows.reward.push_back(run.gold[c * run.prompts + p]);
      rows.cluster.push_back(static_cast<std::uint32_t>(p));
    }
  }
  return rows;
}

// Both forms have two coefficients, so inside the range that was seen the smaller residuals decide.
CurveForm form_of(const Seen& seen, const StopOptions& options) {
  if (options.form) return *options.form;
  const auto bon = fit_curve(CurveForm::kBestOfN, seen.data());
  const auto rl = fit_curve(CurveForm::kRl, seen.data());
  return bon && rl && bon->rss < rl->rss ? CurveForm::kBestOfN : CurveForm::kRl;
}

// The one-sided p-value of "the slope at the end is not below 0": slopes of the prompts' own
// curves, whose mean is the slope of the fit to all.
double falling_p(const RunCurves& run, std::size_t seen, CurveForm form) {
  const auto d = run.d.first(seen);
  std::vector<double> own(seen), slopes;
  for (std::size_t p = 0; p < run.prompts; ++p) {
    for (std::size_t c = 0; c < seen; ++c) own[c] = run.gold[c * run.prompts + p];
    const auto fit = fit_curve(form, {d, own});
    if (!fit) return 1;
    slopes.push_back(curve_slope(form, fit->curve, d.back()));
  }
  const auto n = static_cast<double>(slopes.size());
  double mean = 0, squares = 0;
  for (const double slope : slopes) mean += slope / n;
  for (const double slope : slopes) squares += (slope - mean) * (slope - mean);
  const double error = std::sqrt(squares / (n - 1) / n);
  if (error == 0) return mean < 0 ? 0 : 1;
  return boost::math::cdf(boost::math::students_t(n - 1), mean / error);
}

std::size_t highest_fitted(const RunCurves& run, std::size_t seen, const StopOptions& options) {
  const Seen rows = rows_of(run, seen);
  const CurveForm form = form_of(rows, options);
  const auto fit = fit_curve(form, rows.data());
  if (!fit) return seen - 1;
  const auto value = [&](std::size_t c) { return curve_value(form, fit->curve, run.d[c]); };
  std::size_t best = 0;
  for (std::size_t c = 1; c < seen; ++c) {
    if (value(c) > value(best)) best = c;
  }
  return best;
}

}  // namespace

StopDecision ceiling_stop(const RunCurves& run, const StopOptions& options) {
  assert(!run.d.empty() && run.prompts >= 2 && run.gold.size() == run.d.size() * run.prompts);
  assert(options.first_look >= 3 && options.looks > 0);
  StopDecision decision;
  std::size_t rejections = 0;
  for (std::size_t seen = options.first_look;
       seen <= run.d.size() && decision.p_values.size() < options.looks; ++seen) {
    const CurveForm form = form_of(rows_of(run, seen), options);
    decision.p_values.push_back(falling_p(run, seen, form));
    const bool rejected =
        decision.p_values.back() <= options.alpha / static_cast<double>(options.looks);
    rejections = rejected ? rejections + 1 : 0;
    if (rejections < options.in_a_row) continue;
    decision.stopped_at = seen - 1;
    break;
  }
  const std::size_t seen = decision.stopped_at ? *decision.stopped_at + 1 : run.d.size();
  decision.chosen = highest_fitted(run, seen, options);
  return decision;
}

}  // namespace plumb::stats
