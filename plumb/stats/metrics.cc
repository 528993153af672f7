#include "plumb/stats/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace plumb::stats {
namespace {

constexpr std::string_view kNoItems = "there are no items";

double real(std::int64_t count) { return static_cast<double>(count); }

double total(std::span<const std::int64_t> sizes) {
  return real(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
}

// P(t) for t = 0 .. n of a binomial with 0 < p < 1, by the ratio of neighbours from the mode, where
// nothing underflows that matters.
std::vector<double> binomial(std::size_t n, double p) {
  std::vector<double> weights(n + 1);
  const auto mode = static_cast<std::size_t>(static_cast<double>(n + 1) * p);
  const double odds = p / (1 - p);
  weights[mode] = 1;
  for (std::size_t t = mode; t < n; ++t) {
    weights[t + 1] = weights[t] * odds * static_cast<double>(n - t) / static_cast<double>(t + 1);
  }
  for (std::size_t t = mode; t > 0; --t) {
    weights[t - 1] = weights[t] / odds * static_cast<double>(t) / static_cast<double>(n - t + 1);
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

// F1 of a class of `size` of `items` where each item is answered so with probability in `guesses`.
double expected_f1(double size, double items, std::span<const double> guesses) {
  double sum = 0;
  for (std::size_t t = 0; t < guesses.size(); ++t) {
    const auto named = static_cast<double>(t);
    sum += guesses[t] * 2 * (named * size / items) / (named + size);
  }
  return sum;
}

tl::expected<std::vector<Document>, Undefined> constant_answer(std::size_t documents,
                                                               std::size_t relevant) {
  if (relevant > documents) return undefined("more documents are relevant than there are");
  std::vector<Document> answer(documents, {0, 0});
  for (std::size_t i = 0; i < relevant; ++i) answer[i].grade = 1;
  return answer;
}

}  // namespace

Score chance_accuracy(std::span<const std::int64_t> class_sizes) {
  if (class_sizes.empty()) return undefined(kNoItems);
  return 1 / static_cast<double>(class_sizes.size());
}

Score majority_accuracy(std::span<const std::int64_t> class_sizes) {
  if (class_sizes.empty()) return undefined(kNoItems);
  return real(*std::max_element(class_sizes.begin(), class_sizes.end())) / total(class_sizes);
}

tl::expected<AverageF1, Undefined> chance_f1(std::span<const std::int64_t> class_sizes) {
  if (class_sizes.empty()) return undefined(kNoItems);
  if (class_sizes.size() == 1) return AverageF1{1, 1};
  const double items = total(class_sizes), classes = static_cast<double>(class_sizes.size());
  const std::vector<double> guesses = binomial(static_cast<std::size_t>(items), 1 / classes);
  AverageF1 mean{0, 0};
  for (const std::int64_t size : class_sizes) {
    const double f1 = expected_f1(real(size), items, guesses);
    mean.macro += f1 / classes;
    mean.weighted += f1 * real(size) / items;
  }
  return mean;
}

Score chance_average_precision(std::size_t documents, std::size_t relevant) {
  return constant_answer(documents, relevant).and_then([](const auto& answer) {
    return average_precision(answer);
  });
}

Score chance_reciprocal_rank(std::size_t documents, std::size_t relevant, std::size_t cutoff) {
  return constant_answer(documents, relevant).and_then([&](const auto& answer) {
    return reciprocal_rank(answer, TieRule::kExpected, cutoff);
  });
}

Score chance_precision_at(std::size_t documents, std::size_t relevant, std::size_t cutoff) {
  return constant_answer(documents, relevant).and_then([&](const auto& answer) {
    return precision_at(answer, cutoff);
  });
}

Score chance_ndcg(std::span<const double> grades, std::size_t cutoff, Gain gain) {
  std::vector<Document> answer;
  for (const double grade : grades) answer.push_back({grade, 0});
  return ndcg(answer, cutoff, TieRule::kExpected, gain);
}

}  // namespace plumb::stats
