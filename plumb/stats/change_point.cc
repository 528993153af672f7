#include "plumb/stats/change_point.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/stats/autoregression.h"
#include "plumb/stats/sums.h"

namespace plumb::stats {
namespace {

// What does not depend on y: x and the hinges, centred, and the hinges freed of x.
struct Design {
  std::vector<double> knots;
  std::vector<double> x;                    // centred
  std::vector<std::vector<double>> hinges;  // [knots], each without its part along x
  std::vector<double> along;                // that part's coefficient
  double xx = 0;
};

Design design_of(std::span<const double> x) {
  Design design;
  design.x = centred(x);
  design.xx = dot(design.x, design.x);
  std::vector<double> different(x.begin(), x.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  for (std::size_t k = 2; k + 2 < different.size(); ++k) {
    std::vector<double> hinge;
    for (const double at : x) hinge.push_back(std::max(0.0, at - different[k]));
    hinge = centred(hinge);
    const double slope = dot(design.x, hinge) / design.xx;
    for (std::size_t i = 0; i < hinge.size(); ++i) hinge[i] -= slope * design.x[i];
    design.knots.push_back(different[k]);
    design.along.push_back(slope);
    design.hinges.push_back(std::move(hinge));
  }
  return design;
}

BrokenLine fit(const Design& design, std::span<const double> y) {
  const std::vector<double> values = centred(y);
  const double slope = dot(design.x, values) / design.xx;
  const double line_rss = std::max(0.0, dot(values, values) - slope * slope * design.xx);
  BrokenLine best{0, slope, slope, std::numeric_limits<double>::infinity(), line_rss, y.size()};
  for (std::size_t k = 0; k < design.knots.size(); ++k) {
    const std::vector<double>& hinge = design.hinges[k];
    const double size = dot(hinge, hinge), bend = dot(hinge, values) / size;
    const double rss = std::max(0.0, line_rss - bend * bend * size);
    if (rss >= best.rss) continue;
    const double before = slope - bend * design.along[k];
    best = {design.knots[k], before, before + bend, rss, line_rss, y.size()};
  }
  return best;
}

// One line leaves nothing of y.
bool is_line(const BrokenLine& found, std::span<const double> y) {
  const std::vector<double> values = centred(y);
  return is_constant(y) || found.line_rss <= 1e-24 * dot(values, values);
}

// Of the errors' autocorrelation, all places where the lines may meet equally likely before.
double log_likelihood_of_two_lines(const Design& design, std::span<const double> y, double r) {
  std::vector<std::vector<double>> columns = {std::vector<double>(y.size(), 1.0), design.x, {}};
  std::vector<double> logs;
  for (const std::vector<double>& hinge : design.hinges) {
    columns[2] = hinge;
    const double size = std::sqrt(dot(hinge, hinge));
    for (double& value : columns[2]) value /= size;
    logs.push_back(fit_whitened(columns, y, r).log_likelihood);
  }
  const double most = std::ranges::max(logs);
  double sum = 0;
  for (const double one : logs) sum += std::exp(one - most);
  return most + std::log(sum);
}

double draw(std::span<const Autocorrelation> likely, Stream& stream) {
  double left = stream.uniform();
  for (const Autocorrelation& one : likely) {
    left -= one.weight;
    if (left < 0) return one.r;
  }
  return likely.back().r;
}

Undefined reason_against(std::span<const double> x, std::span<const double> y, bool& sound) {
  const auto finite = [](double value) { return std::isfinite(value); };
  sound = false;
  if (!std::ranges::all_of(x, finite) || !std::ranges::all_of(y, finite)) {
    return {"a value is not finite"};
  }
  std::size_t different = x.empty() ? 0 : 1;
  for (std::size_t i = 1; i < x.size(); ++i) different += x[i] != x[i - 1] ? 1 : 0;
  if (different < 5) return {"fewer than five checkpoints"};
  sound = true;
  return {""};
}

}  // namespace

double BrokenLine::f() const {
  if (points <= 3 || rss <= 1e-14 * line_rss) return std::numeric_limits<double>::infinity();
  return (line_rss - rss) / (rss / static_cast<double>(points - 3));
}

tl::expected<BrokenLine, Undefined> fit_broken_line(std::span<const double> x,
                                                    std::span<const double> y) {
  bool sound = false;
  const Undefined reason = reason_against(x, y, sound);
  if (!sound) return tl::unexpected(reason);
  return fit(design_of(x), y);
}

tl::expected<ChangePoint, Undefined> change_point_test(std::span<const double> x,
                                                       std::span<const double> y,
                                                       const BootstrapOptions& options) {
  bool sound = false;
  const Undefined reason = reason_against(x, y, sound);
  if (!sound) return tl::unexpected(reason);
  const Design design = design_of(x);
  const BrokenLine found = fit(design, y);
  if (is_line(found, y)) return undefined("all points are on one line");
  const std::vector<Autocorrelation> likely =
      weigh_autocorrelations([&](double r) { return log_likelihood_of_two_lines(design, y, r); });
  std::vector<char> larger(options.resamples);
  parallel_for(options.resamples, 8, options.threads, [&](std::size_t begin, std::size_t end) {
    std::vector<double> drawn(y.size());
    for (std::size_t r = begin; r < end; ++r) {
      Stream stream(options.seed, "change-point", r);
      draw_errors(draw(likely, stream), stream, drawn);
      larger[r] = fit(design, drawn).f() >= found.f() ? 1 : 0;
    }
  });
  const auto count = static_cast<double>(std::ranges::count(larger, 1));
  return ChangePoint{found, (count + 1) / (static_cast<double>(options.resamples) + 1)};
}

}  // namespace plumb::stats
