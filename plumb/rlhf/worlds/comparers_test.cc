#include "plumb/rlhf/worlds/comparers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <set>
#include <string>

#include "plumb/base/files.h"
#include "plumb/lm/stories.h"
#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/rlhf/worlds/world.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::rlhf {
namespace {

using tasks::Choice;

// Of each of `prompts` prompts many completions, endings of stories that begin otherwise.
std::vector<Sample> story_samples(std::size_t prompts, std::size_t each) {
  const auto stories = lm::write_stories(prompts * each, {.seed = 5});
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < stories.size(); ++i) {
    const std::string& text = stories[i].text;
    samples.push_back({.prompt = stories[i / each].hero + std::to_string(i / each),
                       .completion = text.substr(text.find('.') + 1)});
  }
  return samples;
}

double share_against_gold(const Labels& labels) {
  const std::size_t decided = labels.pairs.size() - labels.equal_gold;
  return static_cast<double>(labels.against_gold) / static_cast<double>(decided);
}

TEST(Comparers, VoteForTheBetterOneWithoutNoise) {
  const auto gold = open_world("world:story").value();
  const auto labels = compare_samples(story_samples(50, 8), *gold, {.pairs_per_prompt = 10});
  ASSERT_TRUE(labels) << labels.error().message;
  EXPECT_EQ(labels->pairs.size(), 500U);
  EXPECT_EQ(labels->against_gold, 0U);
}

TEST(Comparers, ErrInTheShareThatTheyAreGiven) {
  const auto gold = open_world("world:story").value();
  const auto labels = compare_samples(story_samples(100, 16), *gold,
                                      {.noise = {.flip = 0.25}, .pairs_per_prompt = 40, .seed = 1});
  EXPECT_NEAR(share_against_gold(*labels), 0.25, 4 * std::sqrt(0.25 * 0.75 / 3500));
}

// Bradley and Terry: logistic in the difference; 1 / (1 + e^-1) = 0.7311, 1 / (1 + e^-2) = 0.8808.
TEST(Comparers, FollowBradleyAndTerry) {
  for (const auto& [temperature, expected] : {std::pair(1.0, 0.7311), std::pair(0.5, 0.8808)}) {
    const ComparerNoise noise{.kind = ComparerNoise::Kind::kBradleyTerry,
                              .temperature = temperature};
    double first = 0;
    for (std::uint64_t i = 0; i < 20000; ++i) {
      Stream stream(2, "bradley-terry", i);
      first += vote_on(3, 2, noise, stream) == Choice::kA ? 1 : 0;
    }
    EXPECT_NEAR(first / 20000, expected, 4 * std::sqrt(0.25 / 20000));
  }
  Stream stream(2, "far", 0);
  const ComparerNoise noise{.kind = ComparerNoise::Kind::kBradleyTerry, .temperature = 1e-3};
  EXPECT_EQ(vote_on(1e6, -1e6, noise, stream), Choice::kA);
  EXPECT_EQ(vote_on(-1e6, 1e6, noise, stream), Choice::kB);
}

// rlhf.md 2.1: theta 1.5 and a difference of 1 give 0.644405, a tie 0.158645, 0.196950.
TEST(Comparers, CallItATieAsRaoAndKupperSay) {
  const ComparerNoise noise{
      .kind = ComparerNoise::Kind::kBradleyTerry, .temperature = 2, .log_theta = std::log(1.5)};
  double said[3] = {0, 0, 0};
  constexpr std::uint64_t kVotes = 40000;
  for (std::uint64_t i = 0; i < kVotes; ++i) {
    Stream stream(3, "rao-kupper", i);
    ++said[static_cast<std::size_t>(vote_on(7, 5, noise, stream))];
  }
  const double expected[] = {0.644405, 0.196950, 0.158645};
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(said[k] / kVotes, expected[k], 4 * std::sqrt(0.25 / kVotes)) << k;
  }
}

