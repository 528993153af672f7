#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "plumb/gap/findings_checks.h"

namespace plumb::gap {
namespace {

double deviation(const std::vector<double>& values) {
  const double center = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace

std::optional<Finding> subset_names(const Evidence& evidence) {
  std::vector<std::string> odd;
  for (const Entry* entry : evidence.human_revisions) {
    for (const Cell& cell : entry->cells) {
      if (cell.original == cell.subset) continue;
      odd.push_back(fmt::format("{} {} for {}", cell.task.substr(4), cell.original, cell.subset));
    }
  }
  if (odd.empty()) return std::nullopt;
  return Finding{"subset-names", "Human results use other subset names than the task defines",
                 !odd.empty(),
                 fmt::format("{} cells: {}; a reader that drops unknown names finds them missing",
                             odd.size(), fmt::join(odd, ", "))};
}

std::optional<Finding> constant_provenance(const Evidence& evidence) {
  std::set<std::string> revisions, versions;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    if (!evidence.cell(s)) continue;
    revisions.insert(evidence.cell(s)->dataset_revision);
    versions.insert(evidence.cell(s)->mteb_version);
  }
  return Finding{
      "constant-provenance", "Human results do not say which data they belong to",
      revisions.size() == 1 && versions.size() == 1,
      fmt::format("all {} cells: dataset_revision \"{}\", mteb_version \"{}\"", evidence.subsets(),
                  fmt::join(revisions, ", "), fmt::join(versions, ", "))};
}

std::optional<Finding> experiment_order(const Evidence& evidence) {
  std::map<std::string, std::size_t> first;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const Cell* cell = evidence.cell(s);
    if (!cell || cell->experiments.size() < 2) continue;
    for (const Entry* annotator : evidence.annotators) {
      const Cell* own = annotator->find(cell->task, cell->subset);
      const double other = cell->experiments[1];
      if (own && std::abs(own->main_score - cell->experiments[0]) < kSame &&
          std::abs(own->main_score - other) > kSame) {
        ++first[annotator->revision.substr(0, 18)];
      }
    }
  }
  if (first.empty()) return std::nullopt;
  std::vector<std::string> parts;
  for (const auto& [name, count] : first) parts.push_back(fmt::format("{} {} times", name, count));
  return Finding{"experiment-order", "The order of scores_per_experiment does not identify people",
                 first.size() > 1, fmt::format("first in the list: {}", fmt::join(parts, ", "))};
}

std::optional<Finding> mixed_pipelines(const Evidence& evidence) {
  std::map<std::string, std::set<std::string>> by_revision;  // task -> dataset revisions
  std::set<std::string> versions;
  for (const Competitor& row : evidence.board.competitors) {
    if (row.kind != RaterKind::kModel) continue;
    for (const Cell* cell : row.cells) {
      if (!cell) continue;
      by_revision[cell->task].insert(cell->dataset_revision);
      versions.insert(cell->mteb_version);
    }
  }
  const auto mixed =
      std::ranges::count_if(by_revision, [](const auto& task) { return task.second.size() > 1; });
  return Finding{"mixed-pipelines", "Models on one board were scored on different data and code",
                 mixed > 0 || versions.size() > 1,
                 fmt::format("{} of {} tasks hold several dataset revisions; MTEB versions {}",
                             mixed, by_revision.size(), fmt::join(versions, ", "))};
}

std::optional<Finding> single_seed(const Evidence& evidence) {
  std::size_t cells = 0, zero = 0;
  for (const Competitor& row : evidence.board.competitors) {
    for (const Cell* cell : row.cells) {
      const auto deviation = cell ? cell->find("v_measure_std") : std::nullopt;
      if (!deviation) continue;
      ++cells;
      zero += *deviation == 0 ? 1 : 0;
    }
  }
  if (cells == 0) return std::nullopt;
  return Finding{"single-seed", "Every clustering of a model is one run of k-means", zero == cells,
                 fmt::format("v_measure_std is 0 in {} of {} cells", zero, cells)};
}

std::optional<Finding> draw_spread(const Evidence& evidence) {
  std::vector<std::string> parts;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    if (!evidence.is_type(s, tasks::TaskType::kClassification)) continue;
    std::vector<double> deviations;
    for (const Competitor& row : evidence.board.competitors) {
      const Cell* cell = row.kind == RaterKind::kModel ? row.cells[s] : nullptr;
      if (cell && cell->experiments.size() > 1) deviations.push_back(deviation(cell->experiments));
    }
    if (deviations.empty()) continue;
    parts.push_back(
        fmt::format("{} {:.1f}", short_label(evidence.board.subsets[s]), 100 * mean(deviations)));
  }
  if (parts.empty()) return std::nullopt;
  return Finding{"draw-spread", "A model's accuracy moves by points with the training draw", true,
                 fmt::format("standard deviation over draws, mean of the models, no interval was "
                             "published: {}",
                             fmt::join(parts, ", "))};
}

std::optional<Finding> nonstandard_json(const Evidence& evidence) {
  if (evidence.figures.files == 0) return std::nullopt;
  return Finding{"nonstandard-json", "Published files are not valid JSON",
                 evidence.figures.nonstandard_files > 0,
                 fmt::format("{} of {} files hold bare NaN or Infinity",
                             evidence.figures.nonstandard_files, evidence.figures.files)};
}

}  // namespace plumb::gap
