// Labels, splits and coins: what training takes of preference data.
#include "plumb/rlhf/preferences/preference_split.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace plumb::rlhf {
namespace {

using tasks::Choice;

Comparison pair(const std::string& prompt, const std::string& first, const std::string& second,
                std::vector<Vote> votes = {{"", Choice::kA, 0}}) {
  return {.where = "file:1",
          .prompt = {{"", prompt}},
          .completions = {Conversation{{"", first}}, Conversation{{"", second}}},
          .votes = std::move(votes)};
}

PreferenceData of_prompts(std::size_t prompts, std::size_t each) {
  PreferenceData data;
  for (std::size_t i = 0; i < prompts * each; ++i) {
    data.comparisons.push_back(
        pair(fmt::format("prompt {}", i % prompts), fmt::format("a{}", i), fmt::format("b{}", i)));
  }
  return data;
}

TEST(PairLabels, AreSharesOfVotesAndTheirMeanStrength) {
  const auto label = label_of(pair("p", "x", "y",
                                   {{"1", Choice::kA, 3},
                                    {"2", Choice::kA, 1},
                                    {"3", Choice::kB, 2},
                                    {"4", Choice::kTie, 0},
                                    {"5", Choice::kBothBad, 0}}));
  ASSERT_TRUE(label);
  EXPECT_DOUBLE_EQ(label->win, 0.4);
  EXPECT_DOUBLE_EQ(label->tie, 0.4);
  EXPECT_DOUBLE_EQ(label->loss, 0.2);
  EXPECT_DOUBLE_EQ(label->strength, 2);
  EXPECT_FALSE(label_of(pair("p", "x", "x")));
  EXPECT_FALSE(label_of(pair("p", "x", "y", {})));
}

// sha256sum of "Hi." begins so.
TEST(PromptMarks, NameTheFirstTurnWhateverTheFile) {
  Comparison one = pair("x", "a", "b");
  one.prompt = {{"system", "Be kind."}, {"user", " Hi.\n"}, {"assistant", "Hello."}};
  EXPECT_EQ(prompt_mark(one), "17f4444f3932f8a1");
  const Comparison bare = pair("", "a", "b"), turned = pair("", "b", "a");
  EXPECT_EQ(prompt_mark(bare), prompt_mark(turned));
  EXPECT_NE(prompt_mark(bare), prompt_mark(pair("", "a", "c")));
  EXPECT_EQ(prompt_marks(of_prompts(3, 4)).size(), 3U);
}

TEST(Splits, NeverPutAPromptOnBothSides) {
  const PreferenceData data = of_prompts(40, 3);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const PreferenceSplit split = split_by_prompt(data, 0.25, seed);
    EXPECT_EQ(split.train.size() + split.held_out.size(), 120U);
    EXPECT_EQ(split.held_out.size(), 30U);
    std::set<std::size_t> held_out;
    for (const std::size_t place : split.held_out) held_out.insert(place % 40);
    for (const std::size_t place : split.train) EXPECT_FALSE(held_out.contains(place % 40));
  }
  EXPECT_NE(split_by_prompt(data, 0.25, 0).held_out, split_by_prompt(data, 0.25, 1).held_out);
  EXPECT_TRUE(split_by_prompt(data, 0, 0).held_out.empty());
}

TEST(Splits, KeepConversationsThatBeginAlikeTogether) {
  PreferenceData data;
  for (std::size_t i = 0; i < 30; ++i) {
    Comparison one = pair("", fmt::format("a{}", i), fmt::format("b{}", i));
    one.prompt = {{"system", "Be brief."}, {"user", fmt::format("question {}", i % 10)}};
    for (std::size_t turn = 0; turn < i / 10; ++turn) {
      one.prompt.push_back({"assistant", fmt::format("turn {} of {}", turn, i)});
    }
    data.comparisons.push_back(one);
  }
  const PreferenceSplit split = split_by_prompt(data, 0.3, 1);
  EXPECT_EQ(split.held_out.size(), 9U);
  for (const std::size_t place : split.held_out) {
    for (const std::size_t other : {place % 10, place % 10 + 10, place % 10 + 20}) {
      EXPECT_TRUE(std::ranges::binary_search(split.held_out, other));
    }
  }
}

