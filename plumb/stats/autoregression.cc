#include "plumb/stats/autoregression.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plumb/stats/normal.h"
#include "plumb/stats/sums.h"

namespace plumb::stats {
namespace {

constexpr std::size_t kPlaces = 40;
constexpr double kLargest = 0.95;

std::vector<double> whitened(std::span<const double> values, double r) {
  std::vector<double> all = {std::sqrt(1 - r * r) * values[0]};
  for (std::size_t t = 1; t < values.size(); ++t) all.push_back(values[t] - r * values[t - 1]);
  return all;
}

// Takes its part along a column from values; the coefficient.
double free_of(std::span<const double> column, double size, std::span<double> values) {
  const double along = dot(column, values) / size;
  for (std::size_t t = 0; t < values.size(); ++t) values[t] -= along * column[t];
  return along;
}

}  // namespace

WhitenedFit fit_whitened(std::span<const std::vector<double>> columns, std::span<const double> y,
                         double r) {
  std::vector<std::vector<double>> all;
  for (const std::vector<double>& column : columns) all.push_back(whitened(column, r));
  all.push_back(whitened(y, r));
  WhitenedFit fit{.slope = 0, .size = 0, .rest = 0, .log_likelihood = std::log(1 - r * r)};
  double about_first = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    fit.size = dot(all[c], all[c]);
    fit.log_likelihood -= std::log(fit.size);
    for (std::size_t later = c + 1; later < all.size(); ++later) {
      fit.slope = free_of(all[c], fit.size, all[later]);
    }
    if (c == 0) about_first = dot(all.back(), all.back());
  }
  fit.rest = std::max(dot(all.back(), all.back()), 1e-15 * about_first);
  const auto freedom = static_cast<double>(y.size() - columns.size());
  fit.log_likelihood = (fit.log_likelihood - freedom * std::log(fit.rest)) / 2;
  return fit;
}

std::vector<Autocorrelation> weigh_autocorrelations(
    const std::function<double(double r)>& log_likelihood) {
  std::vector<Autocorrelation> all;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    // Evenly by their arc sines, which is the reference prior.
    const double share = (2 * static_cast<double>(i) + 1) / kPlaces - 1;
    const double r = std::sin(share * std::asin(kLargest));
    all.push_back({.r = r, .weight = log_likelihood(r)});
  }
  const double most = std::ranges::max(all, {}, &Autocorrelation::weight).weight;
  for (Autocorrelation& one : all) one.weight = std::exp(one.weight - most);
  std::erase_if(all, [](const Autocorrelation& one) { return one.weight < 1e-8; });
  double sum = 0;
  for (const Autocorrelation& one : all) sum += one.weight;
  for (Autocorrelation& one : all) one.weight /= sum;
  return all;
}

void draw_errors(double r, Stream& stream, std::span<double> into) {
  double error = normal_draw(stream) / std::sqrt(1 - r * r);
  for (double& value : into) {
    value = error;
    error = r * error + normal_draw(stream);
  }
}

}  // namespace plumb::stats
