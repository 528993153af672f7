#include "plumb/mismatch/remedies/compare.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plumb/stats/equivalence.h"
#include "plumb/stats/hypothesis.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/sums.h"

namespace plumb::mismatch {
namespace {

double detectable_of(std::span<const double> values, double level) {
  const double middle = stats::mean(values), n = static_cast<double>(values.size());
  if (n < 2) return 0;
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return stats::detectable_difference(std::sqrt(squares / (n - 1) / n), n - 1, level);
}

double budget_of(std::span<const RemedyPath> paths) {
  const auto plain = std::ranges::find(paths, "none", &RemedyPath::name);
  if (plain != paths.end() && !plain->points.empty()) return plain->points.back().tokens;
  double least = 0;
  for (const RemedyPath& path : paths) {
    if (path.points.empty()) continue;
    const double end = path.points.back().tokens;
    least = least == 0 ? end : std::min(least, end);
  }
  return least;
}

const PathPoint& point_at(const RemedyPath& path, double budget) {
  const PathPoint* found = &path.points.front();
  for (const PathPoint& point : path.points) {
    if (point.tokens <= budget * (1 + 1e-12)) found = &point;
  }
  return *found;
}

void compare(RemedyRow& row, const PathPoint& own, const PathPoint& other,
             const RemedyCompareOptions& options) {
  std::vector<double> differences;
  for (std::size_t p = 0; p < own.gold.size(); ++p) {
    differences.push_back(own.gold[p] - other.gold[p]);
  }
  row.difference = stats::mean(differences);
  row.difference_ci = stats::student_interval(differences, options.level);
  const auto test = stats::paired_permutation_test(
      own.gold, other.gold,
      {.resamples = 9999, .seed = options.sampling.seed, .threads = options.sampling.threads});
  row.p = test ? test->p_value : 1;
  row.detectable = detectable_of(differences, options.level);
}

std::string words_of(const RemedyRow& row, double level) {
  if (!row.difference) return "baseline";
  const bool apart =
      row.difference_ci && (row.difference_ci->low > 0 || row.difference_ci->high < 0);
  if (!apart || row.adjusted_p > 1 - level) return "not separable";
  return *row.difference > 0 ? "more gold" : "less gold";
}

void judge_rows(std::vector<RemedyRow>& rows, double level) {
  std::vector<double> p;
  for (const RemedyRow& row : rows) {
    if (row.difference) p.push_back(row.p);
  }
  const std::vector<double> adjusted = stats::holm(p);
  std::size_t next = 0;
  for (RemedyRow& row : rows) {
    if (row.difference) row.adjusted_p = adjusted[next++];
    if (row.missing.empty()) row.words = words_of(row, level);
  }
}

void group_rows(std::vector<RemedyRow>& rows, std::span<const PathPoint* const> points,
                const RemedyCompareOptions& options) {
  std::vector<double> scores;
  std::vector<RemedyRow*> measured;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (points[i] == nullptr) continue;
    measured.push_back(&rows[i]);
    scores.insert(scores.end(), points[i]->gold.begin(), points[i]->gold.end());
  }
  if (measured.empty()) return;
  const std::size_t prompts = scores.size() / measured.size();
  const auto draws =
      stats::resample_scores(measured.size(), prompts, {},
                             stats::mean_statistic(scores, measured.size()), options.sampling);
  const auto standings = stats::standings(draws, options.level);
  for (std::size_t i = 0; i < measured.size(); ++i) measured[i]->group = standings[i].tie_group;
}

}  // namespace

RemedyComparison compare_remedies(std::span<const RemedyPath> paths,
                                  const RemedyCompareOptions& options) {
  RemedyComparison found;
  found.budget = budget_of(paths);
  std::vector<const PathPoint*> points;
  for (const RemedyPath& path : paths) {
    RemedyRow& row = found.rows.emplace_back();
    row.name = path.name;
    row.baseline = path.baseline;
    row.note = path.note;
    row.missing = path.missing;
    row.scored = path.scored;
    points.push_back(path.points.empty() ? nullptr : &point_at(path, found.budget));
    if (points.back() == nullptr) continue;
    const PathPoint& point = *points.back();
    found.prompts = point.gold.size();
    row.step = point.step;
    row.tokens = point.tokens;
    row.kl = point.kl;
    row.gold = stats::mean(point.gold);
    row.gold_ci = stats::student_interval(point.gold, options.level);
    std::vector<double> gains(point.gold);
    for (std::size_t i = 0; i < gains.size(); ++i) gains[i] -= path.points.front().gold[i];
    row.gain = stats::mean(gains);
    row.gain_ci = stats::student_interval(gains, options.level);
    row.end_gold = stats::mean(path.points.back().gold);
    row.end_tokens = path.points.back().tokens;
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto base = std::ranges::find(paths, paths[i].baseline, &RemedyPath::name);
    if (points[i] == nullptr || paths[i].baseline.empty() || base == paths.end()) continue;
    const PathPoint* other = points[static_cast<std::size_t>(base - paths.begin())];
    if (other != nullptr) compare(found.rows[i], *points[i], *other, options);
  }
  judge_rows(found.rows, options.level);
  group_rows(found.rows, points, options);
  return found;
}

}  // namespace plumb::mismatch
