#include "plumb/gap/leaderboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "plumb/base/counted.h"
#include "plumb/stats/bradley_terry.h"
#include "plumb/stats/rank_aggregation.h"

namespace plumb::gap {
namespace {

constexpr std::array<std::pair<Aggregate, std::string_view>, 7> kAggregates = {{
    {Aggregate::kSubset, "subset"},
    {Aggregate::kTask, "task"},
    {Aggregate::kType, "type"},
    {Aggregate::kTypeSubset, "type-subset"},
    {Aggregate::kCell, "cell"},
    {Aggregate::kBorda, "borda"},
    {Aggregate::kBradleyTerry, "bradley-terry"},
}};

// What a resample draws: a subset, or the mean of several. Units of one stratum are averaged, then
// the strata are.
struct Units {
  std::string_view noun;        // "subset"
  std::vector<std::size_t> of;  // [subsets]: the unit that a subset belongs to
  std::vector<int> strata;      // [units]; empty: one stratum
  std::size_t count = 0;
};

std::string unit_key(const BoardSubset& subset, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kTask:
    case Aggregate::kType:
      return subset.task;
    case Aggregate::kCell:
      return fmt::format("{}/{}", tasks::type_name(subset.type), subset.language);
    default:
      return subset.task + "\n" + subset.subset;
  }
}

Units make_units(const Board& board, Aggregate aggregate) {
  const bool by_type = aggregate == Aggregate::kType || aggregate == Aggregate::kTypeSubset;
  const bool by_task = aggregate == Aggregate::kTask || aggregate == Aggregate::kType;
  Units units;
  units.noun = by_task ? "task" : aggregate == Aggregate::kCell ? "cell" : "subset";
  std::map<std::string, std::size_t> index;
  for (const BoardSubset& subset : board.subsets) {
    const auto [place, is_new] = index.try_emplace(unit_key(subset, aggregate), index.size());
    units.of.push_back(place->second);
    if (is_new && by_type) units.strata.push_back(static_cast<int>(subset.type));
  }
  units.count = index.size();
  return units;
}

// [competitors, units], the mean of each unit's subsets. REQUIRES: no missing score.
std::vector<double> unit_scores(const Board& board, const Units& units) {
  std::vector<double> sums(board.competitors.size() * units.count, 0.0);
  std::vector<double> sizes(units.count, 0.0);
  for (const std::size_t unit : units.of) sizes[unit] += 1;
  for (std::size_t c = 0; c < board.competitors.size(); ++c) {
    for (std::size_t s = 0; s < units.of.size(); ++s) {
      sums[c * units.count + units.of[s]] += *board.competitors[c].scores[s] / sizes[units.of[s]];
    }
  }
  return sums;
}

// Mean over strata of the mean over the units drawn in each, in percent.
stats::CountedStatistic stratified_mean(std::vector<double> scores, const Units& units) {
  std::vector<double> weights(units.count, 1.0 / static_cast<double>(units.count));
  if (!units.strata.empty()) {
    std::map<int, double> sizes;
    for (const int stratum : units.strata) sizes[stratum] += 1;
    for (std::size_t u = 0; u < units.count; ++u) {
      weights[u] = 1.0 / (sizes[units.strata[u]] * static_cast<double>(sizes.size()));
    }
  }
  const std::size_t columns = units.count;
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] *= 100 * weights[i % columns];
  return [scores = std::move(scores), columns](std::span<const std::uint32_t> counts,
                                               std::span<double> out) {
    for (std::size_t c = 0; c < out.size(); ++c) {
      double sum = 0;
      for (std::size_t u = 0; u < columns; ++u) sum += scores[c * columns + u] * counts[u];
      out[c] = sum;
    }
  };
}

// Borda points as a share of the most that can be had: competitors - 1 on each unit.
stats::CountedStatistic borda_share(const stats::ScoreMatrix& matrix) {
  const double most = static_cast<double>((matrix.competitors - 1) * matrix.units) / 100;
  return [points = stats::borda_statistic(matrix), most](std::span<const std::uint32_t> counts,
                                                         std::span<double> out) {
    points(counts, out);
    for (double& score : out) score /= most;
  };
}

