#include "plumb/evals/scoring/ratings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "plumb/stats/bradley_terry.h"

namespace plumb::evals {
namespace {

// Battles by numbers of models and of prompts.
struct Arena {
  std::vector<std::string> models;
  struct Fight {
    std::size_t a, b;
    double preference;
    std::uint32_t item;
  };
  std::vector<Fight> fights;
  std::size_t items = 0;
};

Arena arena_of(std::span<const Battle> battles) {
  std::map<std::string, std::size_t> numbers;
  for (const Battle& battle : battles) {
    numbers.emplace(battle.a, 0);
    numbers.emplace(battle.b, 0);
  }
  Arena arena;
  for (auto& [name, number] : numbers) {
    number = arena.models.size();
    arena.models.push_back(name);
  }
  for (const Battle& battle : battles) {
    arena.fights.push_back({numbers[battle.a], numbers[battle.b], battle.preference, battle.item});
    arena.items = std::max<std::size_t>(arena.items, battle.item + std::size_t{1});
  }
  return arena;
}

stats::PairwiseCounts counts_of(const Arena& arena, stats::Counts counts) {
  stats::PairwiseCounts pairs(arena.models.size());
  for (const Arena::Fight& fight : arena.fights) {
    const double times = counts.empty() ? 1 : counts[fight.item];
    if (times == 0) continue;
    if (fight.preference == 0.5) {
      pairs.add_tie(fight.a, fight.b, times);
    } else if (fight.preference > 0.5) {
      pairs.add_win(fight.a, fight.b, times);
    } else {
      pairs.add_win(fight.b, fight.a, times);
    }
  }
  return pairs;
}

// Points of all models; the reason where there are none.
tl::expected<std::vector<double>, stats::Undefined> ratings_of(const stats::PairwiseCounts& pairs,
                                                               std::optional<std::size_t> anchor,
                                                               double anchored) {
  const auto fit = stats::fit_bradley_terry(pairs, {.reference = anchor});
  if (!fit) return tl::unexpected(fit.error());
  std::vector<double> points;
  for (const double ability : fit->abilities) points.push_back(anchored + kPointsPerNat * ability);
  return points;
}

Result<void> check_connected(const Arena& arena) {
  const auto groups = stats::win_components(counts_of(arena, {}));
  const int most = *std::ranges::max_element(groups);
  if (most <= 1) return {};
  std::vector<std::string> named;
  for (int g = 1; g <= most; ++g) {
    std::vector<std::string> members;
    for (std::size_t m = 0; m < groups.size(); ++m) {
      if (groups[m] == g) members.push_back(arena.models[m]);
    }
    named.push_back(fmt::format("{{{}}}", fmt::join(members, ", ")));
  }
  return fail(ErrorKind::kBadInput,
              fmt::format("the models cannot all be rated together: nobody beat or tied anyone of "
                          "an earlier group in {}; more battles between the groups are needed",
                          fmt::join(named, ", ")));
}

}  // namespace

Result<std::vector<EvalRow>> rate_models(std::span<const Battle> battles,
                                         const RatingOptions& options,
                                         const stats::BootstrapOptions& sampling) {
  if (battles.empty()) return fail(ErrorKind::kBadInput, "there are no battles to rate from");
  const Arena arena = arena_of(battles);
  std::optional<std::size_t> anchor;
  if (!options.anchor.empty()) {
    const auto found = std::ranges::find(arena.models, options.anchor);
    if (found == arena.models.end()) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: the anchor took part in no battle", options.anchor));
    }
    anchor = static_cast<std::size_t>(found - arena.models.begin());
  }
  if (const auto connected = check_connected(arena); !connected) {
    return tl::unexpected(connected.error());
  }
  const std::size_t models = arena.models.size();
  const auto statistics = [&](stats::Counts counts, std::span<stats::Score> values) {
    const auto points = ratings_of(counts_of(arena, counts), anchor, options.anchored);
    for (std::size_t m = 0; m < models; ++m) {
      values[m] = points ? stats::Score((*points)[m]) : tl::unexpected(points.error());
    }
  };
  const auto draws = stats::paired_bootstrap(stats::Resampling::of_items(arena.items), models,
                                             statistics, sampling);
  std::vector<EvalRow> rows;
  for (std::size_t m = 0; m < models; ++m) {
    const auto result = stats::summarize(draws, m, sampling);
    const auto ci =
        result.interval ? std::optional(*result.interval) : std::optional<stats::Interval>();
    const auto n = std::ranges::count_if(
        arena.fights, [&](const auto& fight) { return fight.a == m || fight.b == m; });
    rows.push_back(
        make_row("arena", "rating", static_cast<std::size_t>(n), result.point, ci, kOpenScale));
    rows.back().model = arena.models[m];
  }
  std::ranges::stable_sort(rows, [](const EvalRow& a, const EvalRow& b) {
    return a.score.value_or(0) > b.score.value_or(0);
  });
  return rows;
}

}  // namespace plumb::evals
