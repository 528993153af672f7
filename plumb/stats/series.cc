#include "plumb/stats/series.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/stats/equivalence.h"

namespace plumb::stats {
namespace {

constexpr std::size_t kFewest = 6;

std::vector<double> centred(std::span<const double> values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  std::vector<double> rest(values.begin(), values.end());
  for (double& value : rest) value -= sum / static_cast<double>(values.size());
  return rest;
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The first autocorrelation; least squares on short series finds it too low by (1 + 4 r) / T.
double autocorrelation(std::span<const double> residuals) {
  const double size = dot(residuals, residuals);
  if (size == 0) return 0;
  const double raw = dot(residuals.subspan(1), residuals.first(residuals.size() - 1)) / size;
  return std::clamp(raw + (1 + 4 * raw) / static_cast<double>(residuals.size()), 0.0, 0.9);
}

std::vector<double> whitened(std::span<const double> residuals, double r) {
  std::vector<double> rest;
  for (std::size_t t = 1; t < residuals.size(); ++t) {
    rest.push_back(residuals[t] - r * residuals[t - 1]);
  }
  rest = centred(rest);
  const auto n = static_cast<double>(residuals.size());
  for (double& value : rest) value *= std::sqrt(n / (n - 3));  // for level, slope and r
  return rest;
}

// One resample of the residuals, [innovations + 1].
std::vector<double> coloured(std::span<const double> innovations, double r, std::size_t block,
                             Stream& stream) {
  std::vector<double> series = {innovations[stream.below(innovations.size())] /
                                std::sqrt(1 - r * r)};
  for (const std::size_t i : draw_blocks(innovations.size(), block, stream)) {
    series.push_back(r * series.back() + innovations[i]);
  }
  return series;
}

// Without residuals there is no error.
Interval correlation_interval(double r, double error, double quantile) {
  if (1 - std::abs(r) < 1e-12) return {r, r};
  const double reach = quantile * error / std::sqrt(1 - r * r);
  return {std::tanh(std::atanh(r) - reach), std::tanh(std::atanh(r) + reach)};
}

}  // namespace

std::vector<std::size_t> draw_blocks(std::size_t size, std::size_t block, Stream& stream) {
  std::vector<std::size_t> places;
  while (places.size() < size) {
    const std::size_t first = stream.below(size);
    for (std::size_t i = 0; i < block && places.size() < size; ++i) {
      places.push_back((first + i) % size);
    }
  }
  return places;
}

tl::expected<SeriesLink, Undefined> series_link(std::span<const double> x,
                                                std::span<const double> y,
                                                const BootstrapOptions& options) {
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(x, finite) || !std::ranges::all_of(y, finite)) {
    return undefined("a value is not finite");
  }
  if (x.size() < kFewest) return undefined("fewer than six checkpoints");
  const std::vector<double> cx = centred(x), cy = centred(y);
  const double xx = dot(cx, cx), yy = dot(cy, cy), xy = dot(cx, cy);
  if (xx == 0 || yy == 0) return undefined("a side does not change over the checkpoints");
  SeriesLink link{};
  link.slope = xy / xx;
  link.correlation = std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
  std::vector<double> residuals = cy;
  for (std::size_t t = 0; t < cy.size(); ++t) residuals[t] -= link.slope * cx[t];
  link.autocorrelation = autocorrelation(residuals);
  const auto size = static_cast<double>(x.size());
  link.block = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(std::cbrt(size))));
  link.freedom = size / static_cast<double>(link.block) - 1;
  const auto innovations = whitened(residuals, link.autocorrelation);
  std::vector<double> slopes(options.resamples);
  parallel_for(options.resamples, 16, options.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      Stream stream(options.seed, "series", r);
      slopes[r] = dot(cx, coloured(innovations, link.autocorrelation, link.block, stream)) / xx;
    }
  });
  const std::vector<double> about = centred(slopes);
  link.deviation = std::sqrt(dot(about, about) / static_cast<double>(options.resamples - 1));
  const double quantile = student_quantile((1 + options.level) / 2, link.freedom);
  const double reach = quantile * link.deviation;
  link.slope_ci = {link.slope - reach, link.slope + reach};
  link.correlation_ci =
      correlation_interval(link.correlation, link.deviation * std::sqrt(xx / yy), quantile);
  return link;
}

}  // namespace plumb::stats
