#include "plumb/stats/classification.h"

#include <algorithm>

namespace plumb::stats {
namespace {

double ratio(double part, double whole) { return whole == 0 ? 0.0 : part / whole; }

// Whether pair i occurs, and how often.
double weight_of(std::span<const double> weights, std::size_t i) {
  return weights.empty() ? 1.0 : weights[i];
}

std::vector<int> labels_of(std::span<const int> gold, std::span<const int> answers,
                           std::span<const double> weights) {
  std::vector<int> labels;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    if (weight_of(weights, i) > 0) labels.insert(labels.end(), {gold[i], answers[i]});
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

std::size_t place(const std::vector<int>& labels, int label) {
  const auto found = std::lower_bound(labels.begin(), labels.end(), label);
  return static_cast<std::size_t>(found - labels.begin());
}

std::vector<double> gold_sizes(const Confusion& table) {
  const std::size_t size = table.labels.size();
  std::vector<double> sizes(size);
  for (std::size_t i = 0; i < table.counts.size(); ++i) {
    sizes[i / size] += table.counts[i];
  }
  return sizes;
}

std::vector<double> answer_sizes(const Confusion& table) {
  const std::size_t size = table.labels.size();
  std::vector<double> sizes(size);
  for (std::size_t i = 0; i < table.counts.size(); ++i) {
    sizes[i % size] += table.counts[i];
  }
  return sizes;
}

ClassScores average(const Confusion& table, std::span<const double> weights) {
  const std::vector<ClassScores> classes = per_class(table);
  ClassScores sum{0, 0, 0};
  double weight = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    sum.precision += weights[i] * classes[i].precision;
    sum.recall += weights[i] * classes[i].recall;
    sum.f1 += weights[i] * classes[i].f1;
    weight += weights[i];
  }
  return {sum.precision / weight, sum.recall / weight, sum.f1 / weight};
}

}  // namespace

tl::expected<Confusion, Undefined> confusion(std::span<const int> gold,
                                             std::span<const int> answers,
                                             std::span<const double> weights) {
  if (gold.size() != answers.size() || (!weights.empty() && weights.size() != gold.size())) {
    return undefined("gold and answers differ in length");
  }
  Confusion table;
  table.labels = labels_of(gold, answers, weights);
  if (table.labels.empty()) return undefined("there are no items");
  if (table.labels.front() < 0) return undefined("a label is negative");
  table.counts.resize(table.labels.size() * table.labels.size());
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const double weight = weight_of(weights, i);
    if (weight == 0) continue;
    const std::size_t row = place(table.labels, gold[i]);
    table.counts[row * table.labels.size() + place(table.labels, answers[i])] += weight;
    table.total += weight;
  }
  return table;
}

double accuracy(const Confusion& table) {
  double right = 0;
  for (std::size_t i = 0; i < table.labels.size(); ++i) right += table.at(i, i);
  return right / table.total;
}

std::vector<ClassScores> per_class(const Confusion& table) {
  const std::vector<double> gold = gold_sizes(table), answered = answer_sizes(table);
  std::vector<ClassScores> scores;
  for (std::size_t i = 0; i < table.labels.size(); ++i) {
    const double right = table.at(i, i);
    scores.push_back({ratio(right, answered[i]), ratio(right, gold[i]),
                      ratio(2 * right, answered[i] + gold[i])});
  }
  return scores;
}

ClassScores macro_average(const Confusion& table) {
  return average(table, std::vector<double>(table.labels.size(), 1.0));
}

ClassScores weighted_average(const Confusion& table) { return average(table, gold_sizes(table)); }

}  // namespace plumb::stats
