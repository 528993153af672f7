#include "plumb/stats/classification.h"

#include <algorithm>

namespace plumb::stats {
namespace {

double ratio(double part, double whole) { return whole == 0 ? 0.0 : part / whole; }

std::vector<int> labels_of(std::span<const int> gold, std::span<const int> answers) {
  std::vector<int> labels(gold.begin(), gold.end());
  labels.insert(labels.end(), answers.begin(), answers.end());
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
    sizes[i / size] += static_cast<double>(table.counts[i]);
  }
  return sizes;
}

std::vector<double> answer_sizes(const Confusion& table) {
  const std::size_t size = table.labels.size();
  std::vector<double> sizes(size);
  for (std::size_t i = 0; i < table.counts.size(); ++i) {
    sizes[i % size] += static_cast<double>(table.counts[i]);
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
                                             std::span<const int> answers) {
  if (gold.size() != answers.size()) return undefined("gold and answers differ in length");
  if (gold.empty()) return undefined("there are no items");
  Confusion table;
  table.labels = labels_of(gold, answers);
  if (table.labels.front() < 0) return undefined("a label is negative");
  table.counts.resize(table.labels.size() * table.labels.size());
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const std::size_t row = place(table.labels, gold[i]);
    ++table.counts[row * table.labels.size() + place(table.labels, answers[i])];
  }
  table.total = static_cast<std::int64_t>(gold.size());
  return table;
}

double accuracy(const Confusion& table) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < table.labels.size(); ++i) right += table.at(i, i);
  return static_cast<double>(right) / static_cast<double>(table.total);
}

std::vector<ClassScores> per_class(const Confusion& table) {
  const std::vector<double> gold = gold_sizes(table), answered = answer_sizes(table);
  std::vector<ClassScores> scores;
  for (std::size_t i = 0; i < table.labels.size(); ++i) {
    const auto right = static_cast<double>(table.at(i, i));
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
