// Losses of reward models: functions of scores with their gradients, nothing else. A network that
// yields the scores takes the gradient from here.
//
// delta is the score of the first completion less that of the second. All are finite for every
// finite delta: at delta = -800, Bradley-Terry's loss is 800. Values are nats.
//
//   const Slope loss = bradley_terry(chosen - rejected);
//   chosen_gradient = loss.slope, rejected_gradient = -loss.slope;
#pragma once

#include <cstddef>
#include <span>

namespace plumb::rlhf {

double softplus(double x);  // log(1 + e^x), without overflow
double sigmoid(double x);

// A value and its derivative by delta.
struct Slope {
  double value;
  double slope;
};

// -log sigmoid(delta - margin): the first was preferred (Bradley and Terry 1952; the margin:
// Touvron et al. 2023, eq. 2). The formula printed in arXiv 2311.00168 has the sign the wrong way
// round.
Slope bradley_terry(double delta, double margin = 0);

// -p log sigmoid(delta) - (1 - p) log sigmoid(-delta), for a share p of votes. REQUIRES: 0 <= p <=
// 1
Slope soft_label(double delta, double share);

// soft_label with 1 - e: cautious about labels of which a share e is flipped. REQUIRES: 0 <= e
// <= 1.
Slope smoothed(double delta, double e);

// [(1 - e) l(delta) - e l(-delta)] / (1 - 2 e): its expectation over labels flipped with chance e
// is that of Bradley-Terry on clean labels (Natarajan et al. 2013). Below 0 for a large delta.
// REQUIRES: 0 <= e < 1/2.
Slope noise_robust(double delta, double e);

// With a third outcome.
enum class PairOutcome { kWin, kTie, kLoss };

struct TieSlope {
  double value;
  double slope;      // by delta
  double tie_slope;  // by the tie parameter below
};

// P(win) = sigmoid(delta - log theta), P(tie) the rest (Rao and Kupper 1967).
// REQUIRES: log_theta >= 0; above 0 for a tie, which is impossible at 0.
TieSlope rao_kupper(double delta, double log_theta, PairOutcome outcome);

// P(win) : P(tie) : P(loss) = e^(delta/2) : nu : e^(-delta/2) (Davidson 1970).
TieSlope davidson(double delta, double log_nu, PairOutcome outcome);

// A term on both scores.
struct BothSlopes {
  double value;
  double first, second;  // derivatives
};

// c (a + b)^2 keeps scores about 0, which differences leave open (Eisenstein et al. 2023, eq. 2).
BothSlopes centre_term(double first, double second, double c);
// c / 2 (a^2 + b^2).
BothSlopes decay_term(double first, double second, double c);

// -sum_k [s_k - log sum_{j >= k} e^{s_j}], scores from the most to the least preferred (Plackett
// 1975, Luce 1959). gradient: as long as scores; overwritten.
double plackett_luce(std::span<const double> scores, std::span<double> gradient);

// -log softmax(scores)[best]: only the best of several is known. REQUIRES: best < scores.size().
double best_of_several(std::span<const double> scores, std::size_t best,
                       std::span<double> gradient);

// What one comparison says: shares of votes that sum to 1.
struct PairLabel {
  double win = 1, tie = 0, loss = 0;
  double strength = 0;
};

enum class TieHandling { kHalfWins, kRaoKupper, kDavidson };

struct RewardLossOptions {
  TieHandling ties = TieHandling::kHalfWins;  // half a tie for each side
  double log_tie_parameter = 0;               // log theta, log nu
  double margin = 0;                          // of delta, per unit of strength
  double label_smoothing = 0;                 // e of `smoothed`
  double flip_rate = 0;                       // e of `noise_robust`; not with the above
  double centre = 0;                          // c of centre_term
  double decay = 0;                           // c of decay_term
};

struct RewardLoss {
  double value;
  double tie_slope;  // by log_tie_parameter
};

// The mean over pairs, never a sum over the batch before the sigmoid. Gradients are overwritten.
// REQUIRES: all spans of one length, which is not 0.
RewardLoss reward_loss(std::span<const double> first, std::span<const double> second,
                       std::span<const PairLabel> labels, const RewardLossOptions& options,
                       std::span<double> first_gradient, std::span<double> second_gradient);

}  // namespace plumb::rlhf
