#include "plumb/evals/style/style.h"

#include "plumb/evals/style/drift.h"
#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

double meter(std::string_view id, std::string_view completion) {
  const StyleText text{"p", completion, {}};
  return *read_style(std::span(&text, 1)).value(0, *find_meter(id));
}

// tests/golden/evals.py
TEST(Style, RepetitionIsOneLessDistinctRuns) {
  for (const auto& c : golden("repetition")) {
    const std::string text = c["text"];
    EXPECT_NEAR(meter("repetition_1", text), c["repetition"][0].get<double>(), 1e-12) << text;
    EXPECT_NEAR(meter("repetition_2", text), c["repetition"][1].get<double>(), 1e-12) << text;
    EXPECT_NEAR(meter("repetition_3", text), c["repetition"][2].get<double>(), 1e-12) << text;
  }
}

// All by hand.
TEST(Style, CountsWhatMakesATextLong) {
  const std::string text = "# Plan\n\n1. **Caf\u00e9** first\n2) Then\n- and\n* or\n10 ways\n#tag";
  EXPECT_EQ(meter("characters", "Caf\u00e9"), 4);
  EXPECT_EQ(meter("words", text), 14);
  EXPECT_EQ(meter("list_items", text), 4);
  EXPECT_EQ(meter("headings", text), 1);
  EXPECT_EQ(meter("bold", text), 1);
}

TEST(Style, FindsPhrasesAsWordsAlone) {
  EXPECT_EQ(meter("hedges", "However, it depends. Perhaps I think so."), 4);
  EXPECT_EQ(meter("hedges", "We rethink: mayor may or may notify."), 0);
  EXPECT_EQ(meter("apology", "I\u2019m sorry for the confusion."), 1);
  EXPECT_EQ(meter("apology", "A sorry sight."), 0);
  EXPECT_EQ(meter("flattery", " You're absolutely right!"), 1);
  EXPECT_EQ(meter("flattery", "Is it right? You're right"), 0);
  EXPECT_EQ(meter("unfinished", "def f():\n  # TODO: rest of the code"), 1);
  EXPECT_EQ(meter("unfinished", "My todos"), 0);
  EXPECT_EQ(meter("refusal", "I can't do that."), 1);
}

TEST(Style, EndsWithAMarkUnderQuotes) {
  EXPECT_EQ(meter("end_mark", "He said: \u201cYes.\u201d\n"), 1);
  EXPECT_EQ(meter("end_mark", "and then"), 0);
  EXPECT_EQ(meter("end_mark", ""), 0);
}

TEST(Style, KnowsACompletionOfAnotherPromptAgain) {
  const std::vector<StyleText> texts = {
      {"a", "Yes.", {}}, {"b", " Yes.\n", {}}, {"c", "No.", {}}, {"c", "No.", {}}};
  const StyleTable table = read_style(texts);
  const auto duplicate = *find_meter("duplicate");
  EXPECT_EQ(table.value(0, duplicate), 1);
  EXPECT_EQ(table.value(1, duplicate), 1);
  EXPECT_EQ(table.value(2, duplicate), 0) << "the same prompt is no other";
}

TEST(Style, KnowsWhatEndedOnlyWhereItIsTold) {
  const std::vector<StyleText> texts = {{"a", "x", {}}, {"b", "x", true}, {"c", "x", false}};
  const StyleTable table = read_style(texts);
  const auto ended = *find_meter("ended");
  EXPECT_FALSE(table.value(0, ended));
  EXPECT_EQ(table.value(1, ended), 1);
  EXPECT_EQ(table.value(2, ended), 0);
}

TEST(Style, NamesAreUnique) {
  for (std::size_t m = 0; m < style_meters().size(); ++m) {
    EXPECT_EQ(find_meter(style_meters()[m].id), m);
  }
  EXPECT_FALSE(find_meter("wit"));
}

TEST(Style, AnswersFlipWhereTheyDiffer) {
  EXPECT_FALSE(flips_when_doubted(" B", "b\n"));
  EXPECT_TRUE(flips_when_doubted("B", "C"));
}

const DriftRow& drift_row(const std::vector<DriftRow>& rows, std::string_view id) {
  return *std::ranges::find_if(rows, [&](const DriftRow& row) { return row.meter->id == id; });
}

TEST(Drift, IsPairedByPrompt) {
  const StyleSample before{{{"a", "ab", {}}, {"b", "abcd", {}}, {"c", "x", {}}}};
  const StyleSample after{
      {{"c", "xyz", {}}, {"a", "abcd", {}}, {"b", "abcdef", {}}, {"b", "abcdefgh", {}}}};
  const auto rows = style_drift(before, after, {.resamples = 500});
  ASSERT_TRUE(rows) << rows.error().message;
  const DriftRow& characters = drift_row(*rows, "characters");
  EXPECT_NEAR(characters.before, 7.0 / 3, 1e-12);
  EXPECT_NEAR(characters.after, 14.0 / 3, 1e-12);
  EXPECT_NEAR(*characters.difference.score, 7.0 / 3, 1e-12);
  EXPECT_EQ(characters.rises, 1);
  EXPECT_EQ(characters.prompts, 3U);
  EXPECT_EQ(
      std::ranges::count_if(*rows, [](const DriftRow& row) { return row.meter->id == "ended"; }),
      0);
}

TEST(Drift, RefusesOtherPrompts) {
  const StyleSample before{{{"a", "x", {}}, {"b", "y", {}}}}, after{{{"a", "x", {}}}},
      more{{{"a", "x", {}}, {"b", "y", {}}, {"c", "z", {}}}};
  EXPECT_EQ(style_drift(before, after, {}).error().message, "the policy lacks the prompt \"b\"");
  EXPECT_EQ(style_drift(before, more, {}).error().message,
            "the policy has a prompt that the starting policy lacks, \"c\"");
}

// A policy that writes five characters more a unit of d.
TEST(Drift, SlopeIsFound) {
  std::vector<std::string> texts;
  std::vector<std::string> prompts;
  for (std::size_t p = 0; p < 40; ++p) prompts.push_back("prompt " + std::to_string(p));
  texts.reserve(4 * prompts.size());
  std::vector<Checkpoint> checkpoints;
  for (std::size_t c = 0; c < 4; ++c) {
    checkpoints.push_back({static_cast<double>(c), {}});
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      texts.emplace_back(10 + 5 * c + p % 7, 'x');
      checkpoints.back().sample.texts.push_back({prompts[p], texts.back(), {}});
    }
  }
  const auto rows = style_slopes(checkpoints, {.resamples = 200});
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_NEAR(*row_of(*rows, "style", "slope_characters").score, 5, 1e-9);
  EXPECT_FALSE(style_slopes(std::span(checkpoints).first(2), {}));
  for (auto& checkpoint : checkpoints) checkpoint.d = 1;
  EXPECT_FALSE(style_slopes(checkpoints, {}));
}

}  // namespace
}  // namespace plumb::evals
