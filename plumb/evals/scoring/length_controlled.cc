#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

#include "plumb/evals/scoring/win_rate.h"
#include "plumb/stats/intervals.h"

namespace plumb::evals {
namespace {

constexpr std::size_t kTerms = 3;  // theta, phi, psi
constexpr double kPriorVariance = 100;
constexpr int kMostSteps = 100;
constexpr double kTolerance = 1e-9;  // of a step: the next one would be its square

using Terms = std::array<double, kTerms>;
using Matrix = std::array<Terms, kTerms>;

double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

// log(1 + e^x)
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double dot(const Terms& a, const Terms& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// A weighted item of the regression.
struct Row {
  Terms x;
  double preference, weight;
};

double penalised_loss(std::span<const Row> rows, const Terms& beta) {
  double loss = dot(beta, beta) / (2 * kPriorVariance);
  for (const Row& row : rows) {
    const double eta = dot(row.x, beta);
    loss += row.weight * (softplus(eta) - row.preference * eta);
  }
  return loss;
}

// The solution of a symmetric positive definite system, by Gaussian elimination.
Terms solve(Matrix a, Terms b) {
  for (std::size_t k = 0; k < kTerms; ++k) {
    for (std::size_t i = k + 1; i < kTerms; ++i) {
      const double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < kTerms; ++j) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = kTerms; k-- > 0;) {
    for (std::size_t j = k + 1; j < kTerms; ++j) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return b;
}

// The gradient over the curvature of the loss.
Terms newton_step(std::span<const Row> rows, const Terms& beta) {
  Terms gradient{};
  Matrix hessian{};
  for (std::size_t k = 0; k < kTerms; ++k) {
    gradient[k] = beta[k] / kPriorVariance;
    hessian[k][k] = 1 / kPriorVariance;
  }
  for (const Row& row : rows) {
    const double p = sigmoid(dot(row.x, beta));
    const double slope = row.weight * (p - row.preference);
    const double curvature = row.weight * p * (1 - p);
    for (std::size_t k = 0; k < kTerms; ++k) {
      gradient[k] += slope * row.x[k];
      for (std::size_t j = k; j < kTerms; ++j) hessian[k][j] += curvature * row.x[k] * row.x[j];
    }
  }
  for (std::size_t k = 0; k < kTerms; ++k) {
    for (std::size_t j = 0; j < k; ++j) hessian[k][j] = hessian[j][k];
  }
  return solve(hessian, gradient);
}

// Newton's method with step halving on a strictly convex loss.
Terms fit(std::span<const Row> rows) {
  Terms beta{};
  double loss = penalised_loss(rows, beta);
  for (int i = 0; i < kMostSteps; ++i) {
    const Terms step = newton_step(rows, beta);
    double scale = 1;
    Terms next{};
    double next_loss = 0;
    do {
      for (std::size_t k = 0; k < kTerms; ++k) next[k] = beta[k] - scale * step[k];
      next_loss = penalised_loss(rows, next);
      scale /= 2;
    } while (next_loss > loss && scale > 1e-10);
    const double moved = std::sqrt(dot(step, step));
    beta = next;
    loss = next_loss;
    if (moved < kTolerance) break;
  }
  return beta;
}

double weight_of(stats::Counts counts, std::size_t item) {
  return counts.empty() ? 1.0 : static_cast<double>(counts[item]);
}

// The standard deviation (n - 1) of the differences in length.
double spread(std::span<const LengthComparison> comparisons, stats::Counts counts) {
  double n = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    n += weight_of(counts, i);
    sum += weight_of(counts, i) * (comparisons[i].length - comparisons[i].reference);
  }
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const double error = comparisons[i].length - comparisons[i].reference - sum / n;
    squares += weight_of(counts, i) * error * error;
  }
  return n > 1 ? std::sqrt(squares / (n - 1)) : 0;
}

EvalRow drawn_row(const std::string& eval, const char* metric, std::size_t n,
                  const stats::Draws& draws, std::size_t column, const Scale& scale,
                  const stats::BootstrapOptions& options) {
  const auto result = stats::summarize(draws, column, options);
  const auto ci =
      result.interval ? std::optional(*result.interval) : std::optional<stats::Interval>();
  return make_row(eval, metric, n, result.point, ci, scale);
}

bool all_alike(std::span<const LengthComparison> comparisons) {
  return std::ranges::all_of(comparisons, [&](const LengthComparison& one) {
    return one.preference == comparisons[0].preference;
  });
}

// An interval of n prompts holds what none or all of n would leave possible.
stats::Interval as_n_allows(stats::Interval ci, std::span<const LengthComparison> comparisons,
                            std::size_t prompts, double level) {
  const auto n = static_cast<double>(prompts);
  ci.low = std::min(ci.low, stats::wilson(n, n, level).low);
  ci.high = std::max(ci.high, stats::wilson(0, n, level).high);
  if (!all_alike(comparisons)) return ci;
  const auto plain =
      stats::bounded_mean_interval(comparisons[0].preference, prompts, 0.0, 1.0, level);
  return {std::min(ci.low, plain.low), std::max(ci.high, plain.high)};
}

}  // namespace

tl::expected<LengthControlled, stats::Undefined> fit_length_controlled(
    std::span<const LengthComparison> comparisons, stats::Counts counts) {
  if (comparisons.size() < 2) return stats::undefined("fewer than two items");
  const double deviation = spread(comparisons, counts);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const LengthComparison& one = comparisons[i];
    if (weight_of(counts, i) == 0) continue;
    const double z = deviation > 0 ? (one.length - one.reference) / deviation : 0;
    rows.push_back(
        {{1.0, std::tanh(z), one.difficulty.value_or(0)}, one.preference, weight_of(counts, i)});
  }
  const Terms beta = fit(rows);
  double sum = 0, weights = 0;
  for (const Row& row : rows) {
    sum += row.weight * sigmoid(beta[0] + beta[2] * row.x[2]);
    weights += row.weight;
  }
  return LengthControlled{sum / weights, beta[0], beta[1], beta[2]};
}

std::vector<EvalRow> length_controlled_rows(const std::string& eval,
                                            std::span<const LengthComparison> comparisons,
                                            std::span<const std::uint32_t> items,
                                            const stats::BootstrapOptions& options) {
  assert(items.empty() || items.size() == comparisons.size());
  const auto statistics = [&](stats::Counts counts, std::span<stats::Score> values) {
    const auto fitted = fit_length_controlled(comparisons, counts);
    for (stats::Score& value : values) {
      value = fitted ? stats::Score(0.0) : tl::unexpected(fitted.error());
    }
    if (fitted) {
      values[0] = fitted->value;
      values[1] = fitted->phi;
    }
  };
  const auto resampling = items.empty() ? stats::Resampling::of_items(comparisons.size())
                                        : stats::Resampling::of_clusters(items);
  const auto draws = stats::paired_bootstrap(resampling, 2, statistics, options);
  const std::size_t n = items.empty() ? comparisons.size() : std::ranges::max(items) + 1U;
  EvalRow rate = drawn_row(eval, "length_controlled_win_rate", n, draws, 0, kWinRateScale, options);
  if (rate.ci) {
    rate.ci = as_n_allows(*rate.ci, comparisons, n, options.level);
    rate.at = place_of(*rate.ci, kWinRateScale);
  }
  return {std::move(rate), drawn_row(eval, "length_effect", n, draws, 1, kOpenScale, options)};
}

}  // namespace plumb::evals
