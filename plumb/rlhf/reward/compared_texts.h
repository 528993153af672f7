// Comparisons as training takes them: texts in groups of which people said which is better. A group
// is a pair with its votes, or a ranking whose texts stand from the best to the worst.
//
//   PLUMB_TRY(compared, compared_texts(data, Learnt::kPairs));
//   const RewardLoss loss = group_loss(scores, compared.groups.view(), options, slopes);
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/reward/reward_losses.h"

namespace plumb::rlhf {

// Some groups, one after another.
struct GroupView {
  std::span<const std::size_t> starts;  // [groups + 1], of texts; the first need not be 0
  std::span<const PairLabel> labels;    // [groups]: pairs; none: rankings

  std::size_t size() const { return starts.size() - 1; }
};

struct TextGroups {
  std::vector<std::size_t> starts = {0};
  std::vector<PairLabel> labels;

  std::size_t size() const { return starts.size() - 1; }
  GroupView view() const { return {starts, labels}; }
};

// The mean over groups of reward_loss(), or of the loss of Plackett and Luce, which knows neither
// ties nor margins. scores, slopes: [texts of the groups]; slopes are overwritten. REQUIRES: a
// group or more.
RewardLoss group_loss(std::span<const double> scores, const GroupView& groups,
                      const RewardLossOptions& options, std::span<double> slopes);

// Votes for the higher score, ties of scores half, of groups; pairs of a ranking are a vote each.
struct RightVotes {
  double right = 0, decided = 0;

  RightVotes& operator+=(const RightVotes& other) {
    right += other.right;
    decided += other.decided;
    return *this;
  }
  // One comparison whose first text is ahead by this difference of scores.
  void count(double difference, const PairLabel& label);
};
RightVotes right_votes(std::span<const double> scores, const GroupView& groups);

enum class Learnt { kPairs, kRankings };

// Its texts look at its comparisons, so it is moved and never copied.
struct ComparedTexts {
  ComparedTexts() = default;
  ComparedTexts(ComparedTexts&&) = default;
  ComparedTexts& operator=(ComparedTexts&&) = default;

  std::vector<ComparisonTexts> comparisons;  // what `texts` looks at
  std::vector<Completed> texts;              // of all groups
  std::vector<std::string> where;            // [groups]
  TextGroups groups;
  // [comparisons of the data]: the places of both texts.
  std::vector<std::array<std::size_t, 2>> places;

  // Of each comparison of the data both scores, from one score a text.
  std::vector<std::array<double, 2>> pair_scores(std::span<const double> scores) const;
};

// REQUIRES: every comparison has a label (preference_split.h). kBadInput: of rankings, a comparison
// that belongs to none, with its place.
Result<ComparedTexts> compared_texts(const PreferenceData& data, Learnt learnt);

}  // namespace plumb::rlhf
