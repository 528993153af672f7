#include "plumb/gap/board.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "plumb/gap/trivial.h"

namespace plumb::gap {
namespace {

constexpr std::string_view kAnnotatorPrefix = "annotator_";
constexpr std::pair<HumanRule, std::string_view> kHumanRules[] = {
    {HumanRule::kPublished, "published"},
    {HumanRule::kIndividual, "individual"},
    {HumanRule::kBetter, "better"},
    {HumanRule::kWorse, "worse"},
};

std::string_view after_slash(std::string_view name) {
  return name.substr(name.rfind('/') + 1);  // npos + 1 is 0
}

constexpr std::string_view kTrivialKind = "baseline";  // plumb's own baselines know nothing

// People are "<folder>/Human"; baselines say so in their name, or in what plumb wrote of them.
RaterKind kind_of(const Entry& entry) {
  if (after_slash(entry.name) == "Human") return RaterKind::kHuman;
  if (entry.rater_kind == "simulated") return RaterKind::kSimulated;
  if (entry.rater_kind == "adjudicated") return RaterKind::kAdjudicated;
  const bool baseline =
      entry.rater_kind == kTrivialKind || entry.name.find("baseline") != std::string::npos;
  return baseline ? RaterKind::kBaseline : RaterKind::kModel;
}

bool is_annotator(const Entry& entry) {
  return kind_of(entry) == RaterKind::kHuman && entry.revision.starts_with(kAnnotatorPrefix);
}

bool matches(const std::string& glob, const std::string& name) {
  const std::string bare(after_slash(name));
  return ::fnmatch(glob.c_str(), name.c_str(), FNM_CASEFOLD) == 0 ||
         ::fnmatch(glob.c_str(), bare.c_str(), FNM_CASEFOLD) == 0;
}

// Whoever is no model stands on every board: models are measured against them.
bool is_chosen(const Entry& entry, const std::string& models) {
  if (kind_of(entry) != RaterKind::kModel || models == "all") return true;
  if (models != "paper") return matches(models, entry.name);
  return std::ranges::find(tasks::hume_paper_models(), entry.name) !=
         tasks::hume_paper_models().end();
}

// The revision asked for, or the one that HUME pins for people where the figures hold it.
std::optional<std::string> wanted_revision(const Figures& figures, const std::string& name,
                                           const BoardOptions& options) {
  if (const auto asked = options.revisions.find(name); asked != options.revisions.end()) {
    return asked->second;
  }
  const bool pinned = std::ranges::any_of(figures.entries, [&name](const Entry& entry) {
    return entry.name == name && kind_of(entry) == RaterKind::kHuman &&
           entry.revision == tasks::kHumeHumanRevision;
  });
  return pinned ? std::optional<std::string>(tasks::kHumeHumanRevision) : std::nullopt;
}

tasks::TaskType type_from_metrics(const Cell& cell) {
  if (cell.find("v_measure")) return tasks::TaskType::kClustering;
  if (cell.find("accuracy") && cell.find("f1")) return tasks::TaskType::kClassification;
  if (cell.find("cosine_spearman") || cell.find("spearman")) return tasks::TaskType::kSts;
  return cell.find("map") || cell.find("map_at_1000") ? tasks::TaskType::kReranking
                                                      : tasks::TaskType::kOther;
}

BoardSubset describe(const Cell& cell) {
  BoardSubset subset{cell.task, cell.subset, cell.language, type_from_metrics(cell),
                     std::string(cell.main_metric())};
  const tasks::SuiteTask* suite = tasks::find_task(cell.task);
  const tasks::SuiteSubset* known =
      suite == nullptr ? nullptr : tasks::find_subset(*suite, cell.subset);
  if (known == nullptr) return subset;
  subset.suite = suite;
  subset.type = suite->type;
  subset.metric = suite->metric;
  subset.language = known->language;
  subset.items = known->items;
  return subset;
}

// The suite's order first, other tasks after it by name.
auto order_of(const BoardSubset& subset) {
  const auto position = subset.suite == nullptr
                            ? tasks::hume_tasks().size()
                            : static_cast<std::size_t>(subset.suite - tasks::hume_tasks().data());
  std::size_t within = 0;
  if (subset.suite != nullptr) {
    within = static_cast<std::size_t>(tasks::find_subset(*subset.suite, subset.subset) -
                                      subset.suite->subsets.data());
  }
  return std::tuple(position, subset.task, within, subset.subset);
}

void note_items(const Cell& cell, std::vector<BoardSubset>& subsets) {
  const auto found = std::ranges::find_if(subsets, [&cell](const BoardSubset& subset) {
    return subset.task == cell.task && subset.subset == cell.subset;
  });
  if (found->suite != nullptr || cell.items == 0) return;
  found->items = found->items == 0 ? cell.items : std::min(found->items, cell.items);
}

std::vector<BoardSubset> all_subsets(const std::vector<const Entry*>& entries) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  std::vector<BoardSubset> subsets;
  for (const Entry* entry : entries) {
    const RaterKind kind = kind_of(*entry);
    const bool counts = kind == RaterKind::kHuman || kind == RaterKind::kModel;
    for (const Cell& cell : entry->cells) {
      if (seen.emplace(cell.task, cell.subset).second) subsets.push_back(describe(cell));
      if (cell.items > 0 && counts) note_items(cell, subsets);
    }
  }
  std::ranges::sort(subsets, {}, order_of);
  return subsets;
}

Competitor make_competitor(const Entry& entry, const std::vector<BoardSubset>& subsets) {
  Competitor row{entry.name,
                 entry.revision,
                 kind_of(entry),
                 entry.rater_kind == kTrivialKind,
                 entry.training_datasets,
                 {},
                 {}};
  for (const BoardSubset& subset : subsets) {
    const Cell* cell = entry.find(subset.task, subset.subset);
    row.cells.push_back(cell);
    row.scores.push_back(cell ? std::optional(cell->main_score) : std::nullopt);
  }
  return row;
}

People people_behind(const BoardSubset& subset, const std::vector<const Entry*>& annotators,
                     const std::vector<const Entry*>& rows) {
  People people;
  for (const Entry* annotator : annotators) {
    if (const Cell* cell = annotator->find(subset.task, subset.subset)) {
      people.annotators.push_back(cell->main_score);
    }
  }
  for (const Entry* row : rows) {
    const Cell* cell = row->find(subset.task, subset.subset);
    if (cell && cell->agreement && cell->agreement->value()) people.agreement = &*cell->agreement;
  }
  return people;
}

double by_rule(HumanRule rule, const std::vector<double>& scores) {
  if (rule == HumanRule::kBetter) return std::ranges::max(scores);
  if (rule == HumanRule::kWorse) return std::ranges::min(scores);
  return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
}

void apply_human_rule(HumanRule rule, Board& board) {
  if (rule == HumanRule::kPublished) return;
  Competitor& human = board.competitors[*board.human()];
  human.revision = std::string(human_rule_name(rule)) + " annotator";
  for (std::size_t s = 0; s < board.subsets.size(); ++s) {
    human.cells[s] = nullptr;
    const std::vector<double>& scores = board.people[s].annotators;
    human.scores[s] = scores.empty() ? std::nullopt : std::optional(by_rule(rule, scores));
  }
}

void add_trivial_rows(Board& board) {
  Competitor random{"random answers", "", RaterKind::kBaseline, true, {}, {}, {}};
  Competitor best{"best trivial answer", "", RaterKind::kBaseline, true, {}, {}, {}};
  for (const BoardSubset& subset : board.subsets) {
    const auto answers =
        subset.suite ? trivial_answers(*subset.suite) : std::vector<TrivialAnswer>();
    const auto highest = std::ranges::max_element(answers, {}, &TrivialAnswer::score);
    random.scores.push_back(answers.empty() ? std::nullopt : std::optional(answers[0].score));
    best.scores.push_back(answers.empty() ? std::nullopt : std::optional(highest->score));
  }
  for (Competitor* row : {&best, &random}) {
    row->cells.assign(board.subsets.size(), nullptr);
    if (row->coverage() > 0) board.competitors.push_back(std::move(*row));
  }
}

Result<Board> filtered(const Board& board, const BoardOptions& options) {
  std::optional<tasks::TaskType> type;
  std::optional<std::string_view> language;
  if (options.task_type && !(type = tasks::parse_type(*options.task_type))) {
    return fail(ErrorKind::kUsage,
                fmt::format("unknown task type '{}'; one of Classification, Clustering, Reranking, "
                            "STS, Other",
                            *options.task_type));
  }
  if (options.language && !(language = tasks::fold_language(*options.language))) {
    return fail(ErrorKind::kUsage,
                fmt::format("unknown language '{}'; use a code such as en, eng or "
                            "eng_Latn",
                            *options.language));
  }
  Board kept = keep_subsets(board, [&](std::size_t s) {
    const BoardSubset& subset = board.subsets[s];
    return (!type || subset.type == *type) && (!language || subset.language == *language);
  });
  if (kept.subsets.empty()) {
    return fail(ErrorKind::kNotFound,
                type || language ? "no subset of that language and task type in these figures"
                                 : "these figures hold no score");
  }
  return keep_competitors(kept, [](const Competitor& row) { return row.coverage() > 0; });
}

// The entries that become rows, people first; and apart from them the annotators.
struct Chosen {
  std::vector<const Entry*> rows;
  std::vector<const Entry*> annotators;
};

Result<Chosen> choose(const Figures& figures, const BoardOptions& options) {
  Chosen chosen;
  std::size_t models = 0;
  std::set<std::string_view> found;
  for (const Entry& entry : figures.entries) {
    if (is_annotator(entry)) chosen.annotators.push_back(&entry);
    if (is_annotator(entry) || !is_chosen(entry, options.models)) continue;
    models += kind_of(entry) == RaterKind::kModel ? 1 : 0;
    const auto revision = wanted_revision(figures, entry.name, options);
    if (revision && !entry.revision.starts_with(*revision)) continue;
    found.insert(entry.name);
    chosen.rows.push_back(&entry);
  }
  for (const auto& [name, revision] : options.revisions) {
    if (!found.contains(name)) {
      return fail(ErrorKind::kNotFound,
                  fmt::format("no revision '{}' of '{}' in {}", revision, name, figures.name));
    }
  }
  if (models == 0 && options.models != "all") {
    return fail(ErrorKind::kNotFound,
                fmt::format("no model of {} matches '{}'", figures.name, options.models));
  }
  if (options.annotators) {
    chosen.rows.insert(chosen.rows.end(), chosen.annotators.begin(), chosen.annotators.end());
  }
  std::stable_partition(chosen.rows.begin(), chosen.rows.end(),
                        [](const Entry* entry) { return kind_of(*entry) == RaterKind::kHuman; });
  return chosen;
}

}  // namespace

