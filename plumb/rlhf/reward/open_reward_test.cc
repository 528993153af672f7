#include "plumb/rlhf/reward/open_reward.h"

#include <gtest/gtest.h>

namespace plumb::rlhf {
namespace {

double score(const std::string& spec, std::string_view completion, bool ended = true) {
  const Completed text[] = {{"happy", completion, ended}};
  return (*open_reward(spec))->score(text, 1).value().at(0);
}

TEST(OpenReward, CountsInTheCompletionAlone) {
  EXPECT_EQ(score("length", " The cat, it sat."), 4);
  EXPECT_EQ(score("length", ""), 0);
  EXPECT_EQ(score("word:happy", " was happy. Happy, unhappy, happy!"), 2);
  EXPECT_EQ(score("ended", "a", true), 1);
  EXPECT_EQ(score("ended", "a", false), 0);
  EXPECT_EQ((*open_reward("word:happy"))->name(), "word:happy");
}

TEST(OpenReward, NamesWhatThereIs) {
  const auto unknown = open_reward("lenght");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(unknown.error().message.starts_with(
      "no reward is called \"lenght\", and there is no such folder; there are length, word:WORD, "
      "ended, and world:"))
      << unknown.error().message;
  for (const char* wrong : {"word", "word:", "length:3", "length:"}) {
    const auto refused = open_reward(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().kind, ErrorKind::kUsage) << wrong;
  }
}

}  // namespace
}  // namespace plumb::rlhf
