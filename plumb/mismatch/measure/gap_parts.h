// How far proxy and gold have parted at each point of a trajectory, and by what.
//
// Both gains are counted in deviations of the start, the pooled deviation within its prompts, since
// a reward has no unit of its own: zp = proxy gain / sp, zg = gold gain / sg, zt of length
// likewise. The gap is zp - zg. At the start gold is regressed on proxy within prompts, alone
// (slope r, the correlation, in these units) and beside length (slopes cp and ct). Then
//
//   gap          =  zp - zg
//   regressional =  (1 - r) zp                      the proxy's gain that its noise predicts lost
//   length       =  r zp - (cp zp + ct zt)          lost, or won, since length grew unlike at the
//                                                   start
//   rest         =  (cp zp + ct zt) - zg            what no line through the start predicts:
//                                                   extremal, causal and adversarial parts
//
// (The first, third and fourth causes of Goodhart's law are Manheim and Garrabrant's 2018; the
// regression is that of Gao et al. 2023, section 4.1.) The three add up to the gap, in every
// resample too. Without lengths the rest holds that of length. Intervals are percentiles over
// resampled prompts, start and points at once, at the expanded level of so many prompts
// (stats/hierarchical.h).
//
//   GapReport report = measure_gap(trajectory, {.resamples = 1000});
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/measure/trajectory.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::mismatch {

struct Estimate {
  stats::Score value = stats::undefined("");
  stats::IntervalScore ci = stats::undefined("");
};

struct GapPoint {
  Estimate proxy, gold;  // mean gains, in their own units
  Estimate gap;          // in deviations of the start, as what follows
  Estimate regressional, length, rest;
  Estimate accuracy;  // of the proxy within prompts at this point, see Cell
  Estimate falls;     // the share of prompts whose gold is below their start
  // Prompts that have a proxy, a gold, both; of the last are the gap and its parts.
  std::size_t with_proxy = 0, with_gold = 0, with_both = 0;
};

struct GapReport {
  std::vector<GapPoint> points;  // as the trajectory has them
  // At the start, within prompts.
  Estimate correlation;      // of proxy and gold
  Estimate proxy_per_token;  // at equal gold: the slope of length in proxy on gold and length
  Estimate gold_per_token;   // at equal proxy
  double proxy_deviation = 0, gold_deviation = 0;  // 0: not known
  bool within_prompts = true;  // false: one sample a prompt; the deviations are those over all
};

// The pooled deviations within prompts of the start in a resample of its prompts; over all samples
// where no prompt has two.
struct StartDeviations {
  stats::Score proxy, gold;
};
StartDeviations start_deviations(const Start& start, stats::Counts prompts);

// The draws are those of stats::paired_bootstrap. What is not measured is undefined with its
// reason. The same bytes with any number of threads.
GapReport measure_gap(const Trajectory& trajectory, const stats::BootstrapOptions& options);

}  // namespace plumb::mismatch