std::string_view kind_name(RaterKind kind) {
  switch (kind) {
    case RaterKind::kHuman:
      return "human";
    case RaterKind::kModel:
      return "model";
    case RaterKind::kSimulated:
      return "simulated";
    case RaterKind::kAdjudicated:
      return "adjudicated";
    case RaterKind::kBaseline:
      break;
  }
  return "baseline";
}

std::string_view human_rule_name(HumanRule rule) {
  return std::ranges::find(kHumanRules, rule, [](const auto& row) { return row.first; })->second;
}

std::optional<HumanRule> parse_human_rule(std::string_view name) {
  const auto found =
      std::ranges::find(kHumanRules, name, [](const auto& row) { return row.second; });
  return found == std::end(kHumanRules) ? std::nullopt : std::optional(found->first);
}

std::string BoardSubset::label() const { return subset == "default" ? task : task + "/" + subset; }

std::size_t Competitor::coverage() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(scores, [](const auto& score) { return score.has_value(); }));
}

bool Competitor::is_ranked() const {
  return !trivial && kind != RaterKind::kSimulated && kind != RaterKind::kAdjudicated;
}

std::optional<std::size_t> Board::human() const {
  const bool first = !competitors.empty() && competitors[0].kind == RaterKind::kHuman &&
                     !competitors[0].revision.starts_with(kAnnotatorPrefix);
  return first ? std::optional<std::size_t>(0) : std::nullopt;
}

