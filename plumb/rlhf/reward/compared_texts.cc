#include "plumb/rlhf/reward/compared_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "plumb/rlhf/preferences/preference_split.h"

namespace plumb::rlhf {
namespace {

RewardLoss pairs_loss(std::span<const double> scores, const GroupView& groups,
                      const RewardLossOptions& options, std::span<double> slopes) {
  const std::size_t n = groups.size();
  std::vector<double> score[2], slope[2] = {std::vector<double>(n), std::vector<double>(n)};
  for (std::size_t i = 0; i < 2 * n; ++i) score[i % 2].push_back(scores[i]);
  const RewardLoss loss =
      reward_loss(score[0], score[1], groups.labels, options, slope[0], slope[1]);
  for (std::size_t i = 0; i < 2 * n; ++i) slopes[i] = slope[i % 2][i / 2];
  return loss;
}

RewardLoss rankings_loss(std::span<const double> scores, const GroupView& groups,
                         std::span<double> slopes) {
  RewardLoss loss{0, 0};
  const double each = 1 / static_cast<double>(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::size_t first = groups.starts[g] - groups.starts[0],
                      count = groups.starts[g + 1] - groups.starts[g];
    const auto own = slopes.subspan(first, count);
    loss.value += each * plackett_luce(scores.subspan(first, count), own);
    for (double& slope : own) slope *= each;
  }
  return loss;
}

// Texts of a ranking, the best first, from its pairs.
void add_ranking(ComparedTexts& made, const PreferenceData& data, std::size_t first,
                 std::size_t last) {
  std::size_t worst = 0;
  for (std::size_t i = first; i < last; ++i) {
    worst = std::max({worst, data.comparisons[i].ranks[0], data.comparisons[i].ranks[1]});
  }
  const std::size_t start = made.texts.size();
  made.texts.resize(start + worst + 1);
  for (std::size_t i = first; i < last; ++i) {
    for (std::size_t side = 0; side < 2; ++side) {
      const std::size_t place = start + data.comparisons[i].ranks[side];
      made.texts[place] = {made.comparisons[i].prompt, made.comparisons[i].completions[side], true};
      made.places[i][side] = place;
    }
  }
  made.groups.starts.push_back(made.texts.size());
  made.where.push_back(data.comparisons[first].where);
}

Result<void> add_rankings(ComparedTexts& made, const PreferenceData& data) {
  const auto& all = data.comparisons;
  for (std::size_t first = 0, last = 0; first < all.size(); first = last) {
    const std::size_t ranking = all[first].ranking;
    if (ranking == 0) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: a pair, and not a ranking: plackett-luce learns from "
                              "\"completions\" that are ranked; bradley-terry learns from both",
                              all[first].where));
    }
    while (last < all.size() && all[last].ranking == ranking) ++last;
    add_ranking(made, data, first, last);
  }
  return {};
}

void add_pairs(ComparedTexts& made, const PreferenceData& data) {
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    made.places[i] = {2 * i, 2 * i + 1};
    for (const std::string& side : made.comparisons[i].completions) {
      made.texts.push_back({made.comparisons[i].prompt, side, true});
    }
    made.groups.starts.push_back(made.texts.size());
    made.groups.labels.push_back(*label_of(data.comparisons[i]));
    made.where.push_back(data.comparisons[i].where);
  }
}

}  // namespace

RewardLoss group_loss(std::span<const double> scores, const GroupView& groups,
                      const RewardLossOptions& options, std::span<double> slopes) {
  assert(groups.size() > 0 && scores.size() == groups.starts.back() - groups.starts.front());
  assert(slopes.size() == scores.size());
  if (groups.labels.empty()) return rankings_loss(scores, groups, slopes);
  return pairs_loss(scores, groups, options, slopes);
}

void RightVotes::count(double difference, const PairLabel& label) {
  const double votes = label.win + label.loss;
  if (votes == 0) return;
  right += (difference > 0 ? label.win : difference < 0 ? label.loss : votes / 2) / votes;
  decided += 1;
}

RightVotes right_votes(std::span<const double> scores, const GroupView& groups) {
  RightVotes votes;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto own = scores.subspan(groups.starts[g] - groups.starts[0],
                                    groups.starts[g + 1] - groups.starts[g]);
    for (std::size_t better = 0; better < own.size(); ++better) {
      for (std::size_t worse = better + 1; worse < own.size(); ++worse) {
        votes.count(own[better] - own[worse],
                    groups.labels.empty() ? PairLabel{} : groups.labels[g]);
      }
    }
  }
  return votes;
}

std::vector<std::array<double, 2>> ComparedTexts::pair_scores(
    std::span<const double> scores) const {
  std::vector<std::array<double, 2>> pairs;
  for (const auto& [first, second] : places) pairs.push_back({scores[first], scores[second]});
  return pairs;
}

Result<ComparedTexts> compared_texts(const PreferenceData& data, Learnt learnt) {
  ComparedTexts made;
  for (const Comparison& one : data.comparisons) made.comparisons.push_back(comparison_texts(one));
  made.places.resize(data.comparisons.size());
  if (learnt == Learnt::kPairs) {
    add_pairs(made, data);
  } else if (auto added = add_rankings(made, data); !added) {
    return tl::unexpected(added.error());
  }
  return made;
}

}  // namespace plumb::rlhf
