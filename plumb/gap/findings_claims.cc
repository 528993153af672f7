#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plumb/gap/findings_checks.h"

namespace plumb::gap {
namespace {

std::size_t separable(const std::vector<SubsetGap>& gaps) {
  return static_cast<std::size_t>(std::ranges::count_if(
      gaps, [](const SubsetGap& gap) { return gap.ci && (gap.ci->low > 0 || gap.ci->high < 0); }));
}

}  // namespace

std::optional<Finding> two_weightings(const Evidence& evidence) {
  std::map<tasks::TaskType, std::vector<double>> by_subset;
  std::map<tasks::TaskType, std::map<std::string, std::vector<double>>> by_task;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const BoardSubset& subset = evidence.board.subsets[s];
    by_subset[subset.type].push_back(evidence.human_score(s));
    by_task[subset.type][subset.task].push_back(evidence.human_score(s));
  }
  std::vector<std::string> parts;
  bool differ = false;
  for (const auto& [type, scores] : by_subset) {
    std::vector<double> tasks;
    for (const auto& [task, subsets] : by_task[type]) tasks.push_back(mean(subsets));
    differ = differ || std::abs(mean(tasks) - mean(scores)) > 0.05;
    parts.push_back(
        fmt::format("{} {:.1f} against {:.1f}", tasks::type_name(type), mean(tasks), mean(scores)));
  }
  return Finding{"two-weightings", "Type columns weigh tasks, the headline weighs subsets", differ,
                 fmt::format("human by tasks against by subsets: {}", fmt::join(parts, ", "))};
}

std::optional<Finding> outside_interval(const Evidence& evidence) {
  const auto outside = std::ranges::count_if(evidence.gaps, [](const SubsetGap& gap) {
    return gap.outside_paper_interval.value_or(false);
  });
  const auto uncorrected = measure_gaps(evidence.board, {.corrected = false});
  return Finding{
      "outside-interval", "The best model lies outside the human's interval on 14 of 26 subsets",
      outside == 14 && evidence.gaps.size() == 26,
      fmt::format("{} of {} by the paper's intervals (Wilson; Fisher z for everything else); "
                  "{} once both sides have an interval and annotators differ; {} once the "
                  "choice of the best model is corrected for",
                  outside, evidence.gaps.size(), separable(*uncorrected),
                  separable(evidence.gaps))};
}

std::optional<Finding> human_wins(const Evidence& evidence) {
  const auto wins = std::ranges::count_if(
      evidence.gaps, [](const SubsetGap& gap) { return gap.human > gap.model; });
  const double share =
      100.0 * static_cast<double>(wins) / static_cast<double>(evidence.gaps.size());
  return Finding{"human-wins", "Humans beat the best model on 15.4 % of subsets",
                 std::abs(share - 15.4) < 0.05,
                 fmt::format("{} of {} = {:.1f} %", wins, evidence.gaps.size(), share)};
}

std::optional<Finding> highest_cells(const Evidence& evidence) {
  std::map<std::pair<tasks::TaskType, std::string>, std::vector<std::size_t>> cells;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    cells[{evidence.board.subsets[s].type, evidence.board.subsets[s].language}].push_back(s);
  }
  const auto score = [](const Competitor& row, const std::vector<std::size_t>& subsets) {
    double sum = 0;
    for (const std::size_t s : subsets) sum += row.scores[s].value_or(0);
    return sum / static_cast<double>(subsets.size());
  };
  std::size_t highest = 0;
  for (const auto& cell : cells) {
    const std::vector<std::size_t>& subsets = cell.second;
    const double human = score(*evidence.human, subsets);
    highest += std::ranges::all_of(evidence.board.competitors, [&](const Competitor& row) {
      return row.kind != RaterKind::kModel || score(row, subsets) < human;
    });
  }
  return Finding{"highest-cells", "Humans are highest in 5 of 14 type x language cells",
                 highest == 5 && cells.size() == 14,
                 fmt::format("the figures give {} of {}", highest, cells.size())};
}

}  // namespace plumb::gap
