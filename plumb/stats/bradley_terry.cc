#include "plumb/stats/bradley_terry.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

namespace plumb::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double log_sigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

// The log-likelihood of one pair, its gradient, and its negative second derivatives, in the
// difference of the abilities and the logarithm of the tie parameter.
struct PairTerms {
  double value;
  double by_difference, by_tie;
  double difference_difference, difference_tie, tie_tie;
};

struct Outcomes {
  double wins, losses, ties;
};

PairTerms davidson_terms(const Outcomes& n, double difference, double log_nu) {
  const double half = difference / 2;
  const double top = std::max(std::abs(half), log_nu);
  const double win = std::exp(half - top), loss = std::exp(-half - top),
               tie = std::exp(log_nu - top);
  const double sum = win + loss + tie;
  const double p_win = win / sum, p_loss = loss / sum, p_tie = tie / sum;
  const double total = n.wins + n.losses + n.ties;
  return {
      .value = (n.wins - n.losses) * half + n.ties * log_nu - total * (top + std::log(sum)),
      .by_difference = (n.wins - n.losses - total * (p_win - p_loss)) / 2,
      .by_tie = n.ties - total * p_tie,
      .difference_difference = total / 4 * (p_win + p_loss - (p_win - p_loss) * (p_win - p_loss)),
      .difference_tie = -total / 2 * (p_win - p_loss) * p_tie,
      .tie_tie = total * p_tie * (1 - p_tie)};
}

// log_theta = 0 without ties is plain Bradley-Terry.
PairTerms rao_kupper_terms(const Outcomes& n, double difference, double log_theta) {
  const double wins = n.wins + n.ties, losses = n.losses + n.ties;
  const double x = difference - log_theta, y = -difference - log_theta;
  const double surprise_x = sigmoid(-x), surprise_y = sigmoid(-y);
  const double curve_x = wins * surprise_x * sigmoid(x);
  const double curve_y = losses * surprise_y * sigmoid(y);
  PairTerms terms{.value = wins * log_sigmoid(x) + losses * log_sigmoid(y),
                  .by_difference = wins * surprise_x - losses * surprise_y,
                  .by_tie = -wins * surprise_x - losses * surprise_y,
                  .difference_difference = curve_x + curve_y,
                  .difference_tie = curve_y - curve_x,
                  .tie_tie = curve_x + curve_y};
  if (n.ties > 0) {
    const double shrink = -std::expm1(-2 * log_theta);  // 1 - theta^-2
    terms.value += n.ties * std::log(std::expm1(2 * log_theta));
    terms.by_tie += n.ties * 2 / shrink;
    terms.tie_tie += n.ties * 4 * std::exp(-2 * log_theta) / (shrink * shrink);
  }
  return terms;
}

// What is maximised: over the abilities and, where the model has one, the log tie parameter.
struct Problem {
  const PairwiseCounts& pairs;
  TieModel model;
  bool fits_ties;
  double ridge;

  std::size_t size() const { return pairs.competitors + (fits_ties ? 1 : 0); }
};

Outcomes outcomes(const Problem& problem, std::size_t i, std::size_t j) {
  const PairwiseCounts& pairs = problem.pairs;
  const double ties = pairs.tie(i, j);
  if (problem.fits_ties) return {pairs.win(i, j), pairs.win(j, i), ties};
  return {pairs.win(i, j) + ties / 2, pairs.win(j, i) + ties / 2, 0};
}

struct Evaluation {
  double log_likelihood = 0;
  double objective = 0;             // log-likelihood and prior
  std::vector<double> gradient;     // [size]
  std::vector<double> information;  // [size, size]
};

