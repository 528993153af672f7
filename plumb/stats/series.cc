#include "plumb/stats/series.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include "plumb/stats/autoregression.h"
#include "plumb/stats/equivalence.h"
#include "plumb/stats/sums.h"

namespace plumb::stats {
namespace {

constexpr std::size_t kFewest = 6;

// Squares about their mean that are expected of so many errors with innovations of variance 1.
double expected_squares(std::size_t size, double r) {
  const auto n = static_cast<double>(size);
  double all = n, power = 1;
  for (std::size_t lag = 1; lag < size; ++lag)
    all += 2 * (n - static_cast<double>(lag)) * (power *= r);
  return (n - all / n) / (1 - r * r);
}

// What least squares finds where the errors' autocorrelation is r.
struct Component {
  double r, weight;
  double slope, error;
  double scale;  // noncentrality a unit of correlation / sqrt(1 - correlation^2)
};

// Of centred series: whitening values far from 0 would lose what they differ by.
std::vector<Component> components_of(const std::vector<double>& x, std::span<const double> y,
                                     double xx) {
  const std::vector<double> columns[] = {std::vector<double>(x.size(), 1.0), x};
  const double freedom = static_cast<double>(x.size()) - 2;
  const auto likelihood = [&](double r) { return fit_whitened(columns, y, r).log_likelihood; };
  std::vector<Component> all;
  for (const auto& [r, weight] : weigh_autocorrelations(likelihood)) {
    const WhitenedFit fit = fit_whitened(columns, y, r);
    all.push_back({.r = r,
                   .weight = weight,
                   .slope = fit.slope,
                   .error = std::sqrt(fit.rest / freedom / fit.size),
                   .scale = std::sqrt(expected_squares(x.size(), r) * fit.size / xx)});
  }
  return all;
}

template <typename Function>
double average(std::span<const Component> components, Function of) {
  double sum = 0;
  for (const Component& one : components) sum += one.weight * of(one);
  return sum;
}

// Where a rising function from `low` to `high` reaches `level`.
template <typename Function>
double place_of(Function rising, double level, double low, double high) {
  const auto over = [&](double at) { return rising(at) - level; };
  const double first = over(low), last = over(high);
  if (first >= 0 || last <= 0) return first >= 0 ? low : high;
  std::uintmax_t most = 100;
  const auto [below, above] = boost::math::tools::toms748_solve(
      over, low, high, first, last, boost::math::tools::eps_tolerance<double>(24), most);
  return (below + above) / 2;
}

// Quantiles of the slope and of the correlation.
class Mixture {
 public:
  Mixture(std::vector<Component> components, double freedom)
      : components_(std::move(components)), freedom_(freedom), noncentral_(freedom) {}

  double slope_below(double slope) const {
    const boost::math::students_t student(freedom_);
    return average(components_, [&](const Component& one) {
      return boost::math::cdf(student, (slope - one.slope) / one.error);
    });
  }

  double slope_at(double level) const {
    const double t = student_quantile(level, freedom_);
    const auto own = [&](const Component& one) { return one.slope + t * one.error; };
    const double low = own(std::ranges::min(components_, {}, own));
    const double high = own(std::ranges::max(components_, {}, own));
    return place_of([&](double slope) { return slope_below(slope); }, level, low, high);
  }

  double correlation_at(double level) const {
    const auto below = [&](double correlation) {
      const double ratio = correlation / std::sqrt(1 - correlation * correlation);
      return average(components_, [&](const Component& one) {
        return noncentral_.above(one.slope / one.error, ratio * one.scale);
      });
    };
    return place_of(below, level, -1 + 1e-12, 1 - 1e-12);
  }

  double autocorrelation() const {
    return average(components_, [](const Component& one) { return one.r; });
  }

 private:
  std::vector<Component> components_;
  double freedom_;
  NoncentralT noncentral_;
};

}  // namespace

NoncentralT::NoncentralT(double freedom)
    : freedom_(freedom),
      log_scale_(std::log(2) + freedom / 2 * std::log(freedom / 2) - std::lgamma(freedom / 2)) {
  const boost::math::chi_squared chi(freedom);
  low_ = std::sqrt(boost::math::quantile(chi, 1e-11) / freedom);
  high_ = std::sqrt(boost::math::quantile(boost::math::complement(chi, 1e-11)) / freedom);
}

double NoncentralT::above(double t, double noncentrality) const {
  const auto part = [&](double ratio) {
    const double log_density =
        log_scale_ + (freedom_ - 1) * std::log(ratio) - freedom_ * ratio * ratio / 2;
    return std::exp(log_density) * std::erfc((t * ratio - noncentrality) / std::numbers::sqrt2) / 2;
  };
  // Beyond eight deviations of z the normal distribution is 1 or 0.
  const double at = t < 0 ? std::min(t, -1e-9) : std::max(t, 1e-9);
  const double reach = 8 / std::abs(at), turn = noncentrality / at;
  const double first = std::clamp(turn - reach, low_, high_);
  const double last = std::clamp(turn + reach, low_, high_);
  const auto below = [&](double ratio) {
    return boost::math::gamma_p(freedom_ / 2, freedom_ * ratio * ratio / 2);
  };
  double sum = at > 0 ? below(first) : 1 - below(last);
  using Rule = boost::math::quadrature::gauss_kronrod<double, 15>;
  if (first < last) sum += Rule::integrate(part, first, last, 12, 1e-7);
  return std::clamp(sum, 0.0, 1.0);
}

tl::expected<SeriesLink, Undefined> series_link(std::span<const double> x,
                                                std::span<const double> y, double level) {
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(x, finite) || !std::ranges::all_of(y, finite)) {
    return undefined("a value is not finite");
  }
  if (x.size() < kFewest) return undefined("fewer than six checkpoints");
  if (is_constant(x) || is_constant(y)) {
    return undefined("a side does not change over the checkpoints");
  }
  const std::vector<double> dx = centred(x), dy = centred(y);
  const double xx = dot(dx, dx), yy = dot(dy, dy), xy = dot(dx, dy);
  const double slope = xy / xx, r = std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
  const double freedom = static_cast<double>(x.size()) - 2;
  if (1 - std::abs(r) < 1e-12) {  // without residuals there is no error
    return SeriesLink{slope, {slope, slope}, r, {r, r}, 0, 0, freedom, r};
  }
  const Mixture mixture(components_of(dx, dy, xx), freedom);
  const double tail = (1 - level) / 2, below = mixture.slope_below(0);
  return SeriesLink{
      .slope = mixture.slope_at(0.5),
      .slope_ci = {mixture.slope_at(tail), mixture.slope_at(1 - tail)},
      .correlation = mixture.correlation_at(0.5),
      .correlation_ci = {mixture.correlation_at(tail), mixture.correlation_at(1 - tail)},
      .p_value = 2 * std::min(below, 1 - below),
      .autocorrelation = mixture.autocorrelation(),
      .freedom = freedom,
      .pearson = r};
}

}  // namespace plumb::stats
