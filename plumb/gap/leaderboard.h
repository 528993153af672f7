// The leaderboard: raters ranked by one aggregate of their scores, with intervals, rank intervals
// and tie groups. Nothing is "best" inside its interval.
//
//   Leaderboard table = make_leaderboard(board, {.aggregate = Aggregate::kSubset});
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/board.h"
#include "plumb/stats/standings.h"

namespace plumb::gap {

// How scores on subsets become one number, on 0 to 100.
enum class Aggregate {
  kSubset,        // mean over subsets (the published headline)
  kTask,          // mean over tasks, each the mean of its subsets
  kType,          // mean over task types, each the mean of its tasks
  kTypeSubset,    // mean over task types, each the mean of its subsets
  kCell,          // mean over type x language cells, each the mean of its subsets
  kBorda,         // Borda points on each subset, as a share of the most that can be had
  kBradleyTerry,  // chance to beat a row of average ability, abilities from wins on subsets
};
std::string_view aggregate_name(Aggregate aggregate);  // "subset", ..., "bradley-terry"
std::optional<Aggregate> parse_aggregate(std::string_view name);
// The aggregates that a user names, in the order of the table above.
std::string aggregate_names();

// A bootstrap over fewer units than this says nothing; intervals are left out.
inline constexpr std::size_t kLeastUnits = 5;

struct LeaderboardOptions {
  Aggregate aggregate = Aggregate::kSubset;
  bool common = false;  // rank everybody, on the subsets that all rows have
  stats::ResampleOptions resampling = {};
  double level = 0.95;
};

struct LeaderboardRow {
  std::size_t competitor = 0;        // index on the board
  std::optional<double> score = {};  // 0-100; nothing: the aggregate needs every subset
  std::optional<stats::Interval> ci = {};
  std::optional<int> rank = {};  // nothing: partial, or a trivial answer
  std::optional<std::pair<int, int>> rank_ci = {};
  std::optional<int> tie_group = {};
  std::size_t have = 0;
  std::size_t of = 0;
  bool partial = false;
  std::optional<double> difference = {};  // to the human, on the same resamples
  std::optional<stats::Interval> difference_ci = {};
};

struct Leaderboard {
  Board board;             // what was ranked
  std::string title;       // "mean over 26 subsets"
  std::string resampling;  // "bootstrap over 26 subsets, 10,000 resamples, seed 0"
  std::size_t ranked = 0;
  std::vector<LeaderboardRow> rows;  // ranked ones by score, then partial, then trivial ones

  const LeaderboardRow* human() const;
  const LeaderboardRow* best_model() const;  // the ranked model of the highest score
};

// What is drawn in a resample is what the aggregate averages: subsets, tasks, cells, or, within
// each type, tasks or subsets. kNotFound: the rows share no subset (common), or an aggregate that
// compares rows (borda, bradley-terry) finds fewer than two that have every subset.
Result<Leaderboard> make_leaderboard(const Board& board, const LeaderboardOptions& options);

}  // namespace plumb::gap