TEST(Comparers, LeaveTiesOutOfPairsAndKeepThemInTheTask) {
  const auto gold = open_world("world:story").value();
  const CompareOptions options{
      .noise = {.kind = ComparerNoise::Kind::kBradleyTerry, .temperature = 5, .log_theta = 1},
      .pairs_per_prompt = 5,
      .annotators = 2};
  const auto labels = compare_samples(story_samples(40, 6), *gold, options);
  ASSERT_TRUE(labels) << labels.error().message;
  EXPECT_GT(labels->ties, 50U);
  const std::string lines = preference_lines(*labels);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(lines, '\n')),
            2 * labels->pairs.size() - labels->ties);
  const ComparisonTask made = comparison_task(*labels, options, "stories");
  std::size_t ties = 0;
  for (const auto& sheet : made.answers) {
    for (const auto& answer : sheet.answers) {
      ties += (*answer)[0] == static_cast<double>(Choice::kTie) ? 1 : 0;
    }
  }
  EXPECT_EQ(ties, labels->ties);
}

TEST(Comparers, DrawNoPairTwiceAndEverySideAsOften) {
  const auto gold = open_world("world:story").value();
  const auto samples = story_samples(40, 12);
  const auto labels = compare_samples(samples, *gold, {.pairs_per_prompt = 1000, .seed = 3});
  std::set<std::set<std::string>> pairs;
  double better_first = 0, decided = 0;
  for (const LabelledPair& pair : labels->pairs) {
    EXPECT_TRUE(pairs.insert({pair.prompt, pair.texts[0], pair.texts[1]}).second);
    decided += pair.gold[0] != pair.gold[1] ? 1 : 0;
    better_first += pair.gold[0] > pair.gold[1] ? 1 : 0;
  }
  EXPECT_GT(labels->pairs.size(), 2000U);
  EXPECT_NEAR(better_first / decided, 0.5, 4 * std::sqrt(0.25 / decided));
}

TEST(Comparers, GiveTheSameBytesForTheSameSeed) {
  const auto gold = open_world("world:story").value();
  const auto samples = story_samples(20, 6);
  CompareOptions options{.noise = {.flip = 0.25}, .pairs_per_prompt = 4, .seed = 9, .threads = 1};
  const std::string lines = preference_lines(*compare_samples(samples, *gold, options));
  options.threads = 3;
  EXPECT_EQ(preference_lines(*compare_samples(samples, *gold, options)), lines);
  options.seed = 10;
  EXPECT_NE(preference_lines(*compare_samples(samples, *gold, options)), lines);
}

TEST(Comparers, WriteWhatIsReadAsPreferences) {
  const auto gold = open_world("world:story").value();
  const CompareOptions options{
      .noise = {.flip = 0.2}, .pairs_per_prompt = 3, .annotators = 4, .seed = 2};
  const auto labels = compare_samples(story_samples(30, 6), *gold, options);
  const std::string stem = testing::TempDir() + "comparers_" + std::to_string(::getpid());
  ASSERT_TRUE(write_file_atomic(stem + ".jsonl", preference_lines(*labels)));
  const auto pairs = read_preferences(stem + ".jsonl", {});
  ASSERT_TRUE(pairs) << pairs.error().message;
  EXPECT_EQ(pairs->comparisons.size(), labels->pairs.size() * 4);
  EXPECT_TRUE(pairs->defects.empty());

  const ComparisonTask made = comparison_task(*labels, options, "stories");
  ASSERT_TRUE(write_file_atomic(stem + ".task.jsonl", tasks::format_task(made.task)));
  ASSERT_TRUE(write_file_atomic(stem + ".answers.jsonl", format_answers(made.task, made.answers)));
  const std::vector<std::string> answers = {stem + ".answers.jsonl"};
  const auto task = read_preferences(stem + ".task.jsonl", answers);
  ASSERT_TRUE(task) << task.error().message;
  ASSERT_EQ(task->comparisons.size(), labels->pairs.size());
  for (std::size_t i = 0; i < labels->pairs.size(); ++i) {
    double first = 0;
    for (const Choice vote : labels->pairs[i].votes) first += vote == Choice::kA ? 0.25 : 0;
    EXPECT_EQ(share_of_first(task->comparisons[i]), first);
  }
}

TEST(Comparers, NeedTwoCompletionsOfAPrompt) {
  const auto gold = open_world("world:happy").value();
  const std::vector<Sample> samples = {{.prompt = "a", .completion = "b"},
                                       {.prompt = "a", .completion = "b"},
                                       {.prompt = "c", .completion = "d"}};
  const auto labels = compare_samples(samples, *gold, {});
  ASSERT_FALSE(labels);
  EXPECT_EQ(labels.error().message,
            "none of 2 prompts has two different completions to compare; draw more samples a "
            "prompt");
}

}  // namespace
}  // namespace plumb::rlhf
