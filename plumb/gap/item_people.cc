#include "plumb/gap/item_people.h"

#include <cmath>

#include "plumb/stats/bootstrap.h"
#include "plumb/stats/krippendorff.h"
#include "plumb/tasks/consensus.h"

namespace plumb::gap {
namespace {

using stats::Counts;
using stats::Score;
using stats::undefined;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Scorer;
using tasks::Task;

// The task with these answers as its gold.
Task with_gold(const Task& task, const AnswerSheet& gold) {
  Task result = task;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    result.items[i].gold = gold.answers[i].value_or(tasks::Answer{});
  }
  return result;
}

// Each annotator against each other one as gold.
Result<std::vector<Scorer>> pairwise(const Task& task, const SheetPointers& people,
                                     const tasks::MetricOptions& metric) {
  std::vector<Scorer> scorers;
  for (std::size_t a = 0; a < people.size(); ++a) {
    const Task gold = with_gold(task, *people[a]);
    for (std::size_t b = 0; b < people.size(); ++b) {
      if (a == b) continue;
      PLUMB_TRY(scorer, Scorer::make(gold, *people[b], metric));
      scorers.push_back(std::move(scorer));
    }
  }
  return scorers;
}

// Each annotator against what the others say together; where that does not exist, against each.
Result<Score> human_ceiling(const Task& task, const SheetPointers& people,
                            const tasks::MetricOptions& metric) {
  if (people.size() < 2) return undefined("there is one annotator");
  std::vector<Scorer> scorers;
  for (std::size_t a = 0; a < people.size(); ++a) {
    SheetPointers rest = people;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(a));
    const auto together = tasks::consensus(task, rest);
    if (!together || task.kind == Kind::kReranking) {
      PLUMB_TRY(pairs, pairwise(task, people, metric));
      return mean_score(pairs, {}, {});
    }
    PLUMB_TRY(scorer, Scorer::make(with_gold(task, *together), *people[a], metric));
    scorers.push_back(std::move(scorer));
  }
  return mean_score(scorers, {}, {});
}

// With mean correlation r between two annotators, the mean of k has reliability k r / (1 + (k-1) r)
// (Spearman 1910, Brown 1910), and nothing correlates with it by more than the root of that.
Score noise_ceiling(const Task& task, const std::vector<Scorer>& pairs, std::size_t people) {
  if (task.kind != Kind::kSts) return undefined("only ratings have one");
  if (people < 2) return undefined("there is one annotator");
  const Score r = mean_score(pairs, {}, {});
  if (!r) return r;
  if (*r <= 0) return undefined("the annotators do not correlate");
  const auto k = static_cast<double>(people);
  return std::sqrt(k * *r / (1 + (k - 1) * *r));
}

// Krippendorff's alpha over the first number of each answer.
std::optional<AgreementScore> alpha_of(const Task& task, const SheetPointers& people,
                                       stats::Level level, const ItemGapOptions& options) {
  std::vector<std::optional<double>> answers;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    for (const AnswerSheet* sheet : people) {
      const auto& answer = sheet->answers[i];
      answers.push_back(answer ? std::optional((*answer)[0]) : std::nullopt);
    }
  }
  const auto ratings = stats::numeric_ratings(answers, people.size());
  if (!ratings) return std::nullopt;
  const auto alpha = stats::krippendorff_bootstrap(
      *ratings, level,
      {options.sampling.resamples, options.level, options.sampling.seed, options.sampling.threads});
  if (!alpha) return std::nullopt;
  return AgreementScore{level == stats::Level::kNominal ? "Krippendorff's alpha, nominal"
                                                        : "Krippendorff's alpha, interval",
                        alpha->alpha, alpha->interval};
}

// The mean over pairs of annotators of a symmetric score.
Result<std::optional<AgreementScore>> pairwise_agreement(const Task& task,
                                                         const SheetPointers& people,
                                                         const std::string& metric,
                                                         const ItemGapOptions& options) {
  PLUMB_TRY(pairs, pairwise(task, people, {.metric = metric}));
  const stats::BootstrapOptions how{.resamples = options.sampling.resamples,
                                    .level = options.level,
                                    .seed = options.sampling.seed,
                                    .threads = options.sampling.threads};
  const auto statistic = [&](Counts counts, std::span<Score> value) {
    value[0] = mean_score(pairs, counts, {});
  };
  stats::Draws draws =
      stats::paired_bootstrap(stats::Resampling::of_items(task.items.size()), 1, statistic, how);
  if (task.kind == Kind::kClustering) stats::centre(draws);
  if (!draws.points[0]) return std::nullopt;
  return AgreementScore{metric == "ari" ? "mean pairwise ARI" : "mean pairwise tau-b",
                        *draws.points[0], stats::summarize(draws, 0, how).interval};
}

Result<std::optional<AgreementScore>> agreement(const Task& task, const SheetPointers& people,
                                                const ItemGapOptions& options) {
  if (people.size() < 2) return std::nullopt;
  switch (task.kind) {
    case Kind::kSts:
      return alpha_of(task, people, stats::Level::kInterval, options);
    case Kind::kClustering:
      return pairwise_agreement(task, people, "ari", options);
    case Kind::kReranking:
      return pairwise_agreement(task, people, "kendall_tau_b", options);
    default:
      return alpha_of(task, people, stats::Level::kNominal, options);
  }
}

}  // namespace

// The mean of the sheets that have a score; weights: [sheets] or empty.
Score mean_score(std::span<const Scorer> scorers, Counts items, Counts weights) {
  double sum = 0, total = 0;
  Score last = undefined("there are no answers");
  for (std::size_t s = 0; s < scorers.size(); ++s) {
    const double weight = weights.empty() ? 1 : weights[s];
    if (weight == 0) continue;
    const Score score = scorers[s].score(items);
    if (!score) {
      last = score;
      continue;
    }
    sum += weight * *score;
    total += weight;
  }
  if (total == 0) return last;
  return sum / total;
}

Result<void> measure_people(const Task& task, const SheetPointers& people,
                            const ItemGapOptions& options, ItemComparison& result) {
  PLUMB_TRY(agreed, agreement(task, people, options));
  result.agreement = agreed;
  PLUMB_TRY(ceiling, human_ceiling(task, people, options.metric));
  result.human_ceiling = ceiling;
  PLUMB_TRY(pairs, pairwise(task, people, options.metric));
  result.noise_ceiling = noise_ceiling(task, pairs, people.size());
  return {};
}

}  // namespace plumb::gap
