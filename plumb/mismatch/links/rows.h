// A row of the table of links: what was measured, how sure that is, and what it says.
//
//   judge(rows, 0.95);
//   for (const LinkRow& row : rows) row.measure, row.estimate, row.ci, row.verdict, row.detectable;
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/ceiling.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/score.h"

namespace plumb::mismatch {

enum class Link : char { kA = 'A', kB = 'B', kC = 'C' };

struct LinkRow {
  Link link = Link::kA;
  std::string run = {};  // "": of no single run
  std::string measure = {};
  std::optional<double> estimate = {};
  std::optional<stats::Interval> ci = {};
  std::string reason = {};  // why there is no estimate, or no interval
  // Of its standard error, and Student's degrees of freedom.
  std::optional<double> deviation = {};
  double freedom = std::numeric_limits<double>::infinity();
  std::optional<double> exact_p = {};  // that the truth is `null`; else from the deviation
  std::size_t n = 0;
  std::string of = {};  // what n counts: "prompts", "checkpoints", "models", "pairs", "items"
  std::string note = {};

  // Where the two sides of the link have nothing to do with each other, and how far from there is
  // too near to matter. Without a resolution the row describes and has no verdict.
  double null = 0;
  std::optional<double> resolution = {};
  bool headline = false;  // the link's verdict follows from these rows

  // Filled in by judge().
  std::optional<Verdict> verdict = {};
  std::optional<double> detectable = {};  // the difference from `null` found with power 0.8
  bool tested = false;                    // p and adjusted_p are of a test
  double p = 1, adjusted_p = 1;           // two-sided, that the truth is `null`; Holm's
};

LinkRow row_of(Link link, std::string measure, const stats::BootstrapResult& result);
LinkRow missing_row(Link link, std::string measure, std::string reason);

// Takes the estimate away, for this reason.
void take_away(LinkRow& row, std::string reason);

// A mean of values in low .. high whose resamples do not vary gets the interval of n values of
// which nothing else is known (stats::bounded_mean_interval; of a share Wilson's): what was never
// seen is not excluded. Other intervals keep to low .. high.
void as_bounded(LinkRow& row, double low, double high, double level);
inline void as_share(LinkRow& row, double level) { as_bounded(row, 0, 1, level); }

inline constexpr std::string_view kNothingVaries =
    "nothing varies, which does not say how sure that is";

// Whether the interval is a point, as where every prompt gives the same: how sure that is it does
// not say.
bool is_point(const LinkRow& row);

// Verdicts of rows of one link and run are one family: aligned and inverted need an interval that
// excludes `null` and an adjusted p-value of 1 - level or less; decoupled an interval within the
// resolution of it. An interval that is a point is taken away, with the reason: such a row is never
// decoupled, and has a direction by the sign test alone, 2^(1 - n) for n prompts of one sign.
void judge(std::span<LinkRow> rows, double level);

// Takes the verdict of a row that was judged away; its note says why.
void withhold(LinkRow& row, const std::string& why);

// Rows of this run that rest on its prompts have insufficient evidence where these are too few to
// judge by (stats/few_prompts.h); their notes say so. After judge().
void withhold_verdicts(std::span<LinkRow> rows, const std::string& run, std::size_t prompts);

// Of a link and run, from its own rows and those of no single run: inverted where a headline row
// is; aligned where all are; decoupled where one is and none has insufficient evidence; else
// insufficient evidence. Rows without an estimate have no say as long as another row has one.
Verdict link_verdict(std::span<const LinkRow> rows, Link link, const std::string& run);

}  // namespace plumb::mismatch
