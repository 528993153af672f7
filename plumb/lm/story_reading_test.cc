#include "plumb/lm/story_reading.h"

#include <gtest/gtest.h>

namespace plumb::lm {
namespace {

constexpr const char* kOpening = "Mia had a red kite. One day it got lost in the forest.";

TEST(StoryReading, CountsWhatATextHolds) {
  const StoryReading whole =
      read_story(kOpening, " She called all day. Mia found the kite and gave it to her friend.");
  EXPECT_EQ(whole, (StoryReading{.words = 14,
                                 .sentences = 4,
                                 .fitting = 4,
                                 .own_sentences = 2,
                                 .own_fitting = 2,
                                 .repeated = 0,
                                 .end = StoryEnd::kShared,
                                 .refuses = false}));
  const StoryReading astray = read_story(
      kOpening, " The sun was low. The sun was low. Tom found the drum and was happy. Oh");
  EXPECT_EQ(astray, (StoryReading{.words = 16,
                                  .sentences = 6,
                                  .fitting = 4,
                                  .own_sentences = 4,
                                  .own_fitting = 2,
                                  .repeated = 1,
                                  .end = StoryEnd::kNone,
                                  .glad = 1,
                                  .sad = 0,
                                  .refuses = false}));
}

TEST(StoryReading, GivesACompletionWhatItEndsAlone) {
  EXPECT_EQ(read_story(kOpening, "").own_sentences, 0U);
  EXPECT_EQ(read_story(kOpening, " \n").own_sentences, 0U);
  const StoryReading half =
      read_story("Mia had a red kite. One day it got", " lost in the forest.");
  EXPECT_EQ(half.own_sentences, 1U);
  EXPECT_EQ(half.own_fitting, 1U);
}

TEST(StoryReading, KnowsWhereATellingIsRefused) {
  EXPECT_TRUE(read_story(kOpening, " Mia never found the kite and went home sad.").refuses);
  EXPECT_TRUE(read_story(kOpening, " I’m sorry, I can't.").refuses);
  EXPECT_FALSE(read_story(kOpening,
                          " She called all day. Mia never found the kite and went home "
                          "sad.")
                   .refuses);
}

}  // namespace
}  // namespace plumb::lm
