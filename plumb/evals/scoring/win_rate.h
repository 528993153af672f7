// Pairwise preferences of a judge between a model's outputs and a reference's: win rates, what the
// order of showing does, and win rates with length held equal.
//
//   WinRates rates = win_rates(judgements, {});
//   LengthControlled lc = length_controlled(comparisons, {.resamples = 1000, .seed = 7});
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/evals/row.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/score.h"

namespace plumb::evals {

// One judgement: how far the model's output is preferred, from 0 (the reference) to 1 (the model);
// 0.5 is a tie.
struct Judgement {
  std::uint32_t item = 0;  // the prompt, numbered from 0
  double preference = 0.5;
  bool model_first = false;  // the order in which the judge saw the two
};

// Judgements of one item become one value: their mean where one order was shown; where both were,
// the mean of the two orders, and a tie where each order names another winner (MT-Bench's rule,
// Zheng et al. 2023). REQUIRES: preferences in [0, 1].
std::vector<double> values_by_item(std::span<const Judgement> judgements);

struct WinRateOptions {
  double level = 0.95;
};

// win_rate: the mean value over items, Student's interval cut to [0, 1] (AlpacaEval's standard
// error is that of the same mean); win_rate_discrete: wins count 1, ties half; tie: the share of
// ties; and, where items were shown in both orders, flip: the share of these whose winner changes
// with the order, and first: how often what stands first wins, ties half, over all judgements.
std::vector<EvalRow> win_rate_rows(const std::string& eval, std::span<const Judgement> judgements,
                                   const WinRateOptions& options);

// A comparison with what explains it beside quality.
struct LengthComparison {
  double preference = 0.5;             // for the model, in [0, 1]
  double length = 0, reference = 0;    // characters of the two outputs
  std::optional<double> difficulty{};  // of the instruction; all or none have it
};

struct LengthControlled {
  double value;  // mean of sigmoid(theta + psi * difficulty), the length term left out
  double theta, phi;
  double psi = 0;  // 0 without difficulties
};

// AlpacaEval's model (Dubois et al. 2024): P(model preferred) = sigmoid(theta + phi tanh(z) + psi *
// difficulty), z = (length - reference) over the standard deviation of that difference among these
// items (n - 1). Fitted by maximum likelihood on the preferences as they are, fractional ones too,
// with a normal prior of variance 100 on each coefficient in place of AlpacaEval's cross-validated
// L1 penalty: nothing is tuned, and a model that always wins has a finite fit. counts: how often
// each item stands in a resample; empty: once. Undefined: fewer than two items.
tl::expected<LengthControlled, stats::Undefined> fit_length_controlled(
    std::span<const LengthComparison> comparisons, stats::Counts counts = {});

// The row length_controlled_win_rate. The interval refits the model on every resample of the
// prompts (AlpacaEval's own standard error takes the fit for exact) and is never shorter than n
// prompts allow (docs/evals.md). And the row length_effect: phi, on the scale of log-odds. items:
// the prompt of each comparison, numbered from 0 without gaps; empty: each its own.
std::vector<EvalRow> length_controlled_rows(const std::string& eval,
                                            std::span<const LengthComparison> comparisons,
                                            std::span<const std::uint32_t> items,
                                            const stats::BootstrapOptions& options);

}  // namespace plumb::evals
