#include "plumb/rlhf/preferences/preference_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "plumb/base/hash.h"
#include "plumb/base/json.h"
#include "plumb/base/random.h"

namespace plumb::rlhf {
namespace {

std::optional<std::string> first_turn(const Comparison& comparison) {
  for (const Turn& turn : comparison.prompt) {
    const std::string_view text = trimmed(turn.content);
    if (turn.role != "system" && !text.empty()) return std::string(text);
  }
  return std::nullopt;
}

std::string both_texts(const Comparison& comparison) {
  const ComparisonTexts texts = comparison_texts(comparison);
  const auto& [low, high] = std::minmax(texts.completions[0], texts.completions[1]);
  return low + '\n' + high;
}

std::string beginning_of(const Comparison& comparison) {
  if (auto turn = first_turn(comparison)) return *std::move(turn);
  if (comparison.ranking > 0) return fmt::format("ranking {}", comparison.ranking);
  return both_texts(comparison);
}

// Of the ranking whose first pair stands here, the completions.
std::size_t size_of_ranking(const PreferenceData& data, std::size_t first) {
  std::size_t worst = 0;
  for (std::size_t i = first; i < data.comparisons.size(); ++i) {
    if (data.comparisons[i].ranking != data.comparisons[first].ranking) break;
    worst = std::max({worst, data.comparisons[i].ranks[0], data.comparisons[i].ranks[1]});
  }
  return worst + 1;
}

// Each ranking in a random order, to which the votes of its pairs belong.
void shuffle_rankings(PreferenceData& data, std::uint64_t seed) {
  std::size_t ranking = 0;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    Comparison& pair = data.comparisons[i];
    if (pair.ranking == 0) continue;
    if (pair.ranking != ranking) {
      ranking = pair.ranking;
      order.resize(size_of_ranking(data, i));
      std::iota(order.begin(), order.end(), std::size_t{0});
      Stream stream(seed, "random-ranking", ranking);
      shuffle(std::span(order), stream);
    }
    for (std::size_t& rank : pair.ranks) rank = order[rank];
    pair.votes = {{"", pair.ranks[0] < pair.ranks[1] ? tasks::Choice::kA : tasks::Choice::kB, 0}};
  }
}

}  // namespace

std::optional<PairLabel> label_of(const Comparison& comparison) {
  if (comparison.votes.empty() || comparison.completions[0] == comparison.completions[1]) {
    return std::nullopt;
  }
  const auto votes = static_cast<double>(comparison.votes.size());
  double win = 0, loss = 0, strength = 0;
  for (const Vote& vote : comparison.votes) {
    win += vote.choice == tasks::Choice::kA ? 1 : 0;
    loss += vote.choice == tasks::Choice::kB ? 1 : 0;
    const bool decided = vote.choice == tasks::Choice::kA || vote.choice == tasks::Choice::kB;
    strength += decided ? vote.strength : 0;
  }
  const double decided = win + loss;
  return PairLabel{win / votes, (votes - decided) / votes, loss / votes,
                   decided > 0 ? strength / decided : 0};
}

PreferenceSplit split_by_prompt(const PreferenceData& data, double share, std::uint64_t seed) {
  std::map<std::string, std::vector<std::size_t>> groups;
  std::size_t total = 0;
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    if (!label_of(data.comparisons[i])) continue;
    groups[beginning_of(data.comparisons[i])].push_back(i);
    ++total;
  }
  std::vector<const std::vector<std::size_t>*> order;
  for (const auto& [beginning, places] : groups) order.push_back(&places);
  Stream stream(seed, "preference-split", 0);
  shuffle(std::span(order), stream);
  const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(total)));
  PreferenceSplit split;
  for (const auto* places : order) {
    auto& side = split.held_out.size() < wanted ? split.held_out : split.train;
    side.insert(side.end(), places->begin(), places->end());
  }
  std::ranges::sort(split.train);
  std::ranges::sort(split.held_out);
  return split;
}

std::string prompt_mark(const Comparison& comparison) {
  constexpr std::size_t kDigits = 16;
  const auto turn = first_turn(comparison);
  return sha256(turn ? *turn : both_texts(comparison)).substr(0, kDigits);
}

std::vector<std::string> prompt_marks(const PreferenceData& data) {
  std::set<std::string> marks;
  for (const Comparison& one : data.comparisons) marks.insert(prompt_mark(one));
  return {marks.begin(), marks.end()};
}

PreferenceData subset_of(const PreferenceData& data, std::span<const std::size_t> places) {
  PreferenceData subset;
  subset.file = data.file;
  subset.order_known = data.order_known;
  for (const std::size_t place : places) subset.comparisons.push_back(data.comparisons[place]);
  return subset;
}

PreferenceData with_random_labels(const PreferenceData& data, std::uint64_t seed) {
  PreferenceData random = data;
  for (std::size_t i = 0; i < random.comparisons.size(); ++i) {
    if (random.comparisons[i].ranking > 0) continue;
    Stream stream(seed, "random-label", i);
    random.comparisons[i].votes = {
        {"", stream.below(2) == 0 ? tasks::Choice::kA : tasks::Choice::kB, 0}};
  }
  shuffle_rankings(random, seed);
  return random;
}

PreferenceHashes hashes_of(const PreferenceData& data) {
  std::string all, prompts, completions;
  for (const Comparison& one : data.comparisons) {
    const ComparisonTexts texts = comparison_texts(one);
    const std::string prompt = to_text(Json(texts.prompt)) + "\n",
                      sides = to_text(Json(texts.completions)) + "\n";
    Json votes = Json::array();
    for (const Vote& vote : one.votes) {
      votes.push_back({vote.annotator, tasks::choice_name(vote.choice), vote.strength});
    }
    prompts += prompt;
    completions += sides;
    all += prompt + sides + to_text(votes) + "\n";
  }
  return {sha256(all), sha256(prompts), sha256(completions)};
}

}  // namespace plumb::rlhf
