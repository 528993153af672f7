// The bootstrap where what was measured lies in levels: seeds of a training, prompts within, and
// samples of each prompt.
//
// Samples go with their prompt: the differences between prompts' means already hold the samples'
// own errors, and drawing samples too would count these twice (Davison and Hinkley 1997, section
// 3.8). Seeds and prompts are crossed: what seeds differ by holds what each seed's own samples err
// by, while what prompts have in common moves all seeds alike, and is the covariance of two seeds'
// draws of the same prompts. Adding the variance of draws of prompts instead, as drawing both does,
// counts the samples' errors twice (Owen 2007).
//
//   Draws pooled = pool_draws(seeds, options);   // each of paired_bootstrap with the same seed
//   auto deviation = pooled_deviation(seeds, column, true);
//   Interval ci = student_interval(*pooled.points[column], *deviation, 0.95);
#pragma once

#include <cstddef>
#include <span>

#include "plumb/stats/bootstrap.h"

namespace plumb::stats {

// The mean over units of the same columns: resample r is the mean of row r of the units that
// Stream(seed, "seeds", r) draws. Undefined where one of these is; points likewise of all units.
// REQUIRES: one unit at least; equal columns and resamples.
Draws pool_draws(std::span<const Draws> units, const BootstrapOptions& options);

// The level at which percentiles of draws from so many units cover `level`: draws of n units are
// too narrow by sqrt((n - 1) / n), and their deviation is itself an estimate (the expanded
// percentile interval of Hesterberg 2015). The level itself where units < 2.
double expanded_level(double level, std::size_t units);
// With that level.
BootstrapOptions expanded(BootstrapOptions options, std::size_t units);

struct Deviation {
  double value;
  double freedom;  // Student's; may be infinite
};

// Of a column's draws; infinite freedom. Undefined: fewer than two draws are defined.
tl::expected<Deviation, Undefined> deviation_of(const Draws& draws, std::size_t column);

// Of the mean over units of a column: V = s^2 / k + c, with the variance s^2 between the k units
// and the mean covariance c >= 0 of the draws of two of them; of units whose items are not the same
// ones (shared: false) the variance of the mean's draws instead of c, which is on the safe side.
// Freedom by Satterthwaite (1946): (k - 1) (V / (s^2 / k))^2. Undefined: as the points and draws
// are. REQUIRES: two units at least, of equal columns and resamples.
tl::expected<Deviation, Undefined> pooled_deviation(std::span<const Draws> units,
                                                    std::size_t column, bool shared);

// The point with Student's interval of its deviation.
Interval student_interval(double point, const Deviation& deviation, double level);

}  // namespace plumb::stats
