#include "plumb/gap/item_gap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/intervals.h"
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
using SheetPointers = std::vector<const AnswerSheet*>;

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

// What one row is computed from.
struct Contestant {
  RaterRow row;
  std::vector<Scorer> scorers;
  bool drawn = false;  // its sheets are a sample, of raters or of runs: drawn anew each time
};

Result<Contestant> contestant(const Task& task, std::string name, RowRole role,
                              const SheetPointers& sheets, const tasks::MetricOptions& metric) {
  Contestant result;
  result.row.name = std::move(name);
  result.row.role = role;
  result.row.kind = sheets.front()->kind;
  result.row.sheets = sheets.size();
  for (const AnswerSheet* sheet : sheets) {
    PLUMB_TRY(scorer, Scorer::make(task, *sheet, metric));
    result.row.items = std::max(result.row.items, scorer.scored());
    result.row.refused += sheet->refused;
    result.scorers.push_back(std::move(scorer));
  }
  result.drawn = sheets.size() > 1;
  return result;
}

void fill_spread(Contestant& contestant) {
  std::vector<double> scores;
  for (const Scorer& scorer : contestant.scorers) {
    if (const Score score = scorer.score()) scores.push_back(*score);
  }
  if (scores.size() < 2) return;
  const auto n = static_cast<double>(scores.size());
  double mean = 0, squares = 0;
  for (const double score : scores) mean += score / n;
  for (const double score : scores) squares += (score - mean) * (score - mean);
  contestant.row.spread = std::sqrt(squares / (n - 1));
}

void fill_chance(Contestant& contestant) {
  double sum = 0;
  std::size_t count = 0;
  for (const Scorer& scorer : contestant.scorers) {
    if (const Score chance = scorer.chance()) {
      sum += *chance;
      ++count;
    }
  }
  RaterRow& row = contestant.row;
  row.chance =
      count == 0 ? undefined("there are no answers") : Score(sum / static_cast<double>(count));
  row.normalised = tasks::chance_normalised(row.score, row.chance);
}

// The mean over the sheets in which an item counts.
void fill_items(Contestant& contestant) {
  std::vector<double> sums, counts;
  for (const Scorer& scorer : contestant.scorers) {
    const auto& values = scorer.per_item();
    sums.resize(std::max(sums.size(), values.size()));
    counts.resize(sums.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      sums[i] += values[i];
      ++counts[i];
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] = counts[i] == 0 ? std::numeric_limits<double>::quiet_NaN() : sums[i] / counts[i];
  }
  contestant.row.per_item = std::move(sums);
}

stats::Draws draw(const std::vector<Contestant>& contestants, std::size_t items,
                  const stats::ResampleOptions& options) {
  stats::Draws draws;
  draws.columns = contestants.size();
  for (const Contestant& each : contestants) {
    draws.points.push_back(mean_score(each.scorers, {}, {}));
  }
  if (items < 2) return draws;
  draws.values.assign(options.resamples * contestants.size(), undefined(""));
  const auto one = [&](std::size_t resample) {
    Stream stream(options.seed, "item gap", resample);
    std::vector<std::uint32_t> counts(items), raters;
    for (std::size_t i = 0; i < items; ++i) ++counts[stream.below(items)];
    for (std::size_t c = 0; c < contestants.size(); ++c) {
      const auto& scorers = contestants[c].scorers;
      raters.assign(contestants[c].drawn ? scorers.size() : 0, 0);
      for (std::size_t i = 0; i < raters.size(); ++i) ++raters[stream.below(raters.size())];
      draws.values[resample * contestants.size() + c] = mean_score(scorers, counts, raters);
    }
  };
  parallel_for(options.resamples, 8, options.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) one(r);
  });
  return draws;
}

// ---- people

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

// ---- rows

Calibration calibration_of(const Task& task, const AnswerSheet& sheet) {
  double n = 0, gold_sum = 0, answer_sum = 0, squares = 0, products = 0, errors = 0;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    if (!sheet.answers[i] || task.items[i].gold.empty()) continue;
    const double gold = task.items[i].gold[0], answer = (*sheet.answers[i])[0];
    ++n;
    gold_sum += gold;
    answer_sum += answer;
    squares += gold * gold;
    products += gold * answer;
    errors += (answer - gold) * (answer - gold);
  }
  const double variance = squares - gold_sum * gold_sum / n;
  return {sheet.rater, (answer_sum - gold_sum) / n,
          variance == 0 ? std::numeric_limits<double>::quiet_NaN()
                        : (products - gold_sum * answer_sum / n) / variance,
          errors / n};
}

