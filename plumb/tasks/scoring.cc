#include "plumb/tasks/scoring.h"

#include <fmt/format.h>

#include <limits>

#include "plumb/tasks/metric_functions.h"

namespace plumb::tasks {
namespace {

using stats::Score;
using stats::undefined;

// ---- what answers must look like

bool fits(const Task& task, const Item& item, const Answer& answer) {
  switch (task.kind) {
    case Kind::kClassification:
      return answer.size() == task.labels.size() ||
             (answer.size() == 1 && answer[0] >= 0 &&
              answer[0] < static_cast<double>(task.labels.size()));
    case Kind::kReranking:
      return answer.size() + 1 == item.texts.size();
    case Kind::kPreference:
      return answer.size() == 4 || (answer.size() == 2 && answer[0] >= 0 && answer[0] < 4);
    case Kind::kSts:
    case Kind::kClustering:
      break;
  }
  return answer.size() == 1;
}

Result<Answered> answered_items(const Task& task, const AnswerSheet& sheet,
                                const MetricOptions& options) {
  if (sheet.answers.size() != task.items.size()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: {} answers for the {} items of {}; answers belong to one task",
                            sheet.rater, sheet.answers.size(), task.items.size(), task.name));
  }
  Answered answered{&task, options.cutoff, options.ties, {}, {}, {}, {}};
  answered.made.reserve(task.items.size());  // answers point into it
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const Item& item = task.items[i];
    const Answer* answer = sheet.answers[i] ? &*sheet.answers[i] : nullptr;
    if (answer == nullptr && options.missing == Missing::kUninformed) {
      answer = &answered.made.emplace_back(uninformed_answer(task, item));
    }
    if (answer == nullptr || item.gold.empty()) continue;
    if (!fits(task, item, *answer)) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: the answer to item {} does not fit the item; check that it was "
                              "made for {}",
                              sheet.rater, item.id, task.name));
    }
    answered.items.push_back(i);
    answered.golds.push_back(&item.gold);
    answered.answers.push_back(answer);
  }
  return answered;
}

}  // namespace

stats::TaskKinds metric_kind(Kind kind) {
  switch (kind) {
    case Kind::kSts:
      return stats::kSts;
    case Kind::kClassification:
      return stats::kClassification;
    case Kind::kClustering:
      return stats::kClustering;
    case Kind::kReranking:
      return stats::kReranking;
    case Kind::kPreference:
      break;
  }
  return stats::kPreference;
}

std::string_view main_metric(Kind kind) { return metrics_of(kind).front(); }

Result<const stats::Metric*> metric_of(Kind kind, const MetricOptions& options) {
  const std::string_view id = options.metric.empty() ? main_metric(kind) : options.metric;
  if (find_metric(kind, id) != nullptr) return stats::find_metric(id);
  return fail(ErrorKind::kUsage, fmt::format("no metric '{}' for {} tasks; there are {}", id,
                                             kind_name(kind), fmt::join(metrics_of(kind), ", ")));
}

Result<Scorer> Scorer::make(const Task& task, const AnswerSheet& sheet,
                            const MetricOptions& options) {
  PLUMB_TRY(metric, metric_of(task.kind, options));
  PLUMB_TRY(answered, answered_items(task, sheet, options));
  MetricFunctions functions = find_metric(task.kind, metric->id)->make(answered);
  Scorer scorer;
  scorer.score_ = std::move(functions.score);
  scorer.chance_ = std::move(functions.chance);
  scorer.scored_ = answered.items.size();
  if (!functions.per_item.items.empty()) {
    scorer.per_item_.assign(task.items.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < functions.per_item.items.size(); ++i) {
      scorer.per_item_[functions.per_item.items[i]] = functions.per_item.values[i];
    }
    scorer.scored_ = functions.per_item.items.size();
  }
  scorer.left_out_ = task.items.size() - scorer.scored_;
  return scorer;
}

std::vector<double> label_shares(const Answer& answer, std::size_t labels) {
  if (answer.size() == labels && labels > 1) return answer;
  std::vector<double> shares(labels);
  shares[static_cast<std::size_t>(answer.front())] = 1;
  return shares;
}

Answer uninformed_answer(const Task& task, const Item& item) {
  switch (task.kind) {
    case Kind::kSts:
      return {task.scale ? (task.scale->low + task.scale->high) / 2 : 0};
    case Kind::kClassification:
      return task.labels.size() < 2
                 ? Answer{0}
                 : Answer(task.labels.size(), 1 / static_cast<double>(task.labels.size()));
    case Kind::kClustering:
      return {-1};  // a group of its own, apart from those that were made
    case Kind::kReranking:
      return Answer(item.texts.size() - 1, 0);
    case Kind::kPreference:
      break;
  }
  return {static_cast<double>(Choice::kTie), 0};
}

Score chance_normalised(const Score& score, const Score& chance) {
  if (!score) return score;
  if (!chance) return chance;
  if (*chance >= 1) return undefined("chance alone gives the full score");
  return (*score - *chance) / (1 - *chance);
}

}  // namespace plumb::tasks