constexpr double kWeakPrior = 0.01;  // a normal prior of standard deviation 10 on the abilities

// The chance of beating a rater of average ability, in percent. The prior keeps abilities finite
// where a resample leaves a row without a loss.
stats::CountedStatistic bradley_terry_wins(std::vector<double> scores, std::size_t competitors,
                                           std::size_t units) {
  return [scores = std::move(scores), competitors, units](std::span<const std::uint32_t> counts,
                                                          std::span<double> out) {
    const stats::ScoreMatrix matrix{competitors, units, scores, {}};
    stats::BradleyTerryOptions options;
    options.ridge = kWeakPrior;
    const auto fit = stats::fit_bradley_terry(stats::pairwise_counts(matrix, counts), options);
    std::ranges::transform(fit->abilities, out.begin(),
                           [](double ability) { return 100 / (1 + std::exp(-ability)); });
  };
}

stats::ResampledScores resample(const Board& board, const Units& units,
                                const LeaderboardOptions& options) {
  std::vector<double> scores = unit_scores(board, units);
  const std::size_t rows = board.competitors.size();
  stats::CountedStatistic statistic;
  if (options.aggregate == Aggregate::kBorda) {
    statistic = borda_share({rows, units.count, scores, {}});
  } else if (options.aggregate == Aggregate::kBradleyTerry) {
    statistic = bradley_terry_wins(std::move(scores), rows, units.count);
  } else {
    statistic = stratified_mean(std::move(scores), units);
  }
  return stats::resample_scores(rows, units.count, units.strata, statistic, options.resampling);
}

bool is_relative(Aggregate aggregate) {
  return aggregate == Aggregate::kBorda || aggregate == Aggregate::kBradleyTerry;
}

std::string title_of(Aggregate aggregate, const Board& board, const Units& units) {
  switch (aggregate) {
    case Aggregate::kType:
    case Aggregate::kTypeSubset:
      return fmt::format("mean of task types, over {}", counted(units.count, units.noun));
    case Aggregate::kCell:
      return fmt::format("mean over {}", counted(units.count, "type x language cell"));
    case Aggregate::kBorda:
      return fmt::format("share of Borda points over {}", counted(board.subsets.size(), "subset"));
    case Aggregate::kBradleyTerry:
      return fmt::format("chance to beat an average row (Bradley-Terry) over {}",
                         counted(board.subsets.size(), "subset"));
    default:
      return fmt::format("mean over {}", counted(units.count, units.noun));
  }
}

bool is_complete(const Board& board, const Competitor& row) {
  return row.coverage() == board.subsets.size();
}

// The row on the subsets that it has, by itself.
void score_alone(const Board& board, const LeaderboardOptions& options, LeaderboardRow& row) {
  if (is_relative(options.aggregate)) return;
  const Competitor& competitor = board.competitors[row.competitor];
  Board own = keep_subsets(board, [&](std::size_t s) { return competitor.scores[s].has_value(); });
  own.competitors = {own.competitors[row.competitor]};
  const Units units = make_units(own, options.aggregate);
  const auto standing = stats::standings(resample(own, units, options), options.level).front();
  row.score = standing.score;
  if (units.count >= kLeastUnits) row.ci = standing.ci;
}

void rank_rows(const Board& board, const std::vector<std::size_t>& ranked,
               const LeaderboardOptions& options, Leaderboard& table) {
  Board complete{board.subsets, {}, board.people};
  for (const std::size_t c : ranked) complete.competitors.push_back(board.competitors[c]);
  const Units units = make_units(complete, options.aggregate);
  const stats::ResampledScores draws = resample(complete, units, options);
  const auto standings = stats::standings(draws, options.level);
  const auto human = complete.human();
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    LeaderboardRow& row = table.rows[ranked[i]];
    row.score = standings[i].score;
    row.rank = standings[i].rank;
    const bool is_other = human && *human != i;
    if (is_other) row.difference = standings[i].score - standings[*human].score;
    if (units.count < kLeastUnits) continue;
    row.ci = standings[i].ci;
    row.rank_ci = {standings[i].rank_low, standings[i].rank_high};
    row.tie_group = standings[i].tie_group;
    if (is_other) {
      row.difference_ci = stats::paired_difference_interval(draws, i, *human, options.level);
    }
  }
}

