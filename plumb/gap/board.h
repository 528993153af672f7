// A board: raters side by side on the same subsets. It is cut from a table of figures by naming who
// stands on it, which rule makes "the human" out of annotators, and which tasks count.
//
//   Result<Board> board = make_board(figures, {.models = "paper", .human =
//   HumanRule::kIndividual});
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/figures.h"

namespace plumb::gap {

enum class RaterKind { kHuman, kModel, kBaseline, kSimulated, kAdjudicated };
// "human", "model", "baseline", "simulated", "adjudicated"
std::string_view kind_name(RaterKind kind);

// How the score of "the human" on a subset comes from several annotators.
enum class HumanRule {
  kPublished,   // as published: consensus by the benchmark's own rules
  kIndividual,  // the expected score of one individual annotator
  kBetter,      // the better annotator of each subset
  kWorse,       // the worse one
};
std::string_view human_rule_name(HumanRule rule);  // "published", ...
std::optional<HumanRule> parse_human_rule(std::string_view name);

struct BoardSubset {
  std::string task;
  std::string subset;
  std::string language;  // ISO 639-3
  tasks::TaskType type = tasks::TaskType::kOther;
  std::string metric;
  const tasks::SuiteTask* suite = nullptr;  // the published suite's facts, where it has this subset
  int items = 0;  // outside the suite the fewest of people and models; 0: not known

  // "HUMESTS22" or "HUMESTS22/ar".
  std::string label() const;
};

// One row. `scores` and `cells` run parallel to the board's subsets; scores are fractions.
struct Competitor {
  std::string name;
  std::string revision;
  RaterKind kind;
  bool trivial = false;  // an answer without knowledge, computed (no cell) or read
  std::optional<std::vector<std::string>> training_datasets;
  std::vector<std::optional<double>> scores;
  std::vector<const Cell*> cells;  // where the score was published; null where it was computed

  std::size_t coverage() const;
  // People, models and published baselines; not trivial answers, simulated annotators, decisions.
  bool is_ranked() const;
};

// What is known of the people behind a subset's human score.
struct People {
  std::vector<double> annotators;        // each annotator's own score
  const Agreement* agreement = nullptr;  // as published
};

// Points into the Figures it was made from, which must outlive it.
struct Board {
  std::vector<BoardSubset> subsets;
  std::vector<Competitor> competitors;  // the human first, then by name
  std::vector<People> people;           // [subsets]

  // The row that the human rule speaks of; nothing if the figures hold no people.
  std::optional<std::size_t> human() const;
};

struct BoardOptions {
  std::string models = "all";  // "paper", "all", or a glob on the name, with or without its folder
  HumanRule human = HumanRule::kPublished;
  bool annotators = false;  // every annotator as a row of its own
  bool trivial = true;      // rows of trivial answers
  std::map<std::string, std::string, std::less<>> revisions = {};  // the one asked for, by name
  std::optional<std::string> language = {};                        // any alias
  std::optional<std::string> task_type = {};                       // "STS"
};

// Errors: kNotFound (a glob, revision, language or type that matches nothing; no annotators for a
// rule that needs them), kUsage (an unknown type or language).
Result<Board> make_board(const Figures& figures, const BoardOptions& options);

// The board with only the subsets that pass, or only the rows.
Board keep_subsets(const Board& board, const std::function<bool(std::size_t subset)>& pass);
Board keep_competitors(const Board& board, const std::function<bool(const Competitor&)>& pass);

}  // namespace plumb::gap
