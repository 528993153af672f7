#include "plumb/lm/story_sentences.h"

#include <gtest/gtest.h>

#include "plumb/lm/stories.h"

namespace plumb::lm {
namespace {

TEST(StorySentences, AreReadAsTheyWereWritten) {
  for (const Story& story : write_stories(1000, {.seed = 11})) {
    const auto sentences = story_sentences(story.text);
    ASSERT_EQ(sentences.size(), story.sentences) << story.text;
    for (const std::string_view sentence : sentences) {
      EXPECT_TRUE(read_story_sentence(sentence)) << sentence;
    }
    const auto opening = read_story_sentence(sentences[0]);
    EXPECT_EQ(opening->kind, SentenceKind::kOpening);
    EXPECT_EQ(opening->hero, story.hero);
    EXPECT_EQ(opening->thing, story.thing);
    EXPECT_EQ(read_story_sentence(sentences[1])->place, story.place);
    const SentenceKind end = read_story_sentence(sentences.back())->kind;
    EXPECT_EQ(end, story.shares  ? SentenceKind::kSharedEnd
                   : story.happy ? SentenceKind::kHappyEnd
                                 : SentenceKind::kSadEnd);
  }
}

TEST(StorySentences, ThatTheGrammarDoesNotWriteAreNotRead) {
  for (const char* sentence :
       {"", " ", "Mia", "Mia had a old kite", "Mia had an red kite", "Mia found the kite and was",
        "Mia found the kite and gave it to his friend", "Mia found the kites and was happy",
        "mia found the kite and was happy", "She called all day long", "Mia found",
        "Mia found the kite and was happy She called all day", "In the forest the cat met Mia",
        "\xff\xfe", "Rain fell"}) {
    EXPECT_FALSE(read_story_sentence(sentence)) << sentence;
  }
}

TEST(StorySentences, MayHaveAnyBlanks) {
  const auto read = read_story_sentence("\n Mia  found\tthe kite and\nwas happy ");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind, SentenceKind::kHappyEnd);
  EXPECT_EQ(read->thing, "kite");
}

TEST(StorySentences, EndAtFullStopsAndAtTheEndOfTheText) {
  const std::vector<std::string_view> expected = {"a b", "c", "d"};
  EXPECT_EQ(story_sentences(" a b. . c.d"), expected);
  EXPECT_TRUE(story_sentences(" .. ").empty());
}

}  // namespace
}  // namespace plumb::lm
