// Abilities from pairwise comparisons by maximum likelihood: Bradley and Terry 1952, with ties as
// half wins, after Davidson 1970, or after Rao and Kupper 1967. Used by the leaderboard over units,
// and wherever people or judges compare two things.
//
// An ability r is a log-odds: without ties, P(i beats j) = 1 / (1 + exp(r_j - r_i)). A fit is
// returned only where the likelihood has a finite maximum; where it has none, the reason is said,
// and win_components shows the groups. Newton's method with step halving; the likelihoods are
// concave, so it cannot miss.
//
//   auto fit = fit_bradley_terry(pairwise_counts(matrix), {.ties = TieModel::kDavidson});
//   if (!fit) return fit.error().reason;
//   fit->abilities[0] - fit->abilities[1];
#pragma once

#include <cstddef>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "plumb/stats/rank_aggregation.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

enum class TieModel {
  kHalfWins,   // a tie is half a win for each; the likelihood that rating sites maximise
  kDavidson,   // P(tie) / sqrt(P(win) P(loss)) = nu >= 0
  kRaoKupper,  // a difference under log(theta) is not noticed, theta >= 1
};

struct OutcomeProbabilities {
  double win, tie, loss;
};

// Of i against j, where difference = r_i - r_j. tie_parameter: nu of Davidson 1970, theta of Rao
// and Kupper 1967; ignored by kHalfWins, which leaves no room for a tie.
OutcomeProbabilities outcome_probabilities(TieModel model, double difference, double tie_parameter);

struct BradleyTerryOptions {
  TieModel ties = TieModel::kHalfWins;
  std::optional<std::size_t> reference = {};  // whose ability is 0; none: the abilities sum to 0

  // Above 0: a normal prior on the abilities, mean 0 and variance 1 / ridge. It keeps the fit
  // finite for resamples in which somebody wins everything, at the price of pulling abilities
  // together. Standard errors are then those of the posterior's curvature.
  double ridge = 0;
};

struct BradleyTerryFit {
  std::vector<double> abilities;
  std::vector<double> standard_errors;  // from the inverse information; 0 for the reference
  double tie_parameter;                 // nu or theta; 0 or 1 without ties, 0 for half wins
  double tie_standard_error;            // of tie_parameter, by the delta method; 0 without ties
  double log_likelihood;  // sum of log P over comparisons: no binomial coefficients, no prior
};

using BradleyTerryResult = tl::expected<BradleyTerryFit, Undefined>;

// Without ties all three models are plain Bradley-Terry.
//
// Undefined where the maximum is not finite (and ridge is 0):
// - competitors fall into groups that never beat or tie the others (Ford 1957; win_components);
// - Davidson and Rao-Kupper: there are ties, but no cycle of comparisons has more wins than ties.
//   Then the likelihood grows as abilities and tie parameter drift apart together: with A over B
//   three times and one tie, nothing says that B could ever win.
// And, whatever the ridge, with Davidson and Rao-Kupper where all comparisons are ties.
// REQUIRES: counts finite and not negative; ridge >= 0; reference is a competitor.
BradleyTerryResult fit_bradley_terry(const PairwiseCounts& pairs,
                                     const BradleyTerryOptions& options = {});

// [competitors]: the group of each, from 1. Two competitors share a group if each one beat or tied
// the other, directly or through a chain of others. Nobody beat or tied anyone of a group with a
// smaller number. One group: the competitors can be compared.
std::vector<int> win_components(const PairwiseCounts& pairs);

}  // namespace plumb::stats
