#include "plumb/gap/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include "plumb/gap/gap.h"
#include "plumb/gap/leaderboard.h"
#include "plumb/gap/trivial.h"
#include "plumb/stats/clustering.h"

namespace plumb::gap {
namespace {

// Adds one view after the other; a view without people or models is silently none.
class Views {
 public:
  Views(stats::ResampleOptions resampling, double level) : resampling_(resampling), level_(level) {}

  void add(const std::string& group, const std::string& view, const Board& board,
           Aggregate aggregate = Aggregate::kSubset) {
    const auto table = make_leaderboard(
        board, {.aggregate = aggregate, .resampling = resampling_, .level = level_});
    if (!table) return;
    const LeaderboardRow* human = table->human();
    const LeaderboardRow* best = table->best_model();
    if (human == nullptr || !human->rank || best == nullptr) return;
    if (leader_.empty()) leader_ = table->board.competitors[best->competitor].name;
    rows_.push_back({group, view.empty() ? table->title : view, *human->score, human->ci,
                     *best->score, table->board.competitors[best->competitor].name, *human->rank,
                     human->rank_ci, table->ranked, table->board.subsets.size(),
                     score_of(*table, leader_), best_trivial(*table)});
  }

  const std::vector<AuditRow>& rows() const { return rows_; }
  const std::string& leader() const { return leader_; }  // of the first view

 private:
  static std::optional<double> score_of(const Leaderboard& table, const std::string& name) {
    for (const LeaderboardRow& row : table.rows) {
      if (table.board.competitors[row.competitor].name == name) return row.score;
    }
    return std::nullopt;
  }

  static std::optional<double> best_trivial(const Leaderboard& table) {
    std::optional<double> best;
    for (const LeaderboardRow& row : table.rows) {
      if (!table.board.competitors[row.competitor].trivial || row.partial || !row.score) continue;
      best = std::max(best.value_or(*row.score), *row.score);
    }
    return best;
  }

  stats::ResampleOptions resampling_;
  double level_;
  std::string leader_;
  std::vector<AuditRow> rows_;
};

// The board with every score replaced; `change` returns the new fraction.
Board with_scores(Board board,
                  const std::function<double(const Competitor&, std::size_t, double)>& change) {
  for (Competitor& row : board.competitors) {
    for (std::size_t s = 0; s < row.scores.size(); ++s) {
      if (row.scores[s]) row.scores[s] = change(row, s, *row.scores[s]);
    }
  }
  return board;
}

bool declares(const Competitor& row, const BoardSubset& subset) {
  if (!row.training_datasets || subset.suite == nullptr) return false;
  return std::ranges::any_of(subset.suite->parents, [&row](std::string_view parent) {
    return std::ranges::find(*row.training_datasets, parent) != row.training_datasets->end();
  });
}

void add_aggregations(const Board& board, Views& views) {
  for (const Aggregate aggregate :
       {Aggregate::kSubset, Aggregate::kTask, Aggregate::kType, Aggregate::kTypeSubset,
        Aggregate::kCell, Aggregate::kBorda, Aggregate::kBradleyTerry}) {
    views.add("aggregation", "", board, aggregate);
  }
}

void add_human_rules(const Figures& figures, const std::string& models, Views& views) {
  for (const HumanRule rule : {HumanRule::kIndividual, HumanRule::kBetter, HumanRule::kWorse}) {
    const auto board = make_board(figures, {.models = models, .human = rule});
    if (board) views.add("human rule", fmt::format("{} annotator", human_rule_name(rule)), *board);
  }
}

void add_languages(const Board& board, Views& views) {
  const auto is_english = [&board](std::size_t s) { return board.subsets[s].language == "eng"; };
  views.add("language", "English only", keep_subsets(board, is_english));
  views.add("language", "without English", keep_subsets(board, std::not_fn(is_english)));
}

void add_training_data(const Board& board, const std::string& leader, Views& views) {
  const auto best = std::ranges::find(board.competitors, leader, &Competitor::name);
  const auto by_best = [&](std::size_t s) { return declares(*best, board.subsets[s]); };
  const auto by_any = [&board](std::size_t s) {
    return std::ranges::any_of(board.competitors, [&board, s](const Competitor& row) {
      return declares(row, board.subsets[s]);
    });
  };
  const std::string name = leader.substr(leader.rfind('/') + 1);
  views.add("training data", fmt::format("tasks whose parent {} declares", name),
            keep_subsets(board, by_best));
  views.add("training data", fmt::format("without tasks whose parent {} declares", name),
            keep_subsets(board, std::not_fn(by_best)));
  views.add("training data", "without tasks whose parent any model declares",
            keep_subsets(board, std::not_fn(by_any)));
}

double chance_of(const BoardSubset& subset) {
  return subset.suite ? trivial_answers(*subset.suite).front().score : 0;
}

// Published where it was; otherwise from V, with the expected V of groups of the classes' own
// sizes: AMI = (V - E[V]) / (1 - E[V]) for the arithmetic mean of entropies (Vinh et al. 2010).
double ami_of(const Competitor& row, const BoardSubset& subset, std::size_t s, double v) {
  if (row.cells[s]) {
    if (const auto published = row.cells[s]->find("ami")) return *published;
  }
  if (row.trivial) return 0;
  const double expected = chance_of(subset);
  return (v - expected) / (1 - expected);
}

void add_other_scores(const Board& board, Views& views) {
  views.add("scores", "chance-normalised: (score - chance) / (1 - chance)",
            with_scores(board, [&board](const Competitor&, std::size_t s, double score) {
              const double chance = chance_of(board.subsets[s]);
              return (score - chance) / (1 - chance);
            }));
  views.add("scores", "clustering by AMI instead of V (models: estimated from V)",
            with_scores(board, [&board](const Competitor& row, std::size_t s, double score) {
              const BoardSubset& subset = board.subsets[s];
              return subset.type == tasks::TaskType::kClustering ? ami_of(row, subset, s, score)
                                                                 : score;
            }));
}

void add_agreement(const Board& board, Views& views) {
  const auto is_low = [&board](std::size_t s) {
    const Agreement* agreement = board.people[s].agreement;
    return agreement != nullptr && *agreement->value() < kLowAgreement;
  };
  views.add("agreement", fmt::format("without subsets of agreement under {}", kLowAgreement),
            keep_subsets(board, std::not_fn(is_low)));
  views.add("agreement", "only subsets of known agreement",
            keep_subsets(board,
                         [&board](std::size_t s) { return board.people[s].agreement != nullptr; }));
}

}  // namespace

Result<Audit> audit_figures(const Figures& figures, const std::string& models,
                            const stats::ResampleOptions& resampling, double level) {
  PLUMB_TRY(board, make_board(figures, {.models = models}));
  Views views(resampling, level);
  add_aggregations(board, views);
  if (views.rows().empty()) {
    return fail(
        ErrorKind::kNotFound,
        fmt::format("{}: an audit needs people and a model that have every subset", figures.name));
  }
  add_human_rules(figures, models, views);
  add_languages(board, views);
  add_training_data(board, views.leader(), views);
  add_other_scores(board, views);
  add_agreement(board, views);
  return Audit{views.rows(), find_inconsistencies(figures, board)};
}

}  // namespace plumb::gap
