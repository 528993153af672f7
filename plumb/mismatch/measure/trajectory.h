// Where an optimiser went and what it earned there, prompt by prompt: the best of n from stored
// samples of the start, or the steps of a run. Both stand on one axis, d = sqrt(KL), and both are
// relative to the same start.
//
//   PLUMB_TRY(best, best_of_n_trajectory(table, 0));
//   PLUMB_TRY(run, run_trajectory(table, 0));
//   for (const Cell& cell : run.cells) cell.gold;   // above that prompt's start
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "plumb/mismatch/curves.h"
#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/stats/score.h"

namespace plumb::mismatch {

enum class TrajectoryKind { kBestOfN, kRun };

// How the distance of a point is known.
enum class KlSource {
  kNone,      // not at all: neither a KL nor both log-probabilities
  kExact,     // the mean exact divergence of the samples, or log n - (n - 1) / n without ties
  kBound,     // the same with ties: an upper bound
  kEstimate,  // the mean of k1, without bias but noisy
};
std::string_view kl_source_name(KlSource source);  // "none", "exact", "upper bound", "estimate"

struct TrajectoryPoint {
  std::size_t at;  // the step, or n
  KlSource source = KlSource::kNone;
  std::optional<double> kl = {};        // nats
  std::optional<double> kl_error = {};  // its standard error over prompts, where it is a mean
  std::optional<double> d = {};         // nothing too where an estimated KL is not above 0
  std::size_t samples = 0;              // 0: best of n
  std::optional<double> ended = {};     // the share of completions that ended by themselves
  std::optional<double> tokens = {};
};

// One prompt at one point, relative to the start; NaN: not measured.
struct Cell {
  std::uint32_t point, prompt;  // prompt: a place in Trajectory::prompts
  double proxy, gold, tokens;
  // Of pairs of the prompt's samples that differ in gold, the share that the proxy orders as gold
  // does, its ties counted half; not relative. NaN: no such pair, or best of n.
  double accuracy;
  // Samples of the prompt at this point and at its start that lack either.
  std::uint32_t without_proxy = 0, without_gold = 0;
};

// Sums of products of one prompt's samples at the start, about that prompt's means: p proxy, g
// gold, t tokens. Samples that lack one of the first two are left out; without all tokens the last
// three are NaN.
struct Moments {
  double n = 0, proxy = 0, gold = 0;  // samples, and the means of both
  double pp = 0, pg = 0, gg = 0, pt = 0, gt = 0, tt = 0;
};

struct Start {
  std::size_t step = 0, samples = 0;
  std::optional<double> proxy = {}, gold = {}, tokens = {}, ended = {};  // means over prompts
  std::optional<double> accuracy = {};                                   // as cells have it
  std::vector<Moments> moments;                                          // [prompts]
};

struct Trajectory {
  TrajectoryKind kind = TrajectoryKind::kRun;
  std::vector<std::uint32_t> prompts;   // places in SampleTable::prompts
  std::vector<TrajectoryPoint> points;  // in the order in which they were reached
  std::vector<Cell> cells;              // by point, then by prompt
  Start start;
  double start_d = 0;    // of the start from the reference, which d is measured from
  bool complete = true;  // every prompt stands at every point, relative to a start of its own
  std::vector<std::string> warnings;  // sentences
};

// Of n = 2, 4, 8, ... up to the smallest number of samples that a prompt has at the step; prompts
// with fewer than half the median are left out, with a warning. Without gold, of the proxy alone.
// kBadInput, the reason in words: no such step, no proxy, fewer than four samples a prompt, fewer
// than two prompts.
Result<Trajectory> best_of_n_trajectory(const SampleTable& table, std::size_t step);

// Of all steps after the start. Where prompts differ between steps: those that stand at every step,
// if they are half of the start's or more; else all, each relative to its own start; else, where
// some have none, relative to the mean of the start; with a warning each time.
// kBadInput, the reason in words: no step `start`, none after it, no proxy and no gold.
Result<Trajectory> run_trajectory(const SampleTable& table, std::size_t start);

enum class Quantity { kProxy, kGold };

// The rows with a distance above 0 and the quantity, as fits take them.
Curve curve_of(const Trajectory& trajectory, Quantity quantity, std::string name);

}  // namespace plumb::mismatch
