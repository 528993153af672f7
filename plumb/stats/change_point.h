// Where a series changes its slope: two lines that meet.
//
//   auto broken = fit_broken_line(d, gold);
//   broken->at, broken->before, broken->after;
//   auto test = change_point_test(d, gold, {.resamples = 500});   // is there a change at all?
#pragma once

#include <cstddef>
#include <span>
#include <tl/expected.hpp>

#include "plumb/stats/bootstrap.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

struct BrokenLine {
  double at;             // one of the x
  double before, after;  // the slopes
  double rss;            // of the two lines
  double line_rss;       // of one
  std::size_t points;
  double f() const;  // (line_rss - rss) / (rss / (points - 3)); infinite for a perfect fit
};

// Least squares of y = a + b x + c max(0, x - at) over every x but the two lowest and the two
// highest different ones (Quandt 1958, with lines that meet: Hudson 1966).
// Undefined: fewer than five different x; a value is not finite.
// REQUIRES: x ascending, both spans of one length.
tl::expected<BrokenLine, Undefined> fit_broken_line(std::span<const double> x,
                                                    std::span<const double> y);

struct ChangePoint {
  BrokenLine fit;
  double p_value;  // of the largest F under one line
};

// Errors of a series hang together in time, and with those that do one line alone bends: taken for
// independent ones they are called a change up to four times in ten. So each resample draws an
// autocorrelation as likely as it is given two lines (autoregression.h; averaged over the places
// where they meet, since given one line a change looks like autocorrelation), then errors of it,
// with Stream(seed, "change-point", resample). Error rates: docs/links.md.
// Undefined: as above, or all points are on one line.
tl::expected<ChangePoint, Undefined> change_point_test(std::span<const double> x,
                                                       std::span<const double> y,
                                                       const BootstrapOptions& options);

}  // namespace plumb::stats
