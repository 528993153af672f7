#include "plumb/evals/style/style.h"

#include <cmath>

#include "plumb/base/random.h"
#include "plumb/evals/style/drift.h"
#include "plumb/evals/testing.h"
#include "plumb/stats/normal.h"

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

// Completions whose lengths differ by normal errors about `rise` after what they were before; a
// share of them refuses.
struct PlantedDrift {
  std::size_t prompts;
  std::size_t rise = 12;
  std::vector<std::string> names = {}, texts = {};

  std::pair<StyleSample, StyleSample> draw(std::uint64_t seed) {
    Stream stream(seed, "planted drift", prompts);
    names.clear(), texts.clear();
    names.reserve(prompts), texts.reserve(2 * prompts);
    std::pair<StyleSample, StyleSample> both;
    for (std::size_t p = 0; p < prompts; ++p) {
      names.push_back("prompt " + std::to_string(p));
      for (const bool is_after : {false, true}) {
        const double length =
            200 + (is_after ? static_cast<double>(rise) : 0) + 20 * stats::normal_draw(stream);
        texts.emplace_back(static_cast<std::size_t>(std::lround(length)), 'x');
        (is_after ? both.second : both.first).texts.push_back({names.back(), texts.back(), {}});
      }
    }
    return both;
  }
};

// Percentiles at 95 % held 12 in 900 of 1,000 with 10 prompts; by Student's t with 9 degrees of
// freedom at 1.96 sqrt(9 / 10) they ought to hold it in 904.
TEST(Drift, HoldsAPlantedDifferenceOrClaimsNothing) {
  constexpr int kLogs = 1000;
  for (const std::size_t prompts : {10U, 30U}) {
    int held = 0, wrong = 0;
    for (std::uint64_t seed = 0; seed < kLogs; ++seed) {
      PlantedDrift planted{prompts};
      const auto [before, after] = planted.draw(seed);
      const auto rows = style_drift(before, after, {.resamples = 500, .seed = seed, .threads = 1});
      ASSERT_TRUE(rows);
      const auto& row = drift_row(*rows, "characters");
      ASSERT_TRUE(row.difference.ci && row.tested);
      held += row.difference.ci->low <= 12 && 12 <= row.difference.ci->high ? 1 : 0;
      wrong += (row.difference.ci->low > 0 || row.difference.ci->high < 0) == (row.p_value <= 0.05)
                   ? 0
                   : 1;
    }
    EXPECT_GE(held, 930) << prompts;
    EXPECT_LE(held, 970) << prompts;
    EXPECT_LE(wrong, 30) << "one but for what lies between draws";
  }
  PlantedDrift few{3};
  const auto [before, after] = few.draw(1);
  const auto rows = style_drift(before, after, {.resamples = 500});
  for (const DriftRow& row : *rows) {
    EXPECT_FALSE(row.difference.ci || row.tested) << row.meter->id;
    EXPECT_EQ(row.adjusted_p, 1);
    EXPECT_EQ(row.difference.note, "3 prompts are too few for an interval; 8 or more are needed");
  }
}

// By hand: of 12 prompts none does otherwise, so at most z^2 / (12 + z^2) = 0.242494 of all do.
TEST(Drift, OfWhatNeverChangesExcludesNotWhatWasNeverSeen) {
  std::vector<std::string> names;
  for (int p = 0; p < 12; ++p) names.push_back(std::to_string(p));
  StyleSample before, after;
  for (const std::string& name : names) {
    before.texts.push_back({name, "This is fine.", {}});
    after.texts.push_back({name, "I can't help with that.", {}});
  }
  const auto rows = style_drift(before, after, {.resamples = 200});
  ASSERT_TRUE(rows);
  const DriftRow &apology = drift_row(*rows, "apology"), &refusal = drift_row(*rows, "refusal"),
                 &bold = drift_row(*rows, "bold"), &words = drift_row(*rows, "words");
  EXPECT_NEAR(apology.difference.ci->low, -0.242494, 1e-6);
  EXPECT_NEAR(apology.difference.ci->high, 0.242494, 1e-6);
  EXPECT_EQ(apology.difference.note, "no prompt changes");
  EXPECT_EQ(apology.p_value, 1);
  EXPECT_NEAR(refusal.difference.ci->low, 1 - 2 * 0.242494, 1e-6);
  EXPECT_NEAR(refusal.difference.ci->high, 1, 1e-12);
  EXPECT_DOUBLE_EQ(refusal.p_value, std::pow(2.0, -11));
  EXPECT_FALSE(bold.difference.ci || bold.tested);
  EXPECT_EQ(bold.difference.note, "no prompt changes, which does not say how sure that is");
  EXPECT_FALSE(words.difference.ci || words.tested);
  EXPECT_EQ(words.difference.note, "all prompts change alike, which does not say how sure that is");
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
  const EvalRow slope = row_of(*rows, "style", "slope_characters");
  EXPECT_NEAR(*slope.score, 5, 1e-9);
  EXPECT_FALSE(slope.ci) << "every prompt grows alike";
  EXPECT_EQ(slope.note, "all prompts change alike, which does not say how sure that is");
  EXPECT_FALSE(style_slopes(std::span(checkpoints).first(2), {}));
  for (auto& checkpoint : checkpoints) checkpoint.d = 1;
  EXPECT_FALSE(style_slopes(checkpoints, {}));
}

}  // namespace
}  // namespace plumb::evals
