// The bootstrap where what was measured lies in levels: seeds of a training, prompts within, and
// samples of each prompt.
//
// Samples go with their prompt: the differences between prompts' means already hold the samples'
// own errors, and drawing samples too would count these twice (Davison and Hinkley 1997, section
// 3.8). Prompts are drawn with replacement, the same ones in every seed where seeds share them;
// then seeds are. Few seeds make the draws too narrow by (k - 1) / k, which the interval puts back,
// with Student's distribution of k - 1 degrees of freedom.
//
//   Draws pooled = pool_draws(seeds, options);   // each of paired_bootstrap with the same seed
//   BootstrapResult result = summarize_pooled(pooled, column, seeds.size(), options);
#pragma once

#include <cstddef>
#include <span>

#include "plumb/stats/bootstrap.h"

namespace plumb::stats {

// The mean over units of the same columns: resample r is the mean of row r of the units that
// Stream(seed, "seeds", r) draws. Undefined where one of these is; points likewise of all units.
// REQUIRES: one unit at least; equal columns and resamples.
Draws pool_draws(std::span<const Draws> units, const BootstrapOptions& options);

// Of one unit: summarize(). Of more: Student's interval about the point as above.
BootstrapResult summarize_pooled(const Draws& pooled, std::size_t column, std::size_t units,
                                 const BootstrapOptions& options);

// The level at which percentiles of draws from so many units cover `level`: draws of n units are
// too narrow by sqrt((n - 1) / n), and their deviation is itself an estimate (the expanded
// percentile interval of Hesterberg 2015). The level itself where units < 2.
double expanded_level(double level, std::size_t units);

// The deviation of a column's draws, with the (k - 1) / k of few units put back; and its degrees of
// freedom, infinite for one unit. Undefined: fewer than two draws are defined.
struct Deviation {
  double value;
  double freedom;
};
tl::expected<Deviation, Undefined> deviation_of(const Draws& pooled, std::size_t column,
                                                std::size_t units);

}  // namespace plumb::stats
