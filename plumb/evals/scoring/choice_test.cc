#include "plumb/evals/scoring/choice.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

// tests/golden/evals.py, NumPy.
TEST(Choice, IsJudgedAsTheHarnessDoes) {
  for (const auto& c : golden("choices")) {
    const ChoiceItem item{c["choices"], c["gold"]};
    const ChoiceVerdict verdict =
        judge_choices(item, {.log_likelihoods = c["ll"], .unconditional = c["unconditional"]});
    EXPECT_EQ(verdict.acc, c["acc"].get<double>()) << c;
    EXPECT_EQ(verdict.acc_norm, c["acc_norm"].get<double>()) << c;
    EXPECT_EQ(verdict.acc_bytes, c["acc_bytes"].get<double>()) << c;
    EXPECT_EQ(verdict.acc_mutual_info, c["acc_mutual_info"].get<double>()) << c;
    EXPECT_NEAR(verdict.brier, c["brier"].get<double>(), 1e-12) << c;
  }
}

TEST(Choice, CountsCharactersAndBytesApart) {
  // -4 / 2 characters loses to -3 / 2; -4 / 6 bytes wins over -3 / 2.
  const ChoiceItem item{{"\u4e2d\u6587", "no"}, 0};
  const ChoiceVerdict verdict = judge_choices(item, {.log_likelihoods = {-4, -3}});
  EXPECT_EQ(verdict.acc_norm, 0);
  EXPECT_EQ(verdict.acc_bytes, 1);
}

TEST(Choice, OfAModelThatSaysNothingScoresChance) {
  const std::vector<ChoiceItem> items(100, {{"a", "b", "c", "d"}, 2});
  const std::vector<ChoiceScores> scores(100, {.log_likelihoods = {-1, -1, -1, -1}});
  const auto rows = choice_rows("mmlu", items, scores, 0.95);
  const EvalRow acc = row_of(rows, "mmlu", "acc");
  EXPECT_DOUBLE_EQ(*acc.score, 0.25);
  EXPECT_EQ(acc.at, At::kFloor);
  EXPECT_EQ(acc.chance, 0.25);
}

TEST(Choice, ThatIsAlwaysRightIsAtTheCeiling) {
  const std::vector<ChoiceItem> items(50, {{"a", "b"}, 1});
  const std::vector<ChoiceScores> scores(50,
                                         {.log_likelihoods = {-2, -1}, .greedy = {false, true}});
  const auto rows = choice_rows("x", items, scores, 0.95);
  EXPECT_EQ(row_of(rows, "x", "acc").at, At::kCeiling);
  EXPECT_EQ(row_of(rows, "x", "greedy").score, 1.0);
}

TEST(Choice, HasTrivialAnswersBesideIt) {
  const std::vector<ChoiceItem> items = {
      {{"a", "long one"}, 1}, {{"longer", "b"}, 0}, {{"same", "size"}, 0}};
  const auto rows = choice_baselines("x", items, 0.95);
  EXPECT_DOUBLE_EQ(*row_of(rows, "x", "acc", "baseline: null").score, 0.5);
  EXPECT_DOUBLE_EQ(*row_of(rows, "x", "acc", "baseline: constant").score, 2.0 / 3);
  EXPECT_DOUBLE_EQ(*row_of(rows, "x", "acc", "baseline: longest").score, 2.5 / 3);
  EXPECT_DOUBLE_EQ(*row_of(rows, "x", "acc", "baseline: shortest").score, 0.5 / 3);
}

TEST(Choice, MovesBlanksToTheContinuation) {
  const auto texts = move_blanks("Answer: \n", " B");
  EXPECT_EQ(texts.context, "Answer:");
  EXPECT_EQ(texts.continuation, " \n B");
  EXPECT_EQ(move_blanks("  ", "x").continuation, "  x");
}

RC_GTEST_PROP(Choice, DoesNotDependOnTheOrderOfTheChoices, ()) {
  const auto ll = *rc::gen::container<std::vector<double>>(
      3,
      rc::gen::map(rc::gen::inRange(-20, 0), [](int value) { return static_cast<double>(value); }));
  const ChoiceVerdict one = judge_choices({{"a", "bb", "ccc"}, 0}, {.log_likelihoods = ll});
  const ChoiceVerdict other =
      judge_choices({{"ccc", "bb", "a"}, 2}, {.log_likelihoods = {ll[2], ll[1], ll[0]}});
  RC_ASSERT(one.acc == other.acc && one.acc_norm == other.acc_norm);
  RC_ASSERT(std::abs(one.brier - other.brier) < 1e-12);
}

}  // namespace
}  // namespace plumb::evals