struct Groups {
  SheetPointers people;
  std::vector<std::pair<std::string, SheetPointers>> raters;  // in their order
};

Groups grouped(std::span<const AnswerSheet> sheets) {
  Groups groups;
  for (const AnswerSheet& sheet : sheets) {
    if (sheet.kind == tasks::RaterKind::kPerson) {
      groups.people.push_back(&sheet);
      continue;
    }
    const auto found = std::find_if(groups.raters.begin(), groups.raters.end(),
                                    [&](const auto& group) { return group.first == sheet.rater; });
    if (found == groups.raters.end()) {
      groups.raters.push_back({sheet.rater, {&sheet}});
    } else {
      found->second.push_back(&sheet);
    }
  }
  return groups;
}

Result<std::vector<Contestant>> contestants_of(const Task& task, const Groups& groups,
                                               const std::optional<AnswerSheet>& together,
                                               const ItemGapOptions& options) {
  std::vector<Contestant> all;
  tasks::MetricOptions human_metric = options.metric;
  if (options.published) human_metric.ties = stats::TieRule::kSklearn;
  const auto add = [&](std::string name, RowRole role, const SheetPointers& sheets,
                       const tasks::MetricOptions& metric) -> Result<void> {
    PLUMB_TRY(made, contestant(task, std::move(name), role, sheets, metric));
    all.push_back(std::move(made));
    return {};
  };
  if (!groups.people.empty()) {
    // The published rule scores the vote or the mean rating; partitions and rankings one by one.
    const bool voted = options.published && together && task.kind != Kind::kReranking;
    const SheetPointers human = voted ? SheetPointers{&*together} : groups.people;
    if (auto added = add("human", RowRole::kHuman, human, human_metric); !added) {
      return tl::unexpected(added.error());
    }
    if (together && groups.people.size() > 1 && !options.published) {
      if (auto added = add("consensus", RowRole::kConsensus, {&*together}, human_metric); !added) {
        return tl::unexpected(added.error());
      }
    }
    for (const AnswerSheet* person : groups.people) {
      if (auto added = add(person->rater, RowRole::kAnnotator, {person}, human_metric); !added) {
        return tl::unexpected(added.error());
      }
    }
  }
  for (const auto& [name, sheets] : groups.raters) {
    if (auto added = add(name, RowRole::kRater, sheets, options.metric); !added) {
      return tl::unexpected(added.error());
    }
  }
  return all;
}

std::size_t models_in(const std::vector<Contestant>& contestants) {
  return static_cast<std::size_t>(
      std::count_if(contestants.begin(), contestants.end(), [](const Contestant& each) {
        return each.row.role == RowRole::kRater && tasks::is_compared(each.row.kind);
      }));
}

// The best row that knows nothing.
const RaterRow* best_trivial(const std::vector<Contestant>& contestants) {
  const RaterRow* best = nullptr;
  for (const Contestant& each : contestants) {
    if (each.row.kind != tasks::RaterKind::kBaseline || !each.row.score) continue;
    if (best == nullptr || *each.row.score > *best->score) best = &each.row;
  }
  return best;
}

struct Interpretable {
  bool yes = true;
  std::vector<std::string> warnings;
};

Interpretable interpretable(const ItemComparison& comparison,
                            const std::vector<Contestant>& contestants) {
  Interpretable result;
  if (comparison.agreement && comparison.agreement->value < kLowAgreement) {
    result.yes = false;
    result.warnings.push_back(
        fmt::format("annotators agree too little to interpret the gap: {} {:.2f} is "
                    "below {}",
                    comparison.agreement->metric, comparison.agreement->value, kLowAgreement));
  }
  const RaterRow* trivial = best_trivial(contestants);
  const Score human = contestants.front().row.score;
  if (trivial != nullptr && human && *trivial->score >= *human) {
    result.yes = false;
    result.warnings.push_back(
        fmt::format("{} does as well as people ({:.3f} against {:.3f}): the task "
                    "does not measure what they know",
                    trivial->name, *trivial->score, *human));
  }
  return result;
}

Verdict verdict_of(const stats::Interval& ci, bool interpretable) {
  if (!interpretable) return Verdict::kNotInterpretable;
  if (ci.low > 0) return Verdict::kHumanAhead;
  return ci.high < 0 ? Verdict::kModelAhead : Verdict::kNotSeparable;
}