TEST(Splits, GoByTheTextsWhereThereIsNoPrompt) {
  PreferenceData data;
  for (std::size_t i = 0; i < 20; ++i) {
    data.comparisons.push_back(pair("", fmt::format("a{}", i % 10), fmt::format("b{}", i % 10)));
    if (i >= 10) std::swap(data.comparisons[i].completions[0], data.comparisons[i].completions[1]);
  }
  const PreferenceSplit split = split_by_prompt(data, 0.5, 3);
  ASSERT_EQ(split.held_out.size(), 10U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(split.held_out[i] + 10, split.held_out[i + 5]);
}

TEST(RandomLabels, AreCoinsThatTheSeedTosses) {
  const PreferenceData data = of_prompts(500, 1);
  const PreferenceData random = with_random_labels(data, 4);
  std::size_t first = 0;
  for (const Comparison& one : random.comparisons) first += *share_of_first(one) == 1 ? 1 : 0;
  // Five standard deviations of 500 coins.
  EXPECT_NEAR(static_cast<double>(first), 250, 5 * std::sqrt(125.0));
  EXPECT_EQ(hashes_of(random).all, hashes_of(with_random_labels(data, 4)).all);
  EXPECT_NE(hashes_of(random).all, hashes_of(with_random_labels(data, 5)).all);
  EXPECT_EQ(hashes_of(random).completions, hashes_of(data).completions);
  EXPECT_EQ(hashes_of(random).prompts, hashes_of(data).prompts);
}

// Rankings of four without a prompt.
PreferenceData rankings(std::size_t count) {
  PreferenceData data;
  for (std::size_t r = 1; r <= count; ++r) {
    for (std::size_t better = 0; better < 4; ++better) {
      for (std::size_t worse = better + 1; worse < 4; ++worse) {
        Comparison one = pair("", fmt::format("{} {}", r, better), fmt::format("{} {}", r, worse));
        one.ranking = r;
        one.ranks = {better, worse};
        data.comparisons.push_back(one);
      }
    }
  }
  return data;
}

TEST(Splits, NeverPutARankingOnBothSides) {
  const PreferenceData data = rankings(20);
  const PreferenceSplit split = split_by_prompt(data, 0.5, 3);
  ASSERT_EQ(split.held_out.size(), 60U);
  for (std::size_t i = 0; i < 60; i += 6) {
    EXPECT_EQ(split.held_out[i] / 6, split.held_out[i + 5] / 6);
  }
}

TEST(RandomLabels, OfRankingsAreOrdersThatTheSeedDraws) {
  const PreferenceData data = rankings(600), random = with_random_labels(data, 2);
  std::size_t best_stays_best = 0;
  for (std::size_t first = 0; first < data.comparisons.size(); first += 6) {
    std::size_t rank_of_best = 0, wins = 0;
    for (std::size_t i = first; i < first + 6; ++i) {
      const Comparison& one = random.comparisons[i];
      ASSERT_EQ(*share_of_first(one), one.ranks[0] < one.ranks[1] ? 1 : 0);
      if (data.comparisons[i].ranks[0] == 0) {
        rank_of_best = one.ranks[0];
        wins += one.ranks[0] < one.ranks[1] ? 1 : 0;
      }
    }
    ASSERT_EQ(wins, 3 - rank_of_best);  // one order, not six coins
    best_stays_best += rank_of_best == 0 ? 1 : 0;
  }
  // Five standard deviations of 600 draws of one in four.
  EXPECT_NEAR(static_cast<double>(best_stays_best), 150, 5 * std::sqrt(600 * 0.25 * 0.75));
  EXPECT_EQ(hashes_of(random).all, hashes_of(with_random_labels(data, 2)).all);
}

TEST(Subsets, KeepTheirComparisonsAndTheFile) {
  PreferenceData data = of_prompts(5, 1);
  data.file = "pairs.jsonl";
  const std::size_t places[] = {1, 4};
  const PreferenceData subset = subset_of(data, places);
  EXPECT_EQ(subset.file, "pairs.jsonl");
  ASSERT_EQ(subset.comparisons.size(), 2U);
  EXPECT_EQ(plain_text(subset.comparisons[1].prompt), "prompt 4");
}

}  // namespace
}  // namespace plumb::rlhf
