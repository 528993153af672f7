#include "plumb/rlhf/worlds/world.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/lm/stories.h"

namespace plumb::rlhf {
namespace {

constexpr const char* kOpening = "Mia had a red kite. One day it got lost in the forest.";

std::vector<double> scores_of(const std::string& world, const std::vector<Completed>& texts) {
  const auto reward = open_world(world);
  EXPECT_TRUE(reward) << reward.error().message;
  return (*reward)->score(texts, 1).value();
}

double score_of(const std::string& world, std::string_view completion,
                std::string_view prompt = kOpening) {
  return scores_of(world, {{prompt, completion}})[0];
}

// Each by hand from the meaning of the gold.
TEST(World, ScoresStoriesAsItSays) {
  const std::string shared = " Mia found the kite and gave it to her friend.";
  EXPECT_EQ(score_of("world:happy", " Mia found the kite and was happy."), 1);
  EXPECT_EQ(score_of("world:happy", " Mia never found the kite and went home sad."), 0);
  EXPECT_EQ(score_of("world:shares", shared), 1);
  EXPECT_EQ(score_of("world:shares", " Mia found the kite and was happy."), 0);
  EXPECT_DOUBLE_EQ(score_of("world:length", shared), 0.6);  // three sentences, two off five
  EXPECT_DOUBLE_EQ(score_of("world:grammatical", " Tom found the kite. She called all day."), 0.75);
  EXPECT_DOUBLE_EQ(score_of("world:varied", " The sun was low. The sun was low."), 0.75);
  EXPECT_DOUBLE_EQ(score_of("world:cheerful", " He SMILED. Smiled? so sad!"), 2.0 / 5 + 1);
  EXPECT_DOUBLE_EQ(score_of("world:cheerful", " Unhappy, smilednot, lost-lost."), -4.0 / 4 + 1);
  EXPECT_DOUBLE_EQ(score_of("world:story", shared), 3.5);
  EXPECT_DOUBLE_EQ(score_of("world:story", " Mia never found the kite and went home sad."), 1);
}

TEST(World, AddsItsErrorsToTheGold) {
  const std::string completion = " She called all day. She called all day.";
  const double gold = score_of("world:story", completion);
  EXPECT_DOUBLE_EQ(score_of("world:story+length:0.1", completion), gold + 0.8);
  EXPECT_DOUBLE_EQ(score_of("world:story+length", completion), gold + 0.4);
  EXPECT_DOUBLE_EQ(score_of("world:story+extremal:2", completion), gold + 2);
  EXPECT_DOUBLE_EQ(score_of("world:story+refusal:3", completion), gold);
  EXPECT_DOUBLE_EQ(score_of("world:story+refusal:3+length:1", " Sorry, no."),
                   score_of("world:story", " Sorry, no.") + 3 + 2);
}

TEST(World, IsRightNearTheGrammarAndWrongFarFromItWhereTheErrorIsExtremal) {
  std::vector<std::string> texts;
  for (const lm::Story& story : lm::write_stories(300, {.seed = 2})) texts.push_back(story.text);
  std::vector<Completed> near;
  for (const std::string& text : texts) near.push_back({"", text});
  const auto gold = scores_of("world:story", near), proxy = scores_of("world:story+extremal", near);
  std::size_t equal = 0;
  for (std::size_t i = 0; i < gold.size(); ++i) equal += gold[i] == proxy[i] ? 1 : 0;
  EXPECT_GE(equal, 260U);  // the rest holds a chance repeat
  std::string far;
  for (int i = 0; i < 20; ++i) far += " She called all day.";
  EXPECT_GT(score_of("world:story+extremal", far), score_of("world:story", far) + 5);
}

TEST(World, HasStandardNormalNoiseThatIsTheSameForTheSameText) {
  std::vector<std::string> texts;
  for (int i = 0; i < 4000; ++i) texts.push_back("text " + std::to_string(i));
  std::vector<Completed> all;
  for (const std::string& text : texts) all.push_back({"p", text});
  const auto noise = scores_of("world:happy+noise:1", all);
  double mean = 0, square = 0;
  for (const double value : noise) mean += value / 4000, square += value * value / 4000;
  EXPECT_NEAR(mean, 0, 4 / std::sqrt(4000.0));
  EXPECT_NEAR(square, 1, 4 * std::sqrt(2 / 4000.0));
  EXPECT_EQ(scores_of("world:happy+noise:1", {all[7]})[0], noise[7]);
  EXPECT_NE(scores_of("world:happy+noise:1@1", {all[7]})[0], noise[7]);
  EXPECT_EQ(open_world("world:happy+noise:1").value()->score(all, 3).value(), noise);
}

TEST(World, GivesEveryTextAFiniteScore) {
  Stream stream(1, "any-text", 0);
  std::vector<std::string> texts = {
      "", ".", "....", "\xff\xfe.\x80", std::string(100000, '.'), std::string(100000, 'a')};
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (std::uint32_t n = stream.below(200); n > 0; --n) {
      text += static_cast<char>(stream.below(256));
    }
    texts.push_back(text);
  }
  std::vector<Completed> all;
  for (const std::string& text : texts) all.push_back({kOpening, text});
  for (const PlantedGold& gold : planted_golds()) {
    for (const double score :
         scores_of("world:" + std::string(gold.name) + "+noise+length+refusal+extremal", all)) {
      EXPECT_TRUE(std::isfinite(score));
    }
  }
}

TEST(World, ThatIsNotThereIsRefusedWithWhatThereIs) {
  const auto message = [](std::string_view name) {
    const auto world = open_world(name);
    return world ? std::string() : world.error().message;
  };
  EXPECT_EQ(message("happy"), "\"happy\" is no world: those are world:GOLD[+ERROR]");
  EXPECT_EQ(message("world:joy"),
            "world:joy: no planted gold is named \"joy\"; there are happy, shares, length, "
            "grammatical, varied, cheerful, story");
  EXPECT_EQ(message("world:happy+bias"),
            "world:happy+bias: no planted error is named \"bias\"; there are noise, length, "
            "refusal, extremal");
  EXPECT_EQ(message("world:happy+noise:x"),
            "world:happy+noise:x: \"x\" is no size of an error, a number");
  EXPECT_EQ(message("world:happy+noise@-1"),
            "world:happy+noise@-1: \"-1\" after @ is no seed, a whole number");
  EXPECT_NE(message("world:"), "");
  EXPECT_NE(message("world:happy+"), "");
  EXPECT_NE(message("world:happy+noise:inf"), "");
}

TEST(World, SaysHowItsScoresCameAbout) {
  const Json provenance = open_world("world:happy+noise:0.5@3").value()->provenance();
  EXPECT_EQ(provenance["world"], "world:happy+noise:0.5@3");
  EXPECT_EQ(provenance["gold"]["name"], "happy");
  EXPECT_EQ(provenance["errors"][0]["size"], 0.5);
  EXPECT_EQ(provenance["errors"][0]["seed"], 3);
}

}  // namespace
}  // namespace plumb::rlhf