// Ranked rows by rank; then partial ones; then those that are never ranked; then by score.
void sort_rows(Leaderboard& table) {
  std::ranges::stable_sort(table.rows, {}, [&table](const LeaderboardRow& row) {
    const bool last = !table.board.competitors[row.competitor].is_ranked();
    return std::tuple(last, !row.rank.has_value(), row.rank.value_or(0), -row.score.value_or(-1));
  });
}

}  // namespace

std::string_view aggregate_name(Aggregate aggregate) {
  return std::ranges::find(kAggregates, aggregate, [](const auto& row) { return row.first; })
      ->second;
}

std::optional<Aggregate> parse_aggregate(std::string_view name) {
  const auto found =
      std::ranges::find(kAggregates, name, [](const auto& row) { return row.second; });
  return found == kAggregates.end() ? std::nullopt : std::optional(found->first);
}

std::string aggregate_names() {
  std::string names;
  for (const auto& [aggregate, name] : kAggregates) {
    names += names.empty() ? "" : ", ";
    names += name;
  }
  return names;
}

const LeaderboardRow* Leaderboard::human() const {
  const auto index = board.human();
  const auto found = std::ranges::find_if(
      rows, [&](const LeaderboardRow& row) { return index && row.competitor == *index; });
  return found == rows.end() ? nullptr : &*found;
}

const LeaderboardRow* Leaderboard::best_model() const {
  const auto found = std::ranges::find_if(rows, [this](const LeaderboardRow& row) {
    return row.rank && board.competitors[row.competitor].kind == RaterKind::kModel;
  });
  return found == rows.end() ? nullptr : &*found;
}

Result<Leaderboard> make_leaderboard(const Board& whole, const LeaderboardOptions& options) {
  Leaderboard table;
  table.board = !options.common ? whole : keep_subsets(whole, [&whole](std::size_t s) {
    return std::ranges::all_of(whole.competitors, [s](const Competitor& row) {
      return !row.is_ranked() || row.scores[s].has_value();
    });
  });
  const Board& board = table.board;
  if (board.subsets.empty()) {
    return fail(ErrorKind::kNotFound,
                "these rows share no subset; leave --common out, or name fewer with --models");
  }
  std::vector<std::size_t> ranked;
  for (std::size_t c = 0; c < board.competitors.size(); ++c) {
    const Competitor& row = board.competitors[c];
    const bool complete = is_complete(board, row);
    table.rows.push_back({.competitor = c,
                          .have = row.coverage(),
                          .of = board.subsets.size(),
                          .partial = !complete});
    if (complete && row.is_ranked()) ranked.push_back(c);
  }
  if (is_relative(options.aggregate) && ranked.size() < 2) {
    return fail(ErrorKind::kNotFound,
                fmt::format("--aggregate {} compares rows, and fewer than two have every subset",
                            aggregate_name(options.aggregate)));
  }
  if (!ranked.empty()) rank_rows(board, ranked, options, table);
  for (LeaderboardRow& row : table.rows) {
    if (!row.rank && row.have > 0) score_alone(board, options, row);
  }
  table.ranked = ranked.size();
  const Units units = make_units(board, options.aggregate);
  table.title = title_of(options.aggregate, board, units);
  table.resampling =
      units.count < kLeastUnits
          ? fmt::format("none, {} {} too few for a bootstrap", counted(units.count, units.noun),
                        units.count == 1 ? "is" : "are")
          : fmt::format("bootstrap over {}, {} resamples, seed {}",
                        counted(units.count, units.noun), options.resampling.resamples,
                        options.resampling.seed);
  sort_rows(table);
  return table;
}

}  // namespace plumb::gap
