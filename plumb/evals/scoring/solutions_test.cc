#include "plumb/evals/scoring/solutions.h"

#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

std::optional<std::string> text_or_null(const nlohmann::json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

// tests/golden/evals.py, Python's re.
TEST(Solutions, AreExtractedAsTheExpressionsDo) {
  for (const auto& c : golden("solutions")) {
    const std::string text = c["text"];
    EXPECT_EQ(extract_strict(text), text_or_null(c["strict"])) << c;
    EXPECT_EQ(extract_flexible(text), text_or_null(c["flexible"])) << c;
    EXPECT_EQ(normalised_answer(c["one_line"].get<std::string>()),
              c["normalised"].get<std::string>())
        << c;
  }
}

TEST(Solutions, AreComparedWithoutMarks) {
  EXPECT_TRUE(same_answer("$1,234.", "She earns 1234.\n#### 1234"));
  EXPECT_FALSE(same_answer("1234.0", "1234"));
}

TEST(Solutions, StopWhereTheNextQuestionBegins) {
  EXPECT_EQ(until(" 5\n#### 5\n\nQuestion: How"), " 5\n#### 5\n\n");
  EXPECT_EQ(until("five"), "five");
}

TEST(Solutions, ThatEndInALineOfAnAnswerAreMarked) {
  EXPECT_EQ(with_marked_answer("Job A: 2000 hours\nA: 18"), "Job A: 2000 hours\n#### 18");
  EXPECT_EQ(with_marked_answer("A: 3"), "#### 3");
  EXPECT_EQ(with_marked_answer("plain 4"), "plain 4");
}

}  // namespace
}  // namespace plumb::evals