void add_pair(Evaluation& sum, std::size_t size, std::size_t i, std::size_t j,
              const PairTerms& terms, bool fits_ties) {
  const auto info = [&](std::size_t row, std::size_t column) -> double& {
    return sum.information[row * size + column];
  };
  sum.log_likelihood += terms.value;
  sum.gradient[i] += terms.by_difference;
  sum.gradient[j] -= terms.by_difference;
  info(i, i) += terms.difference_difference;
  info(j, j) += terms.difference_difference;
  info(i, j) -= terms.difference_difference;
  info(j, i) -= terms.difference_difference;
  if (!fits_ties) return;
  const std::size_t t = size - 1;
  sum.gradient[t] += terms.by_tie;
  info(t, t) += terms.tie_tie;
  info(i, t) += terms.difference_tie;
  info(t, i) += terms.difference_tie;
  info(j, t) -= terms.difference_tie;
  info(t, j) -= terms.difference_tie;
}

Evaluation evaluate(const Problem& problem, std::span<const double> at) {
  const std::size_t n = problem.pairs.competitors, size = problem.size();
  Evaluation sum{.gradient = std::vector<double>(size),
                 .information = std::vector<double>(size * size)};
  const double log_tie = problem.fits_ties ? at[n] : 0;
  const bool davidson = problem.fits_ties && problem.model == TieModel::kDavidson;
  if (problem.fits_ties && !davidson && log_tie <= 0) {
    sum.objective = -kInfinity;
    return sum;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      const auto terms = davidson ? davidson_terms : rao_kupper_terms;
      add_pair(sum, size, i, j, terms(outcomes(problem, i, j), at[i] - at[j], log_tie),
               problem.fits_ties);
    }
  }
  sum.objective = sum.log_likelihood;
  for (std::size_t i = 0; i < n; ++i) {
    sum.objective -= problem.ridge / 2 * at[i] * at[i];
    sum.gradient[i] -= problem.ridge * at[i];
    sum.information[i * size + i] += problem.ridge;
  }
  return sum;
}

// The likelihood does not know where the abilities' zero lies. This adds the missing curvature in
// that direction, so that the matrix can be inverted and steps keep the sum; returns the curvature
// that the direction has then.
double pin_location(std::vector<double>& information, std::size_t size, std::size_t competitors,
                    double ridge) {
  double trace = 0;
  for (std::size_t i = 0; i < competitors; ++i) trace += information[i * size + i];
  const auto n = static_cast<double>(competitors);
  const double added = trace > 0 ? trace / (n * n) : 1;
  for (std::size_t i = 0; i < competitors; ++i) {
    for (std::size_t j = 0; j < competitors; ++j) information[i * size + j] += added;
  }
  return ridge + added * n;
}

// The lower Cholesky factor in place; false where the matrix is not positive definite.
bool cholesky(std::vector<double>& a, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = a[i * size + j];
      for (std::size_t k = 0; k < j; ++k) rest -= a[i * size + k] * a[j * size + k];
      if (i == j && !(rest > 0)) return false;
      a[i * size + j] = i == j ? std::sqrt(rest) : rest / a[j * size + j];
    }
  }
  return true;
}

std::vector<double> solve(const std::vector<double>& factor, std::vector<double> x) {
  const std::size_t size = x.size();
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t k = 0; k < i; ++k) x[i] -= factor[i * size + k] * x[k];
    x[i] /= factor[i * size + i];
  }
  for (std::size_t i = size; i-- > 0;) {
    for (std::size_t k = i + 1; k < size; ++k) x[i] -= factor[k * size + i] * x[k];
    x[i] /= factor[i * size + i];
  }
  return x;
}

struct Maximum {
  std::vector<double> at;
  Evaluation values;
};

// Halves the step until the objective rises by enough of what the slope promises (Armijo 1966).
Maximum step_from(const Problem& problem, const Maximum& here, std::span<const double> step,
                  double slope) {
  const double noise = 1e-12 * (1 + std::abs(here.values.objective));
  Maximum next;
  for (double scale = 1; scale > 1e-12; scale /= 2) {
    next.at = here.at;
    for (std::size_t i = 0; i < step.size(); ++i) next.at[i] += scale * step[i];
    next.values = evaluate(problem, next.at);
    if (next.values.objective >= here.values.objective + 1e-4 * scale * slope - noise) break;
  }
  return next;
}

