#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plumb/gap/findings_checks.h"
#include "plumb/gap/trivial.h"

namespace plumb::gap {

std::optional<Finding> alphabetical_ties(const Evidence& evidence) {
  std::vector<std::string> effects;
  double largest = 0;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    if (!evidence.is_type(s, tasks::TaskType::kClassification) ||
        evidence.annotator_scores(s).size() != 2)
      continue;
    const double effect = 100 * (*evidence.human->scores[s] - mean(evidence.annotator_scores(s)));
    largest = std::max(largest, std::abs(effect));
    effects.push_back(fmt::format("{} {:+.1f}", short_label(evidence.board.subsets[s]), effect));
  }
  if (effects.empty()) return std::nullopt;
  return Finding{
      "alphabetical-ties", "A majority of two annotators is a tie-break", largest > 0.05,
      fmt::format("with ties broken by a fair coin the consensus scores as the mean of the "
                  "two; the published one differs by {} points",
                  fmt::join(effects, ", "))};
}

std::optional<Finding> human_rules(const Evidence& evidence) {
  std::map<tasks::TaskType, std::pair<std::size_t, std::size_t>> mean_rule;  // equal, of
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    if (evidence.annotator_scores(s).size() < 2) continue;
    auto& [equal, of] = mean_rule[evidence.board.subsets[s].type];
    ++of;
    equal +=
        std::abs(*evidence.human->scores[s] - mean(evidence.annotator_scores(s))) < kSame ? 1 : 0;
  }
  if (mean_rule.empty()) return std::nullopt;
  std::vector<std::string> parts;
  std::size_t by_mean = 0, by_other = 0;
  for (const auto& [type, counts] : mean_rule) {
    parts.push_back(
        fmt::format("{} {} of {}", tasks::type_name(type), counts.first, counts.second));
    (counts.first == counts.second ? by_mean : by_other) += 1;
  }
  return Finding{"several-human-rules",
                 "\"Human\" is made by different rules in different task types",
                 by_mean > 0 && by_other > 0,
                 fmt::format("the score is the mean of the annotators' scores on: {}",
                             fmt::join(parts, ", "))};
}

std::optional<Finding> tied_blocks(const Evidence& evidence) {
  std::vector<std::string> parts;
  std::size_t models = 0, equal = 0;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const tasks::SuiteTask* suite = evidence.board.subsets[s].suite;
    if (!suite || suite->relevant != 1 || !evidence.cell(s)) continue;
    const auto map = evidence.cell(s)->find("map");
    const auto mrr = evidence.cell(s)->find("mrr@10");
    if (map && mrr && std::abs(*map - *mrr) > kSame) {
      parts.push_back(fmt::format("{} MAP {:.4f}, MRR {:.4f}",
                                  short_label(evidence.board.subsets[s]), *map, *mrr));
    }
    for (const Competitor& row : evidence.board.competitors) {
      if (row.kind != RaterKind::kModel || !row.cells[s] || !row.cells[s]->find("mrr")) continue;
      ++models;
      equal += row.cells[s]->find("map") == row.cells[s]->find("mrr") ? 1 : 0;
    }
  }
  if (models == 0) return std::nullopt;
  return Finding{
      "tied-blocks", "Human marks are charged for ties that model scores do not have",
      !parts.empty(),
      fmt::format("with one relevant document MAP equals MRR for every ranking; models: {} of "
                  "{} equal; human: {}",
                  equal, models, fmt::join(parts, "; "))};
}

std::optional<Finding> below_singletons(const Evidence& evidence) {
  std::vector<std::string> below;
  std::size_t subsets = 0;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const tasks::SuiteTask* suite = evidence.board.subsets[s].suite;
    if (!suite || suite->type != tasks::TaskType::kClustering) continue;
    ++subsets;
    const TrivialAnswer trivial = *best_trivial_answer(*suite);
    if (*evidence.human->scores[s] >= trivial.score) continue;
    below.push_back(fmt::format("{} {:.1f} < {:.1f}", short_label(evidence.board.subsets[s]),
                                evidence.human_score(s), 100 * trivial.score));
  }
  if (subsets == 0) return std::nullopt;
  return Finding{"below-singletons", "Putting every text in a cluster of its own beats the human",
                 !below.empty(),
                 fmt::format("V-measure, {} of {} subsets: {}", below.size(), subsets,
                             fmt::join(below, ", "))};
}

std::optional<Finding> lexical_baseline(const Evidence& evidence) {
  for (const Entry& entry : evidence.figures.entries) {
    if (entry.name.find("bm25") == std::string::npos) continue;
    std::vector<double> own, human;
    std::size_t ahead = 0;
    for (std::size_t s = 0; s < evidence.subsets(); ++s) {
      const BoardSubset& subset = evidence.board.subsets[s];
      const Cell* cell = entry.find(subset.task, subset.subset);
      if (!cell || subset.type != tasks::TaskType::kReranking) continue;
      own.push_back(100 * cell->main_score);
      human.push_back(evidence.human_score(s));
      ahead += own.back() > human.back() ? 1 : 0;
    }
    if (own.empty()) return std::nullopt;
    return Finding{"lexical-baseline", "BM25 beats the human on reranking", mean(own) > mean(human),
                   fmt::format("mean {:.1f} against {:.1f}; ahead on {} of {} subsets", mean(own),
                               mean(human), ahead, own.size())};
  }
  return std::nullopt;
}

std::optional<Finding> two_people(const Evidence& evidence) {
  std::vector<std::string> parts;
  std::vector<double> means;
  for (const Entry* annotator : evidence.annotators) {
    std::vector<double> scores;
    for (std::size_t s = 0; s < evidence.subsets(); ++s) {
      const BoardSubset& subset = evidence.board.subsets[s];
      const Cell* cell = annotator->find(subset.task, subset.subset);
      if (cell && subset.language == "eng") scores.push_back(100 * cell->main_score);
    }
    if (scores.empty()) continue;
    means.push_back(mean(scores));
    parts.push_back(fmt::format("{} {:.1f} on {} subsets", annotator->revision.substr(0, 18),
                                means.back(), scores.size()));
  }
  if (means.size() < 2) return std::nullopt;
  const double spread = std::ranges::max(means) - std::ranges::min(means);
  return Finding{"two-people", "The people differ more than the human from the best model",
                 spread > 2.5,
                 fmt::format("English: {}; {:.1f} points apart", fmt::join(parts, ", "), spread)};
}

std::optional<Finding> strange_clusters(const Evidence& evidence) {
  std::vector<std::string> parts;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const Cell* cell = evidence.cell(s);
    const auto v = cell ? cell->find("v_measure") : std::nullopt;
    const auto ami = cell ? cell->find("ami") : std::nullopt;
    if (!v || !ami || *v - *ami < 0.4) continue;
    parts.push_back(fmt::format("{}: V {:.3f}, AMI {:.3f}, ARI {:.3f}",
                                short_label(evidence.board.subsets[s]), *v, *ami,
                                cell->find("ari").value_or(0)));
  }
  if (parts.empty()) return std::nullopt;
  return Finding{"too-many-clusters",
                 "A high V-measure with a low AMI is the mark of too many clusters", !parts.empty(),
                 fmt::format("{}", fmt::join(parts, "; "))};
}

}  // namespace plumb::gap