Board keep_subsets(const Board& board, const std::function<bool(std::size_t)>& pass) {
  Board kept;
  for (const Competitor& row : board.competitors) {
    kept.competitors.push_back(row);
    kept.competitors.back().scores.clear();
    kept.competitors.back().cells.clear();
  }
  for (std::size_t s = 0; s < board.subsets.size(); ++s) {
    if (!pass(s)) continue;
    kept.subsets.push_back(board.subsets[s]);
    kept.people.push_back(board.people[s]);
    for (std::size_t c = 0; c < board.competitors.size(); ++c) {
      kept.competitors[c].scores.push_back(board.competitors[c].scores[s]);
      kept.competitors[c].cells.push_back(board.competitors[c].cells[s]);
    }
  }
  return kept;
}

Board keep_competitors(const Board& board, const std::function<bool(const Competitor&)>& pass) {
  Board kept{board.subsets, {}, board.people};
  std::ranges::copy_if(board.competitors, std::back_inserter(kept.competitors), pass);
  return kept;
}

Result<Board> make_board(const Figures& figures, const BoardOptions& options) {
  PLUMB_TRY(chosen, choose(figures, options));
  Board board;
  board.subsets = all_subsets(chosen.rows);
  for (const Entry* entry : chosen.rows) {
    board.competitors.push_back(make_competitor(*entry, board.subsets));
  }
  for (const BoardSubset& subset : board.subsets) {
    board.people.push_back(people_behind(subset, chosen.annotators, chosen.rows));
  }
  if (options.human != HumanRule::kPublished && (chosen.annotators.empty() || !board.human())) {
    return fail(ErrorKind::kNotFound,
                fmt::format("--human {} needs the scores of single annotators, "
                            "and {} holds none",
                            human_rule_name(options.human), figures.name));
  }
  apply_human_rule(options.human, board);
  if (options.trivial) add_trivial_rows(board);
  return filtered(board, options);
}

}  // namespace plumb::gap
