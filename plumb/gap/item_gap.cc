#include "plumb/gap/item_gap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/gap/item_people.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/intervals.h"
#include "plumb/tasks/consensus.h"
#include "plumb/tasks/part.h"

namespace plumb::gap {
namespace {

using stats::Counts;
using stats::Score;
using stats::undefined;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Scorer;
using tasks::Task;

// What one row is computed from.
struct Contestant {
  RaterRow row;
  SheetPointers sheets;
  tasks::MetricOptions metric;
  std::vector<Scorer> scorers;
  double paired = 0;        // its score on the items that people answered too, where it has a gap
  bool same_items = false;  // whether those are all that either answered
  bool drawn = false;       // its sheets are a sample, of raters or of runs: drawn anew each time
};

Result<Contestant> contestant(const Task& task, std::string name, RowRole role,
                              const SheetPointers& sheets, const tasks::MetricOptions& metric) {
  Contestant result;
  result.row.name = std::move(name);
  result.row.role = role;
  result.row.kind = sheets.front()->kind;
  result.row.sheets = sheets.size();
  result.sheets = sheets;
  result.metric = metric;
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

stats::Draws draw(Kind kind, const std::vector<Contestant>& contestants, std::size_t items,
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
  if (kind == Kind::kClustering) stats::centre(draws);
  return draws;
}

// ---- rows

// Nothing where fewer than two of the items that it answers have a gold.
std::optional<Calibration> calibration_of(const Task& task, const AnswerSheet& sheet) {
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
  if (n < 2) return std::nullopt;
  const double variance = squares - gold_sum * gold_sum / n;
  return Calibration{sheet.rater, (answer_sum - gold_sum) / n,
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

// The items that count for a contestant.
std::vector<char> covered(const Task& task, const Contestant& contestant) {
  std::vector<char> all(task.items.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto answered = [i](const AnswerSheet* sheet) { return sheet->answers[i].has_value(); };
    const bool counts = contestant.metric.missing == tasks::Missing::kUninformed ||
                        std::ranges::any_of(contestant.sheets, answered);
    all[i] = counts && !task.items[i].gold.empty() ? 1 : 0;
  }
  return all;
}

// Both on some items alone.
Result<stats::Draws> draw_pair(const Task& task, const Contestant& human, const Contestant& other,
                               tasks::Places places, const stats::ResampleOptions& options) {
  const Task part = tasks::part_of(task, places);
  std::vector<Contestant> pair;
  for (const Contestant* each : {&human, &other}) {
    std::vector<AnswerSheet> sheets;
    for (const AnswerSheet* sheet : each->sheets) {
      AnswerSheet kept = tasks::part_of(*sheet, places);
      if (kept.answered() > 0) sheets.push_back(std::move(kept));
    }
    SheetPointers pointers;
    for (const AnswerSheet& sheet : sheets) pointers.push_back(&sheet);
    PLUMB_TRY(made, contestant(part, each->row.name, each->row.role, pointers, each->metric));
    pair.push_back(std::move(made));
  }
  return draw(task.kind, pair, part.items.size(), options);
}

// The rater that knows nothing and does best beside people, where it does as well as they.
const Contestant* trivial_as_good(const std::vector<Contestant>& contestants) {
  const Contestant* best = nullptr;
  for (const Contestant& each : contestants) {
    if (each.row.kind != tasks::RaterKind::kBaseline || !each.row.gap || *each.row.gap > 0)
      continue;
    if (best == nullptr || *each.row.gap < *best->row.gap) best = &each;
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
  if (const Contestant* trivial = trivial_as_good(contestants)) {
    result.yes = false;
    result.warnings.push_back(
        fmt::format("{} does as well as people ({:.3f} against {:.3f}): the task "
                    "does not measure what they know",
                    trivial->row.name, trivial->paired, trivial->paired + *trivial->row.gap));
  }
  return result;
}

Verdict verdict_of(const stats::Interval& ci, bool interpretable) {
  if (!interpretable) return Verdict::kNotInterpretable;
  if (ci.low > 0) return Verdict::kHumanAhead;
  return ci.high < 0 ? Verdict::kModelAhead : Verdict::kNotSeparable;
}

// Human less this contestant, from the same resamples of the same items.
void fill_gap(Contestant& contestant, std::size_t column, const stats::Draws& draws, double level) {
  if (!draws.points[0] || !draws.points[column]) return;
  RaterRow& row = contestant.row;
  contestant.paired = *draws.points[column];
  row.gap = *draws.points[0] - *draws.points[column];
  const auto difference = stats::summarize_difference(draws, 0, column, {.level = level});
  if (!difference.interval) return;
  row.gap_ci = *difference.interval;
  const double z = stats::normal_quantile((1 + level) / 2);
  row.detectable = (row.gap_ci->high - row.gap_ci->low) / 2 * (z + stats::normal_quantile(0.8)) / z;
}

std::vector<Calibration> calibrations_of(const Task& task, std::span<const AnswerSheet> sheets) {
  std::vector<Calibration> result;
  if (task.kind != Kind::kSts) return result;
  for (const AnswerSheet& sheet : sheets) {
    const bool rates =
        sheet.kind == tasks::RaterKind::kPerson || sheet.kind == tasks::RaterKind::kLlm;
    if (!rates) continue;
    if (auto calibration = calibration_of(task, sheet)) result.push_back(std::move(*calibration));
  }
  return result;
}

// Where somebody was compared on fewer items than they answered.
void note_shared_items(const std::vector<Contestant>& contestants, std::size_t items,
                       ItemComparison& result) {
  std::size_t least = items, most = 0;
  for (const Contestant& each : contestants) {
    if (each.row.role != RowRole::kRater || each.same_items) continue;
    least = std::min(least, each.row.gap_items);
    most = std::max(most, each.row.gap_items);
  }
  if (least > most) return;
  const std::string range =
      least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
  result.warnings.push_back(
      fmt::format("people and raters did not all answer the same items: a difference is on those "
                  "that both answered, {} of {}",
                  range, items));
}

// Human less every other row; the first contestant is the human.
Result<void> fill_gaps(const Task& task, std::vector<Contestant>& contestants,
                       const stats::Draws& draws, const ItemGapOptions& options,
                       ItemComparison& result) {
  const std::size_t models = models_in(contestants);
  result.gap_level = options.corrected && models > 1
                         ? 1 - (1 - options.level) / static_cast<double>(models)
                         : options.level;
  const std::vector<char> human = covered(task, contestants[0]);
  for (std::size_t c = 1; c < contestants.size(); ++c) {
    Contestant& each = contestants[c];
    const std::vector<char> own = covered(task, each);
    std::vector<std::size_t> shared;
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (human[i] != 0 && own[i] != 0) shared.push_back(i);
    }
    each.row.gap_items = shared.size();
    each.same_items = human == own;
    if (each.same_items) {
      fill_gap(each, c, draws, result.gap_level);
    } else if (!shared.empty()) {
      PLUMB_TRY(pair, draw_pair(task, contestants[0], each, shared, options.sampling));
      fill_gap(each, 1, pair, result.gap_level);
    }
  }
  const Interpretable judged = interpretable(result, contestants);
  result.warnings = judged.warnings;
  note_shared_items(contestants, task.items.size(), result);
  for (Contestant& each : contestants) {
    const bool compared = each.row.role == RowRole::kRater && tasks::is_compared(each.row.kind);
    if (compared && each.row.gap_ci) each.row.verdict = verdict_of(*each.row.gap_ci, judged.yes);
  }
  return {};
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
  const stats::Draws draws = draw(task.kind, contestants, task.items.size(), options.sampling);
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
    if (auto done = fill_gaps(task, contestants, draws, options, result); !done) {
      return tl::unexpected(done.error());
    }
  }
  result.calibrations = calibrations_of(task, sheets);
  for (Contestant& each : contestants) result.rows.push_back(std::move(each.row));
  std::stable_sort(result.rows.begin(), result.rows.end(), stands_before);
  return result;
}

}  // namespace plumb::gap
