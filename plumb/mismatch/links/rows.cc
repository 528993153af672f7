#include "plumb/mismatch/links/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>
#include <utility>

#include "plumb/stats/equivalence.h"
#include "plumb/stats/few_prompts.h"
#include "plumb/stats/hypothesis.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/normal.h"

namespace plumb::mismatch {
namespace {

constexpr double kRounding = 1e-9;  // of a resolution or an estimate

// REQUIRES: deviation > 0
double two_sided_p(double distance, double deviation, double freedom) {
  const double t = std::abs(distance) / deviation;
  if (std::isinf(freedom)) return 2 * stats::normal_cdf(-t);
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), t));
}

bool is_judged(const LinkRow& row) { return row.resolution.has_value(); }

double rounding_of(const LinkRow& row) {
  return kRounding * std::max(row.resolution.value_or(0), std::abs(row.estimate.value_or(0)));
}

void take_point(LinkRow& row) {
  row.ci.reset();
  row.deviation.reset();
  row.reason = kNothingVaries;
}

// By the sign test; a row at `null` has no direction.
void test_sign(LinkRow& row) {
  if (!is_judged(row) || std::abs(*row.estimate - row.null) <= rounding_of(row)) return;
  row.tested = true;
  row.p = std::exp2(1 - static_cast<double>(row.n));
  row.note += fmt::format("{}direction by the sign test of {} {}", row.note.empty() ? "" : "; ",
                          row.n, row.of);
}

void test(LinkRow& row, double level) {
  row.tested = true;
  row.p = row.exact_p ? *row.exact_p
                      : two_sided_p(*row.estimate - row.null, *row.deviation, row.freedom);
  row.detectable = stats::detectable_difference(*row.deviation, row.freedom, level);
}

Verdict direction_of(const LinkRow& row, double level) {
  if (!row.tested || row.adjusted_p > 1 - level + kRounding) return Verdict::kInsufficient;
  return *row.estimate > row.null ? Verdict::kAligned : Verdict::kInverted;
}

// The interval as a slope about 0.
Verdict verdict_of_row(const LinkRow& row, double level) {
  if (!row.ci) return direction_of(row, level);
  const stats::Interval about{row.ci->low - row.null, row.ci->high - row.null};
  const Verdict verdict = verdict_of(about, *row.resolution);
  const bool differs = verdict == Verdict::kAligned || verdict == Verdict::kInverted;
  if (!differs || row.adjusted_p <= 1 - level + 1e-12) return verdict;
  const bool small = about.low >= -*row.resolution && about.high <= *row.resolution;
  return small ? Verdict::kDecoupled : Verdict::kInsufficient;
}

// An interval over checkpoints says nothing of other prompts, whose mean gold each of them is.
bool rests_on_prompts(const LinkRow& row) {
  return row.of == "prompts" || row.measure == "gold with the reward";
}

void judge_family(std::span<LinkRow* const> family, double level) {
  std::vector<LinkRow*> tested;
  std::vector<double> p;
  for (LinkRow* row : family) {
    if (row->estimate && row->ci && row->deviation) test(*row, level);
    if (!row->tested) continue;
    tested.push_back(row);
    p.push_back(row->p);
  }
  const std::vector<double> adjusted = stats::holm(p);
  for (std::size_t i = 0; i < tested.size(); ++i) tested[i]->adjusted_p = adjusted[i];
  for (LinkRow* row : family) row->verdict = verdict_of_row(*row, level);
}

}  // namespace

LinkRow row_of(Link link, std::string measure, const stats::BootstrapResult& result) {
  LinkRow row{.link = link, .measure = std::move(measure)};
  if (!result.point) {
    row.reason = result.point.error().reason;
    return row;
  }
  row.estimate = *result.point;
  if (result.interval) {
    row.ci = *result.interval;
  } else {
    row.reason = result.interval.error().reason;
  }
  return row;
}

LinkRow missing_row(Link link, std::string measure, std::string reason) {
  return {.link = link, .measure = std::move(measure), .reason = std::move(reason)};
}

void take_away(LinkRow& row, std::string reason) {
  row.estimate.reset();
  row.ci.reset();
  row.deviation.reset();
  row.reason = std::move(reason);
}

void as_bounded(LinkRow& row, double low, double high, double level) {
  if (!row.estimate || !row.ci) return;
  row.ci = stats::Interval{std::max(row.ci->low, low), std::min(row.ci->high, high)};
  if (row.ci->high - row.ci->low > kRounding * (high - low) || row.n == 0) return;
  const double mean = std::clamp(*row.estimate, low, high);
  row.ci = stats::bounded_mean_interval(mean, row.n, low, high, level);
  row.deviation = stats::normal_error(*row.ci, level);
}

bool is_point(const LinkRow& row) {
  return row.ci && row.deviation && *row.deviation <= rounding_of(row);
}

void judge(std::span<LinkRow> rows, double level) {
  std::map<std::pair<Link, std::string>, std::vector<LinkRow*>> families;
  for (LinkRow& row : rows) {
    if (is_point(row)) {
      take_point(row);
      test_sign(row);
    }
    if (is_judged(row)) {
      families[{row.link, row.run}].push_back(&row);
    } else if (row.deviation) {
      row.detectable = stats::detectable_difference(*row.deviation, row.freedom, level);
    }
  }
  for (const auto& [key, family] : families) judge_family(family, level);
}

void withhold(LinkRow& row, const std::string& why) {
  if (!row.verdict || (!row.ci && !row.tested)) return;
  row.verdict = Verdict::kInsufficient;
  row.note += (row.note.empty() ? "" : "; ") + why;
}

void withhold_verdicts(std::span<LinkRow> rows, const std::string& run, std::size_t prompts) {
  for (LinkRow& row : rows) {
    if (row.run != run || !rests_on_prompts(row)) continue;
    const std::size_t behind = row.of == "prompts" ? std::min(row.n, prompts) : prompts;
    if (stats::too_few_to_judge(behind)) withhold(row, stats::no_verdict_from(behind));
  }
}

Verdict link_verdict(std::span<const LinkRow> rows, Link link, const std::string& run) {
  std::size_t counts[4] = {}, all = 0;
  for (const LinkRow& row : rows) {
    const bool own = row.run == run || row.run.empty();
    const bool counted = row.link == link && own && row.headline && row.estimate;
    if (!counted || !row.verdict) continue;
    ++counts[static_cast<std::size_t>(*row.verdict)];
    ++all;
  }
  const auto of = [&](Verdict verdict) { return counts[static_cast<std::size_t>(verdict)]; };
  if (of(Verdict::kInverted) > 0) return Verdict::kInverted;
  if (all == 0 || of(Verdict::kInsufficient) > 0) return Verdict::kInsufficient;
  return of(Verdict::kAligned) == all ? Verdict::kAligned : Verdict::kDecoupled;
}

}  // namespace plumb::mismatch
