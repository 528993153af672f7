// Krippendorff's alpha, ordinal, with its bootstrap over items: time and memory of one process.
//
//   krippendorff_bench [distinct values, default 5]
#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

#include "bench/peak_memory.h"
#include "plumb/base/random.h"
#include "plumb/stats/krippendorff.h"

namespace {

constexpr std::size_t kItems = 100000, kRaters = 5, kResamples = 1000;

// Each rater sees the item's value with an error of up to a fifth of the scale.
plumb::stats::Ratings simulate(std::size_t values) {
  std::vector<std::optional<double>> answers;
  answers.reserve(kItems * kRaters);
  for (std::size_t item = 0; item < kItems; ++item) {
    plumb::Stream stream(1, "bench", item);
    const double truth = stream.uniform();
    for (std::size_t rater = 0; rater < kRaters; ++rater) {
      const double seen = 0.2 + 0.6 * truth + 0.4 * (stream.uniform() - 0.5);
      answers.emplace_back(std::floor(seen * static_cast<double>(values)));
    }
  }
  return *plumb::stats::numeric_ratings(answers, kRaters);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t values = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5;
  const plumb::stats::Ratings ratings = simulate(values);
  const auto start = std::chrono::steady_clock::now();
  const auto result = plumb::stats::krippendorff_bootstrap(ratings, plumb::stats::Level::kOrdinal,
                                                           {.resamples = kResamples, .seed = 1});
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!result) return 1;
  fmt::print(
      "{{\"name\":\"krippendorff-ordinal-bootstrap\",\"seconds\":{:.3f},\"peak_megabytes\":{:.1f},"
      "\"items\":{},\"raters\":{},\"values\":{},\"resamples\":{},\"alpha\":{:.6f},"
      "\"interval\":[{:.6f},{:.6f}]}}\n",
      elapsed.count(), peak_megabytes(), kItems, kRaters, ratings.categories(), result->resamples,
      result->alpha, result->interval.low, result->interval.high);
}
