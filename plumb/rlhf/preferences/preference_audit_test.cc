#include "plumb/rlhf/preferences/preference_audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "plumb/text/refusal.h"

namespace plumb::rlhf {
namespace {

using tasks::Choice;

constexpr const char* kHarmless = "../shared/data/preference/hh-rlhf/harmless-base/test.jsonl.gz";
constexpr const char* kHelpful = "../shared/data/preference/hh-rlhf/helpful-base/test.jsonl.gz";

Comparison comparison(const std::string& prompt, const std::string& first,
                      const std::string& second, std::vector<Choice> choices = {Choice::kA}) {
  Comparison one{
      "here", {{"", prompt}}, {Conversation{{"", first}}, Conversation{{"", second}}}, {}};
  for (std::size_t i = 0; i < choices.size(); ++i) {
    one.votes.push_back({std::string(1, static_cast<char>('a' + i)), choices[i], 0});
  }
  return one;
}

PreferenceAudit audit(std::vector<Comparison> comparisons, bool order_known = false) {
  PreferenceData data;
  data.comparisons = std::move(comparisons);
  data.order_known = order_known;
  return audit_preferences(data, {.sampling = {.resamples = 200}});
}

const AuditRow& row(const PreferenceAudit& audit, std::string_view id) {
  const auto found = std::ranges::find(audit.rows, id, &AuditRow::id);
  EXPECT_NE(found, audit.rows.end()) << id;
  return *found;
}

double value(const PreferenceAudit& audit, std::string_view id) {
  return row(audit, id).value.value_or(-9);
}

// Where no pair differs, resamples tell nothing: the interval is Newcombe's of 0 of 60 and 0 of 60
// (1998, method 10), to either side Wilson's upper bound z^2 / (60 + z^2).
TEST(PreferenceAudit, LeavesRoomForADifferenceThatItDidNotSee) {
  std::vector<Comparison> comparisons;
  for (int i = 0; i < 60; ++i) comparisons.push_back(comparison(std::to_string(i), "yes", "no"));
  const PreferenceAudit all = audit(std::move(comparisons));
  const AuditRow& found = row(all, "refusal_openers_difference");
  EXPECT_EQ(*found.value, 0);
  constexpr double kZ2 = 1.959963985 * 1.959963985;
  EXPECT_NEAR(found.ci->high, kZ2 / (60 + kZ2), 1e-8);
  EXPECT_NEAR(found.ci->low, -kZ2 / (60 + kZ2), 1e-8);
}

// Counted by Python: len() of the stripped text after the last "\n\nAssistant:", str.split().
TEST(PreferenceAudit, FindsInHarmlessBaseWhatWasCountedByHand) {
  if (!std::filesystem::exists(kHarmless)) GTEST_SKIP() << "../shared/data is absent";
  const auto data = read_preferences(kHarmless, {}).value();
  const PreferenceAudit found = audit_preferences(data, {.sampling = {.resamples = 200}});
  EXPECT_EQ(found.pairs, 2312U);
  EXPECT_EQ(found.equal_length, 11U);
  EXPECT_EQ(found.equal_words, 45U);
  EXPECT_DOUBLE_EQ(value(found, "longer_chosen"), 1023.0 / 2312);
  EXPECT_DOUBLE_EQ(value(found, "longer_chosen_half_tie"), 1028.5 / 2312);
  EXPECT_DOUBLE_EQ(value(found, "longer_chosen_words"), 993.0 / 2312);
  EXPECT_DOUBLE_EQ(value(found, "refusal_openers_chosen"), 114.0 / 2312);
  EXPECT_DOUBLE_EQ(value(found, "refusal_openers_rejected"), 45.0 / 2312);
  EXPECT_DOUBLE_EQ(value(found, "refusal_folded_chosen"), 209.0 / 2312);
  EXPECT_DOUBLE_EQ(value(found, "refusal_folded_rejected"), 89.0 / 2312);
  ASSERT_EQ(data.defects.size(), 1U);
  EXPECT_EQ(data.defects[0].where.size(), 4U);  // an empty completion
}

TEST(PreferenceAudit, FindsInHelpfulBaseWhatWasCountedByHand) {
  if (!std::filesystem::exists(kHelpful)) GTEST_SKIP() << "../shared/data is absent";
  const auto data = read_preferences(kHelpful, {}).value();
  const PreferenceAudit found = audit_preferences(data, {.sampling = {.resamples = 200}});
  EXPECT_EQ(found.pairs, 2354U);
  EXPECT_EQ(found.equal_length, 17U);
  EXPECT_DOUBLE_EQ(value(found, "longer_chosen"), 1402.0 / 2354);
  EXPECT_DOUBLE_EQ(value(found, "refusal_openers_chosen"), 42.0 / 2354);
  EXPECT_DOUBLE_EQ(value(found, "refusal_openers_rejected"), 65.0 / 2354);
  EXPECT_EQ(data.defects.at(0).id, "equal-completions");
  EXPECT_EQ(data.defects[0].where.size(), 2U);
}

TEST(PreferenceAudit, CountsCharactersNotBytes) {
  const auto found = audit({comparison("p", "äöü", "abcd")});
  EXPECT_EQ(value(found, "longer_chosen"), 0);
  EXPECT_EQ(value(audit({comparison("p", "äöü", "abc")}), "longer_chosen_half_tie"), 0.5);
}

TEST(PreferenceAudit, IsThatOfAnIndividualAnnotator) {
  const auto found =
      audit({comparison("p", "long one", "one", {Choice::kA, Choice::kA, Choice::kB, Choice::kTie}),
             comparison("q", "x", "longer", {Choice::kTie, Choice::kBothBad})},
            true);
  EXPECT_EQ(found.pairs, 2U);
  EXPECT_EQ(found.decided, 1U);
  EXPECT_EQ(found.votes, 6U);
  EXPECT_DOUBLE_EQ(value(found, "longer_chosen"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value(found, "first_chosen"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value(found, "tie_votes"), 0.5);
  // Pairs of votes that agree: 1 of 6 in the first, 0 of 1 in the second.
  EXPECT_NEAR(value(found, "percent_agreement"), (1.0 / 6 + 0) / 2, 1e-12);
}

// One annotator goes round in a circle of three, the other does not; by hand. Of four completions
// only the pairs of three are there in the second prompt.
TEST(PreferenceAudit, CountsTheCirclesOfEachAnnotator) {
  const auto found =
      audit({comparison("p", "x", "y", {Choice::kA, Choice::kA}),
             comparison("p", "y", "z", {Choice::kA, Choice::kA}),
             comparison("p", "z", "x", {Choice::kA, Choice::kB}), comparison("q", "x", "y"),
             comparison("q", "y", "z"), comparison("q", "x", "z"), comparison("q", "z", "w")},
            true);
  EXPECT_DOUBLE_EQ(value(found, "cyclic_triads"), 1.0 / 3);
  EXPECT_EQ(row(found, "cyclic_triads").n, 3U);
  EXPECT_EQ(row(found, "cyclic_triads").reference, 0.25);
  EXPECT_DOUBLE_EQ(value(found, "consistence"), (0 + 1) / 2.0) << "of whole tournaments alone";
  EXPECT_DOUBLE_EQ(row(found, "consistence").reference, 0.75);
  const auto pairs = audit({comparison("p", "x", "y"), comparison("p", "y", "x")});
  EXPECT_TRUE(std::ranges::none_of(pairs.rows,
                                   [](const AuditRow& one) { return one.id == "cyclic_triads"; }));
}

TEST(PreferenceAudit, FindsPairsThatOccurAgainInEitherOrder) {
  const auto found = audit({comparison("p", "x", "y"), comparison("p", "x", "y"),
                            comparison("p", "y", "x"), comparison("q", "x", "y")});
  EXPECT_EQ(value(found, "repeated_pairs"), 0.5);
  EXPECT_EQ(value(found, "contradicting_pairs"), 0.25);
  EXPECT_EQ(value(found, "repeated_completions"), 0.25);
  EXPECT_EQ(found.prompts, 2U);
}

TEST(PreferenceAudit, SaysWhyThereIsNothingToMeasure) {
  const auto found = audit({comparison("p", "x", "y", {Choice::kTie})});
  EXPECT_EQ(row(found, "longer_chosen").value.error().reason,
            "no comparison has a vote for one of the two");
  EXPECT_EQ(found.notes.size(), 2U);  // position, agreement
}

TEST(PreferenceAudit, WidensIntervalsWhereAPromptHasManyPairs) {
  std::vector<Comparison> apart, together;
  for (int i = 0; i < 60; ++i) {
    const bool longer = (i % 6 < 3) == (i / 6 % 2 == 0);
    apart.push_back(comparison(std::to_string(i), longer ? "xx" : "x", longer ? "x" : "xx"));
    together.push_back(comparison(std::to_string(i / 3), "", ""));
    together.back().completions = apart.back().completions;
  }
  const auto width = [](const PreferenceAudit& found) {
    const auto ci = *row(found, "longer_chosen").ci;
    return ci.high - ci.low;
  };
  EXPECT_GT(width(audit(together)), 1.3 * width(audit(apart)));
}

TEST(RefusalOpener, IsFoundWhateverItsCaseAndTheBlanksBeforeIt) {
  EXPECT_TRUE(opens_like_refusal("  I'M SORRY, no.", Apostrophes::kAsWritten));
  EXPECT_FALSE(opens_like_refusal("I’m sorry", Apostrophes::kAsWritten));
  EXPECT_TRUE(opens_like_refusal("I’m sorry", Apostrophes::kFolded));
  EXPECT_FALSE(opens_like_refusal("Nobody is sorry", Apostrophes::kFolded));
  EXPECT_FALSE(opens_like_refusal("", Apostrophes::kFolded));
}

}  // namespace
}  // namespace plumb::rlhf
