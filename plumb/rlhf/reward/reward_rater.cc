#include "plumb/rlhf/reward/reward_rater.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::rlhf {
namespace {

tasks::Answer answer_of(double difference, const PairLabel& likely,
                        const std::optional<tasks::Scale>& scale) {
  if (difference == 0 || likely.tie > std::max(likely.win, likely.loss)) {
    return {static_cast<double>(tasks::Choice::kTie), 0};
  }
  const double share = std::max(likely.win, likely.loss) / (likely.win + likely.loss);
  const double strength = scale ? scale->low + (scale->high - scale->low) * (2 * share - 1) : 0;
  return {static_cast<double>(difference > 0 ? tasks::Choice::kA : tasks::Choice::kB), strength};
}

}  // namespace

Result<std::vector<tasks::AnswerSheet>> RewardRater::answer(const tasks::Task& task,
                                                            const tasks::RateOptions& options) {
  if (task.kind != tasks::Kind::kPreference) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: a reward model answers preference tasks, and \"{}\" is of kind {}",
                            name(), task.name, kind_name(task.kind)));
  }
  PreferenceData data;
  for (const tasks::Item& item : task.items) {
    data.comparisons.push_back(comparison_of(item, task.name));
  }
  PLUMB_TRY(scores, score_comparisons(*reward_, data, options.threads));
  tasks::AnswerSheet sheet{.rater = name(), .kind = kind()};
  sheet.provenance = reward_->provenance();
  sheet.provenance["truncated"] = scores.truncated;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const double difference = scores.values[i][0] - scores.values[i][1];
    sheet.answers.emplace_back(
        answer_of(difference, reward_->outcome_probabilities(difference), task.scale));
  }
  if (options.progress) options.progress(task.items.size(), task.items.size());
  return std::vector{std::move(sheet)};
}

}  // namespace plumb::rlhf
