#include "plumb/lm/stories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "plumb/lm/testing.h"

namespace plumb::lm {
namespace {

TEST(Stories, HaveTheAttributesThatTheirTextSays) {
  const auto stories = write_stories(2000, {.seed = 3});
  std::size_t happy = 0, shares = 0;
  std::set<std::string> texts;
  for (const Story& story : stories) {
    const auto says = [&](const char* words) { return story.text.find(words) != story.text.npos; };
    EXPECT_EQ(story.happy, !says("never found")) << story.text;
    EXPECT_EQ(story.shares, says("gave it to")) << story.text;
    EXPECT_TRUE(story.text.starts_with(story.hero)) << story.text;
    EXPECT_TRUE(says((story.thing + ".").c_str())) << story.text;
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(story.text, '.')), story.sentences);
    happy += story.happy ? 1 : 0;
    shares += story.shares ? 1 : 0;
    texts.insert(story.text);
  }
  // Binomial, four standard errors.
  EXPECT_NEAR(static_cast<double>(happy) / 2000, 0.5, 0.045);
  EXPECT_NEAR(static_cast<double>(shares) / static_cast<double>(happy), 0.3, 0.06);
  EXPECT_GT(texts.size(), 1800U);
}

TEST(Stories, DependOnTheSeedAndTheirPlaceAlone) {
  const auto few = write_stories(10, {.seed = 4}), many = write_stories(50, {.seed = 4});
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].text, many[i].text);
  EXPECT_NE(few[0].text, write_stories(1, {.seed = 5})[0].text);
}

TEST_F(LanguageModelTest, OfStoriesHasATokenizerThatCoversThem) {
  write("tokenizer.json", to_text(story_tokenizer()));
  const auto tokenizer = load_tokenizer(folder_ / "tokenizer.json");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_LT(tokenizer->vocabulary_size(), 120U);
  for (const Story& story : write_stories(500, {.seed = 6})) {
    const auto encoding = tokenizer->encode(story.text, {});
    ASSERT_TRUE(encoding) << encoding.error().message;
    EXPECT_EQ(std::ranges::count(encoding->ids, 0), 0) << story.text;
    const auto decoded = tokenizer->decode(encoding->ids, {});
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, story.text);
  }
}

}  // namespace
}  // namespace plumb::lm