tl::expected<Maximum, Undefined> maximise(const Problem& problem) {
  Maximum here{.at = std::vector<double>(problem.size()), .values = {}};
  if (problem.fits_ties && problem.model == TieModel::kRaoKupper) here.at.back() = 0.5;
  here.values = evaluate(problem, here.at);
  for (int iteration = 0; iteration < 200; ++iteration) {
    std::vector<double> factor = here.values.information;
    pin_location(factor, problem.size(), problem.pairs.competitors, problem.ridge);
    if (!cholesky(factor, problem.size())) break;
    const std::vector<double> step = solve(factor, here.values.gradient);
    const double slope =
        std::inner_product(step.begin(), step.end(), here.values.gradient.begin(), 0.0);
    if (slope <= 1e-18 * (1 + std::abs(here.values.objective))) return here;
    here = step_from(problem, here, step, slope);
  }
  return undefined("the likelihood is too flat: its maximum was not found");
}

// [size, size]: of abilities that sum to 0, and of the log tie parameter.
tl::expected<std::vector<double>, Undefined> covariance(const Problem& problem,
                                                        const Maximum& maximum) {
  const std::size_t n = problem.pairs.competitors, size = problem.size();
  std::vector<double> factor = maximum.values.information;
  const double pinned = pin_location(factor, size, n, problem.ridge);
  if (!cholesky(factor, size)) return undefined("the likelihood is flat at its maximum");
  std::vector<double> inverse;
  for (std::size_t i = 0; i < size; ++i) {
    std::vector<double> unit(size);
    unit[i] = 1;
    std::vector<double> row = solve(factor, std::move(unit));
    for (std::size_t j = 0; i < n && j < n; ++j) row[j] -= 1 / (pinned * static_cast<double>(n));
    inverse.insert(inverse.end(), row.begin(), row.end());
  }
  return inverse;
}

double standard_error(double variance) { return std::sqrt(std::max(variance, 0.0)); }

BradleyTerryFit describe(const Problem& problem, const BradleyTerryOptions& options,
                         const Maximum& maximum, std::span<const double> covariances) {
  const std::size_t n = problem.pairs.competitors, size = problem.size();
  const auto cov = [&](std::size_t i, std::size_t j) { return covariances[i * size + j]; };
  const auto first = maximum.at.begin();
  const double zero = options.reference ? maximum.at[*options.reference]
                                        : std::accumulate(first, first + std::ptrdiff_t(n), 0.0) /
                                              static_cast<double>(n);
  BradleyTerryFit fit{};
  for (std::size_t i = 0; i < n; ++i) {
    fit.abilities.push_back(maximum.at[i] - zero);
    const std::size_t r = options.reference.value_or(i);
    const double variance = options.reference ? cov(i, i) + cov(r, r) - 2 * cov(i, r) : cov(i, i);
    fit.standard_errors.push_back(standard_error(variance));
  }
  fit.tie_parameter = options.ties == TieModel::kRaoKupper ? 1 : 0;
  if (problem.fits_ties) {
    fit.tie_parameter = std::exp(maximum.at[n]);
    fit.tie_standard_error = fit.tie_parameter * standard_error(cov(n, n));
  }
  fit.log_likelihood = maximum.values.log_likelihood;
  return fit;
}

bool any_positive(std::span<const double> counts) {
  return std::ranges::any_of(counts, [](double count) { return count > 0; });
}

