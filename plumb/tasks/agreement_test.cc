#include "plumb/tasks/agreement.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>

namespace plumb::tasks {
namespace {

// rows: an item each, the answers of raters r0, r1, ...
LongTable table_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t r = 0; r < rows[i].size(); ++r) {
      records.push_back({fmt::format("t:{}", records.size() + 1),
                         {{"item", fmt::format("{}", i)},
                          {"rater", fmt::format("r{}", r)},
                          {"value", rows[i][r]}}});
    }
  }
  return long_table(records, {}).value();
}

AgreementReport measure(const LongTable& table, AnswerLevel level) {
  const auto report = measure_agreement(table, level, {.resamples = 500}, 0.95);
  EXPECT_TRUE(report) << (report ? "" : report.error().message);
  return report.value_or(AgreementReport{});
}

const AgreementRow& row_of(const AgreementReport& report, const std::string& id) {
  for (const AgreementRow& row : report.rows) {
    if (row.id == id) return row;
  }
  ADD_FAILURE() << id;
  return report.rows.front();
}

// Two raters, ten items, by hand: 7 agree; a says x 6 times, b 5 times: chance 0.5, kappa 0.4.
TEST(MeasureAgreement, GivesCohensKappaOfTwoRaters) {
  const auto report = measure(table_of({{"x", "x"},
                                        {"x", "x"},
                                        {"x", "x"},
                                        {"x", "x"},
                                        {"x", "y"},
                                        {"x", "y"},
                                        {"y", "x"},
                                        {"y", "y"},
                                        {"y", "y"},
                                        {"y", "y"}}),
                              AnswerLevel::kNominal);
  EXPECT_NEAR(*row_of(report, "percent_agreement").value, 0.7, 1e-12);
  EXPECT_NEAR(*row_of(report, "mean_pairwise_cohen_kappa").value, 0.4, 1e-12);
  EXPECT_EQ(report.by_rater[0].answers, 10U);
  EXPECT_NEAR(*report.by_rater[0].with_others, 0.4, 1e-12);
  EXPECT_EQ(report.most_disagreed.size(), 3U);
}

TEST(LongTable, PassesOverTheHeadersOfAnswerFiles) {
  const Record header{"a:1", {{"schema", "plumb.answers/1"}, {"task", "sts"}, {"items", "ab"}}};
  const std::vector<Record> records = {
      header,
      {"a:2", {{"rater", "r1"}, {"item", "7"}, {"rating", 3}}},
      header,
      {"a:4", {{"rater", "r2"}, {"item", "7"}, {"rating", 4}}},
  };
  const auto table = long_table(records, {.value = "rating"});
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->items, (std::vector<std::string>{"7"}));
  EXPECT_EQ(table->raters, (std::vector<std::string>{"r1", "r2"}));
  const std::vector<Record> other = {{"a:1", {{"schema", "plumb.task/1"}}}};
  EXPECT_FALSE(long_table(other, {.value = "rating"}));
}

TEST(MeasureAgreement, IsOneForEqualPartitionsUnderOtherNames) {
  const auto report =
      measure(table_of({{"a", "1"}, {"a", "1"}, {"b", "2"}, {"b", "2"}, {"c", "3"}}),
              AnswerLevel::kPartition);
  EXPECT_EQ(*row_of(report, "mean_pairwise_ari").value, 1);
  EXPECT_EQ(*row_of(report, "mean_pairwise_ami").value, 1);
}

TEST(MeasureAgreement, HasAnIntervalThatHoldsItsValue) {
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < 60; ++i) {
    rows.push_back(
        {std::to_string(i % 5), std::to_string(i * 7 % 11), std::to_string(i % 5 + i % 2)});
  }
  for (const AnswerLevel level : {AnswerLevel::kNominal, AnswerLevel::kInterval,
                                  AnswerLevel::kPartition, AnswerLevel::kRanking}) {
    for (const AgreementRow& row : measure(table_of(rows), level).rows) {
      ASSERT_TRUE(row.value && row.ci) << row.id;
      EXPECT_LE(row.ci->low, *row.value) << row.id;
      EXPECT_GE(row.ci->high, *row.value) << row.id;
    }
  }
}

TEST(MeasureAgreement, SaysWhyThereIsNone) {
  const auto report = measure(table_of({{"1"}, {"2"}}), AnswerLevel::kInterval);
  for (const AgreementRow& row : report.rows) EXPECT_FALSE(row.value) << row.id;
  EXPECT_FALSE(report.by_rater[0].with_others);
}

TEST(MeasureAgreement, RefusesNamesWhereNumbersBelong) {
  const auto report = measure_agreement(table_of({{"1", "high"}}), AnswerLevel::kOrdinal, {}, 0.95);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message,
            "t:2: \"high\" is not a number; --level nominal compares names");
}

TEST(LongTable, RefusesASecondAnswerAndAMissingColumn) {
  const std::vector<Record> twice = {{"t:1", {{"item", 1}, {"rater", "r"}, {"value", 2}}},
                                     {"t:2", {{"item", 1}, {"rater", "r"}, {"value", 3}}}};
  EXPECT_EQ(long_table(twice, {}).error().message,
            "t:2: a second answer of \"r\" to item \"1\"; the first is at t:1");
  EXPECT_EQ(long_table(twice, {.item = "id"}).error().message,
            "t:1: there is no column \"id\"; there are item, rater, value");
}

// HS-Brexit, training part. Origin: Krippendorff's nominal alpha by its definition in NumPy.
TEST(MeasureAgreement, EqualsAnIndependentCalculationOnLabelledTweets) {
  std::ifstream file("../shared/data/annotators/HS-Brexit_dataset/HS-Brexit_train.json");
  if (!file) GTEST_SKIP() << "../shared/data is absent";
  std::vector<std::vector<std::string>> rows;
  for (const Json& entry : Json::parse(file)) {
    const std::string answers = entry["annotations"];  // "0,1,0,0,0,0"
    auto& row = rows.emplace_back();
    for (std::size_t a = 0; a < 6; ++a) row.push_back(answers.substr(2 * a, 1));
  }
  const auto report = measure(table_of(rows), AnswerLevel::kNominal);
  EXPECT_EQ(report.answers, 4704U);
  EXPECT_NEAR(*row_of(report, "krippendorff_nominal").value, 0.3457243149407535, 1e-12);
}

}  // namespace
}  // namespace plumb::tasks
