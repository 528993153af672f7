#include "plumb/rlhf/reward/feature_fit.h"

#include <lbfgs.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <memory>

namespace plumb::rlhf {
namespace {

constexpr double kTolerance = 1e-6;

// The mean objective of the weights and, where ties are an outcome, of one number more.
class Objective {
 public:
  Objective(const FeatureRows& rows, const TextGroups& groups, const FeatureFitOptions& options)
      : rows_(rows),
        groups_(groups),
        loss_(options.loss),
        scores_(rows.rows()),
        slopes_(rows.rows()) {
    penalty_ = options.l2 / static_cast<double>(groups.size());
  }

  std::size_t parameters() const { return rows_.dimension + (has_tie() ? 1 : 0); }

  // The last coordinate of the point at which the search begins: theta = exp(softplus(it)), nu =
  // exp(it).
  double first_tie() const {
    const double value = loss_.log_tie_parameter;
    return loss_.ties == TieHandling::kRaoKupper ? std::log(std::expm1(value)) : value;
  }
  double tie_parameter(double coordinate) const {
    if (loss_.ties != TieHandling::kRaoKupper) return coordinate;
    return std::max(softplus(coordinate), std::numeric_limits<double>::min());
  }

  double loss(std::span<const double> point, std::span<double> gradient) {
    const auto weights = point.first(rows_.dimension);
    for (std::size_t i = 0; i < scores_.size(); ++i) scores_[i] = rows_.dot(i, weights);
    if (has_tie()) loss_.log_tie_parameter = tie_parameter(point.back());
    const RewardLoss loss = group_loss(scores_, groups_.view(), loss_, slopes_);
    std::ranges::fill(gradient, 0.0);
    for (std::size_t i = 0; i < scores_.size(); ++i) rows_.add_to(i, slopes_[i], gradient);
    if (has_tie()) {
      const bool rao_kupper = loss_.ties == TieHandling::kRaoKupper;
      gradient.back() = loss.tie_slope * (rao_kupper ? sigmoid(point.back()) : 1);
    }
    return loss.value;
  }

  double operator()(std::span<const double> point, std::span<double> gradient) {
    double value = loss(point, gradient);
    for (std::size_t k = 0; k < rows_.dimension; ++k) {
      value += penalty_ / 2 * point[k] * point[k];
      gradient[k] += penalty_ * point[k];
    }
    return value;
  }

 private:
  bool has_tie() const { return loss_.ties != TieHandling::kHalfWins; }

  const FeatureRows& rows_;
  const TextGroups& groups_;
  RewardLossOptions loss_;
  double penalty_;
  std::vector<double> scores_, slopes_;
};

struct Search {
  Objective& objective;
  std::size_t iterations = 0;
};

double evaluate(void* instance, const double* point, double* gradient, int count, double) {
  const auto n = static_cast<std::size_t>(count);
  return static_cast<Search*>(instance)->objective({point, n}, {gradient, n});
}

int count_step(void* instance, const double*, const double*, double, double, double, double, int,
               int, int) {
  ++static_cast<Search*>(instance)->iterations;
  return 0;
}

auto out_of_memory() {
  return fail(ErrorKind::kExhausted, "out of memory while weights of features were fitted");
}

}  // namespace

Result<FeatureFit> fit_features(const FeatureRows& rows, const TextGroups& groups,
                                const FeatureFitOptions& options) {
  assert(rows.rows() == groups.starts.back() && groups.size() > 0);
  Objective objective(rows, groups, options);
  const auto n = static_cast<int>(objective.parameters());
  const std::unique_ptr<double, void (*)(double*)> point(lbfgs_malloc(n), lbfgs_free);
  if (point == nullptr) return out_of_memory();
  const std::span<double> at(point.get(), objective.parameters());
  std::vector<double> gradient(at.size());
  std::ranges::fill(at, 0.0);
  if (at.size() > rows.dimension) at.back() = objective.first_tie();

  FeatureFit fit;
  fit.first_loss = objective.loss(at, gradient);
  lbfgs_parameter_t parameters;
  lbfgs_parameter_init(&parameters);
  parameters.m = 10;
  parameters.epsilon = 1e-9;
  parameters.max_iterations = 2000;
  Search search{objective};
  // At the limit of rounding a line search fails: the gradient tells whether that is the minimum.
  if (lbfgs(n, point.get(), nullptr, evaluate, count_step, &search, &parameters) ==
      LBFGSERR_OUTOFMEMORY) {
    return out_of_memory();
  }
  fit.iterations = search.iterations;
  objective(at, gradient);
  fit.converged = std::ranges::all_of(gradient, [](double x) { return std::abs(x) <= kTolerance; });
  fit.last_loss = objective.loss(at, gradient);
  fit.weights.assign(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(rows.dimension));
  if (at.size() > rows.dimension) fit.log_tie_parameter = objective.tie_parameter(at.back());
  return fit;
}

}  // namespace plumb::rlhf