// Whether some cycle of comparisons has more wins than ties: whether "every win is a distance of at
// least 1, every tie of at most 1" cannot be satisfied (Bellman and Ford).
bool wins_outweigh_ties(const PairwiseCounts& pairs) {
  std::vector<double> place(pairs.competitors);
  for (std::size_t pass = 0; pass <= pairs.competitors; ++pass) {
    bool moved = false;
    for (std::size_t i = 0; i < pairs.competitors; ++i) {
      for (std::size_t j = 0; j < pairs.competitors; ++j) {
        if (i == j) continue;
        const double least = pairs.win(i, j) > 0   ? place[j] + 1
                             : pairs.tie(i, j) > 0 ? place[j] - 1
                                                   : -kInfinity;
        if (least <= place[i]) continue;
        place[i] = least;
        moved = true;
      }
    }
    if (!moved) return false;
  }
  return true;
}

tl::expected<void, Undefined> check(const Problem& problem) {
  const PairwiseCounts& pairs = problem.pairs;
  if (pairs.competitors == 0) return undefined("there are no competitors");
  if (problem.fits_ties && !any_positive(pairs.wins)) {
    return undefined("no finite solution: every comparison is a tie");
  }
  if (problem.ridge > 0) return {};
  const std::vector<int> groups = win_components(pairs);
  if (*std::ranges::max_element(groups) > 1) {
    return undefined("no finite solution: competitors fall into groups that never beat the others");
  }
  if (problem.fits_ties && !wins_outweigh_ties(pairs)) {
    return undefined("no finite solution: no cycle of comparisons has more wins than ties");
  }
  return {};
}

// reach[i, j]: whether i beat or tied j, directly or through a chain (Warshall 1962).
std::vector<char> reachability(const PairwiseCounts& pairs) {
  const std::size_t n = pairs.competitors;
  std::vector<char> reach(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      reach[i * n + j] = i == j || pairs.win(i, j) > 0 || pairs.tie(i, j) > 0;
    }
  }
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      if (!reach[i * n + k]) continue;
      for (std::size_t j = 0; j < n; ++j) reach[i * n + j] |= reach[k * n + j];
    }
  }
  return reach;
}

}  // namespace

OutcomeProbabilities outcome_probabilities(TieModel model, double difference,
                                           double tie_parameter) {
  if (model == TieModel::kDavidson) {
    const double win = 1 / (1 + std::exp(-difference) + tie_parameter * std::exp(-difference / 2));
    const double loss = 1 / (1 + std::exp(difference) + tie_parameter * std::exp(difference / 2));
    return {win, tie_parameter * std::sqrt(win * loss), loss};
  }
  const double log_theta = model == TieModel::kRaoKupper ? std::log(tie_parameter) : 0;
  const double win = sigmoid(difference - log_theta), loss = sigmoid(-difference - log_theta);
  return {win, std::expm1(2 * log_theta) * win * loss, loss};
}

std::vector<int> win_components(const PairwiseCounts& pairs) {
  const std::size_t n = pairs.competitors;
  const std::vector<char> reach = reachability(pairs);
  std::vector<std::size_t> order(n), reached(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) reached[i] += reach[i * n + j] != 0;
  }
  // Who beats a group reaches all that the group reaches, and more.
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return reached[i]; });
  std::vector<int> groups(n);
  int group = 0;
  for (const std::size_t i : order) {
    if (groups[i] != 0) continue;
    ++group;
    for (std::size_t j = 0; j < n; ++j) {
      if (reach[i * n + j] && reach[j * n + i]) groups[j] = group;
    }
  }
  return groups;
}

BradleyTerryResult fit_bradley_terry(const PairwiseCounts& pairs,
                                     const BradleyTerryOptions& options) {
  const bool fits_ties = options.ties != TieModel::kHalfWins && any_positive(pairs.ties);
  const Problem problem{pairs, options.ties, fits_ties, options.ridge};
  if (const auto sound = check(problem); !sound) return tl::unexpected(sound.error());
  const auto maximum = maximise(problem);
  if (!maximum) return tl::unexpected(maximum.error());
  const auto covariances = covariance(problem, *maximum);
  if (!covariances) return tl::unexpected(covariances.error());
  return describe(problem, options, *maximum, *covariances);
}

}  // namespace plumb::stats
