// The whole chain on worlds of samples: a gold score that falls where it is optimised too far, a
// proxy that sees it through noise, best of n by the estimator, the fit, its interval and its
// verdict.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "plumb/mismatch/ceiling.h"
#include "plumb/mismatch/testing.h"
#include "plumb/stats/best_of_n.h"
#include "plumb/stats/intervals.h"

namespace plumb::mismatch {
namespace {

using stats::CurveForm;

constexpr std::size_t kSamples = 256;

// Quality x is normal; gold is x - c max(0, x - t)^2; the proxy is x with normal noise.
struct World {
  double cost = 0;       // c: 0 is a world without extremal mismatch
  double threshold = 0;  // t
  double noise = 0;      // standard deviation of the proxy's error
  double variance() const { return 1 + noise * noise; }

  double gold(double x) const {
    const double beyond = std::max(0.0, x - threshold);
    return x - cost * beyond * beyond;
  }

  // E[gold | proxy]: x given the proxy is normal.
  double expected_gold(double proxy) const {
    const double mean = proxy / variance();
    const double deviation = noise / std::sqrt(variance());
    if (deviation == 0) return gold(mean);
    const double above = mean - threshold, z = above / deviation;
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    const double square = (above * above + deviation * deviation) * stats::normal_cdf(z) +
                          above * deviation * density;
    return mean - cost * square;
  }
};

const std::vector<std::size_t> kSizes = {1, 2, 4, 8, 16, 32, 64, 128, 256};

// E[gold of the best of n], over the quantiles u of the proxy with density n u^(n - 1).
double exact_gold(const World& world, double n) {
  constexpr int kSteps = 4000;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double u = std::pow((i + 0.5) / kSteps, 1 / n);
    sum += world.expected_gold(std::sqrt(world.variance()) * stats::normal_quantile(u)) / kSteps;
  }
  return sum;
}

// The peak of the curve that best fits the exact one: what the fit estimates in this world.
double true_peak(const World& world) {
  std::vector<double> d, reward;
  for (const std::size_t n : kSizes) {
    d.push_back(std::sqrt(stats::best_of_n_kl(static_cast<double>(n))));
    reward.push_back(exact_gold(world, static_cast<double>(n)) - exact_gold(world, 1));
  }
  return stats::curve_peak(CurveForm::kBestOfN,
                           stats::fit_curve(CurveForm::kBestOfN, {d, reward})->curve);
}

Curve draw_curve(const World& world, std::size_t prompts, Stream& stream) {
  std::vector<double> proxy(prompts * kSamples), gold(proxy.size());
  for (std::size_t i = 0; i < proxy.size(); i += 2) {  // Box and Muller, x and noise at once
    for (const std::size_t at : {i, i + 1}) {
      const double radius = std::sqrt(-2 * std::log(1 - stream.uniform()));
      const double angle = 2 * std::numbers::pi * stream.uniform();
      const double x = radius * std::cos(angle);
      gold[at] = world.gold(x);
      proxy[at] = x + world.noise * radius * std::sin(angle);
    }
  }
  const auto curves = stats::best_of_n_curves({prompts, kSamples, proxy, gold}, kSizes, 0);
  Curve curve;
  curve.name = "gold";
  for (std::size_t p = 0; p < prompts; ++p) {
    for (std::size_t k = 1; k < kSizes.size(); ++k) {
      curve.d.push_back(std::sqrt(stats::best_of_n_kl(static_cast<double>(kSizes[k]))));
      curve.reward.push_back(curves.gold[p * kSizes.size() + k] - curves.gold[p * kSizes.size()]);
      curve.cluster.push_back(static_cast<std::uint32_t>(p));
    }
  }
  curve.prompts = prompts;
  return curve;
}

struct Outcome {
  int covered = 0, detected = 0;
};

Outcome count(const World& world, int runs) {
  const double truth = true_peak(world);
  Outcome outcome;
  for (int run = 0; run < runs; ++run) {
    Stream stream(3, "sampled-world", static_cast<std::uint64_t>(run));
    const Curve curve = draw_curve(world, 100, stream);
    const auto reports = fit_curves(std::vector{curve},
                                    {.form = CurveForm::kBestOfN, .sampling = {.resamples = 1000}});
    const stats::Ceiling& ceiling = *reports[0].ceiling;
    outcome.covered += ceiling.d_star_ci.low <= truth && truth <= ceiling.d_star_ci.high ? 1 : 0;
    outcome.detected += ceiling.detected ? 1 : 0;
  }
  return outcome;
}

TEST(SampledWorld, WithExtremalMismatchHasItsCeilingDetectedAndCovered) {
  const Outcome outcome = count({.cost = 0.8, .threshold = 0.5, .noise = 0.5}, 200);
  RecordProperty("covered", outcome.covered);
  RecordProperty("detected", outcome.detected);
  EXPECT_GE(outcome.covered, 186);
  EXPECT_LE(outcome.covered, 194);
  EXPECT_GE(outcome.detected, 190);
}

TEST(SampledWorld, WithNoiseAloneHasNoCeilingDetected) {
  const Outcome outcome = count({.noise = 1}, 100);
  RecordProperty("detected", outcome.detected);
  EXPECT_LE(outcome.detected, 5);
}

TEST(SampledWorld, WithoutNoiseIsAligned) {
  Stream stream(3, "aligned", 0);
  const Curve curve = draw_curve({}, 50, stream);
  EXPECT_EQ(fit_curves(std::vector{curve}, {})[0].verdict, Verdict::kAligned);
}

}  // namespace
}  // namespace plumb::mismatch
