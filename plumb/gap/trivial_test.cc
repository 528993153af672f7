#include "plumb/gap/trivial.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace plumb::gap {
namespace {

std::map<std::string, double> answers(const char* task) {
  std::map<std::string, double> scores;
  for (const TrivialAnswer& answer : trivial_answers(*tasks::find_task(task))) {
    scores[std::string(answer.name)] = answer.score;
  }
  return scores;
}

// By hand: V of singletons is 2h / (1 + h) with h = ln 6 / ln 30. Random labels in 6 groups on 6 x
// 5 by simulation: 0.293, with groups of random sizes; here the groups are of five, so a little
// more.
TEST(TrivialAnswers, OfClusteringKnowThatVRewardsSingletons) {
  const auto wiki = answers("HUMEWikiCitiesClustering");
  EXPECT_NEAR(wiki.at("singletons"), 0.690, 0.0005);
  EXPECT_NEAR(wiki.at("one cluster"), 0, 1e-12);
  EXPECT_NEAR(wiki.at("random"), 0.30, 0.015);
  EXPECT_NEAR(answers("HUMEArxivClusteringP2P").at("singletons"), 0.642, 0.0005);
}

TEST(TrivialAnswers, OfClassificationAreTheSharesOfClasses) {
  EXPECT_DOUBLE_EQ(answers("HUMEToxicConversationsClassification").at("majority"), 25.0 / 45);
  EXPECT_DOUBLE_EQ(answers("HUMEEmotionClassification").at("random"), 1.0 / 6);
}

// Expected AP of a random order of 7: .3704 with one relevant document, .5803 with three.
TEST(TrivialAnswers, OfRerankingAreARandomOrder) {
  EXPECT_NEAR(answers("HUMEWikipediaRerankingMultilingual").at("random"), 0.3704, 5e-5);
  EXPECT_NEAR(answers("HUMECore17InstructionReranking").at("random"), 0.5803, 5e-5);
}

TEST(BestTrivialAnswer, IsTheHighest) {
  EXPECT_EQ(best_trivial_answer(*tasks::find_task("HUMEWikiCitiesClustering"))->name, "singletons");
  EXPECT_EQ(best_trivial_answer(*tasks::find_task("HUMESTS12"))->score, 0);
}

}  // namespace
}  // namespace plumb::gap
