#include <fmt/format.h>

#include <cmath>

#include "plumb/mismatch/measure/sample_checks.h"

namespace plumb::mismatch {
namespace {

// Mean and standard error over prompts.
struct Mean {
  double value = 0, error = 0;
  std::size_t n = 0;

  explicit Mean(std::span<const double> values) : n(values.size()) {
    if (n < 2) return;
    const auto count = static_cast<double>(n);
    for (const double x : values) value += x / count;
    double squares = 0;
    for (const double x : values) squares += (x - value) * (x - value);
    error = std::sqrt(squares / (count - 1) / count);
  }
  // Rounding alone has no error.
  double distance(double from) const {
    const double gap = value - from;
    return std::abs(gap) < 1e-9 ? 0 : gap / (error + 1e-12);
  }
};

constexpr double kFar = 4;

}  // namespace

std::vector<std::string> check_divergence(const SampleTable& table) {
  std::size_t apart = 0, negative = 0;
  for (std::size_t place = 0; place < table.steps.size(); ++place) {
    std::vector<double> differences, estimates;
    for (const SampleGroup& group : table.at_step(place)) {
      const double exact = measured_mean(table.kl, group.begin, group.end);
      const double k1 = measured_mean(table.k1, group.begin, group.end);
      if (!std::isnan(k1)) estimates.push_back(k1);
      if (!std::isnan(k1) && !std::isnan(exact)) differences.push_back(k1 - exact);
    }
    const Mean estimate(estimates), difference(differences);
    negative += estimate.n >= 2 && estimate.distance(0) < -kFar ? 1 : 0;
    apart += difference.n >= 2 && std::abs(difference.distance(0)) > kFar ? 1 : 0;
  }
  std::vector<std::string> sentences;
  if (negative > 0) {
    sentences.push_back(
        fmt::format("The mean of k1 (log-probability less the reference's) lies far below 0 at {} "
                    "of {} steps, which no policy's own samples do: are log_probability and "
                    "reference_log_probability swapped?",
                    negative, table.steps.size()));
  } else if (apart > 0) {
    sentences.push_back(fmt::format(
        "Exact KL and the mean of k1 lie more than four standard errors apart at {} of {} steps: "
        "log-probabilities and \"kl\" are not of the same policies.",
        apart, table.steps.size()));
  }
  return sentences;
}

}  // namespace plumb::mismatch