// Human less this row, from the same resamples.
void fill_gap(RaterRow& row, std::size_t column, const stats::Draws& draws, bool interpretable,
              double level) {
  if (!draws.points[0] || !draws.points[column]) return;
  row.gap = *draws.points[0] - *draws.points[column];
  const auto difference = stats::summarize_difference(draws, 0, column, {.level = level});
  if (!difference.interval) return;
  row.gap_ci = *difference.interval;
  const double z = stats::normal_quantile((1 + level) / 2);
  row.detectable = (row.gap_ci->high - row.gap_ci->low) / 2 * (z + stats::normal_quantile(0.8)) / z;
  const bool judged = row.role == RowRole::kRater && tasks::is_compared(row.kind);
  if (judged) row.verdict = verdict_of(*row.gap_ci, interpretable);
}

std::vector<Calibration> calibrations_of(const Task& task, std::span<const AnswerSheet> sheets) {
  std::vector<Calibration> result;
  for (const AnswerSheet& sheet : sheets) {
    const bool rates =
        sheet.kind == tasks::RaterKind::kPerson || sheet.kind == tasks::RaterKind::kLlm;
    if (task.kind == Kind::kSts && rates && sheet.answered() > 1) {
      result.push_back(calibration_of(task, sheet));
    }
  }
  return result;
}

// Agreement and ceilings.
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

// Human less every other row; the first contestant is the human.
void fill_gaps(std::vector<Contestant>& contestants, const stats::Draws& draws,
               const ItemGapOptions& options, ItemComparison& result) {
  const Interpretable judged = interpretable(result, contestants);
  result.warnings = judged.warnings;
  const std::size_t models = std::max<std::size_t>(models_in(contestants), 1);
  const double level =
      options.corrected ? 1 - (1 - options.level) / static_cast<double>(models) : options.level;
  for (std::size_t c = 1; c < contestants.size(); ++c) {
    fill_gap(contestants[c].row, c, draws, judged.yes, level);
  }
}

int order_of(const RaterRow& row) {
  if (row.role != RowRole::kRater) return static_cast<int>(row.role);
  return row.kind == tasks::RaterKind::kBaseline ? 4 : 3;
}

// Human, consensus and annotators as they are, raters by score, those without one last.
bool stands_before(const RaterRow& a, const RaterRow& b) {
  const bool raters = a.role == RowRole::kRater && b.role == RowRole::kRater;
  if (!raters) return order_of(a) < order_of(b);
  return a.score.value_or(-2) > b.score.value_or(-2);
}

}  // namespace

Result<ItemComparison> compare_raters(const Task& task, std::span<const AnswerSheet> sheets,
                                      const ItemGapOptions& options) {
  PLUMB_TRY(metric, tasks::metric_of(task.kind, options.metric));
  const Groups groups = grouped(sheets);
  std::optional<AnswerSheet> together;
  if (auto made = tasks::consensus(
          task, groups.people,
          options.published ? tasks::VoteRule::kAlphabetical : tasks::VoteRule::kExpectation)) {
    together = std::move(*made);
  }
  ItemComparison result;
  result.task = task.name;
  result.hash = tasks::items_hash(task);
  result.kind = task.kind;
  result.metric = metric->id;
  PLUMB_TRY(contestants, contestants_of(task, groups, together, options));
  if (contestants.empty()) return fail(ErrorKind::kUsage, "there are no answers to score");
  stats::Draws draws = draw(contestants, task.items.size(), options.sampling);
  if (task.kind == Kind::kClustering) stats::centre(draws);
  for (std::size_t c = 0; c < contestants.size(); ++c) {
    RaterRow& row = contestants[c].row;
    row.score = draws.points[c];
    row.ci = stats::summarize(draws, c, {.level = options.level}).interval;
    fill_spread(contestants[c]);
    fill_chance(contestants[c]);
    fill_items(contestants[c]);
  }
  if (!groups.people.empty()) {
    if (auto done = measure_people(task, groups.people, options, result); !done) {
      return tl::unexpected(done.error());
    }
    fill_gaps(contestants, draws, options, result);
  }
  result.calibrations = calibrations_of(task, sheets);
  for (Contestant& each : contestants) result.rows.push_back(std::move(each.row));
  std::stable_sort(result.rows.begin(), result.rows.end(), stands_before);
  return result;
}

}  // namespace plumb::gap
