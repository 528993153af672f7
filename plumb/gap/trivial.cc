#include "plumb/gap/trivial.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "plumb/stats/clustering.h"
#include "plumb/stats/metrics.h"

namespace plumb::gap {
namespace {

std::vector<TrivialAnswer> classification(std::span<const int> sizes) {
  const int items = std::accumulate(sizes.begin(), sizes.end(), 0);
  return {{"random", 1.0 / static_cast<double>(sizes.size())},
          {"majority", static_cast<double>(std::ranges::max(sizes)) / items}};
}

// Labels that know nothing of the classes, in groups of stated sizes, have an expected V-measure.
std::vector<TrivialAnswer> clustering(std::span<const int> class_sizes) {
  const std::vector<std::int64_t> sizes(class_sizes.begin(), class_sizes.end());
  const std::int64_t items = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  const std::vector<std::int64_t> one = {items};
  const std::vector<std::int64_t> singletons(static_cast<std::size_t>(items), 1);
  return {{"random", stats::expected_v_measure(sizes, sizes)},
          {"one cluster", stats::expected_v_measure(sizes, one)},
          {"singletons", stats::expected_v_measure(sizes, singletons)}};
}

// REQUIRES: at least one relevant document, as every suite has.
std::vector<TrivialAnswer> reranking(const tasks::SuiteTask& task) {
  return {{"random", *stats::chance_average_precision(static_cast<std::size_t>(task.documents),
                                                      static_cast<std::size_t>(task.relevant))}};
}

}  // namespace

std::vector<TrivialAnswer> trivial_answers(const tasks::SuiteTask& task) {
  switch (task.type) {
    case tasks::TaskType::kClassification:
      return classification(task.class_sizes);
    case tasks::TaskType::kClustering:
      return clustering(task.class_sizes);
    case tasks::TaskType::kReranking:
      return reranking(task);
    case tasks::TaskType::kSts:
      return {{"random", 0.0}};
    case tasks::TaskType::kOther:
      break;
  }
  return {};
}

std::optional<TrivialAnswer> best_trivial_answer(const tasks::SuiteTask& task) {
  const std::vector<TrivialAnswer> answers = trivial_answers(task);
  if (answers.empty()) return std::nullopt;
  return *std::ranges::max_element(answers, {}, &TrivialAnswer::score);
}

}  // namespace plumb::gap
