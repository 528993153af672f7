#include "plumb/evals/row.h"

#include <gtest/gtest.h>

#include "plumb/base/files.h"

namespace plumb::evals {
namespace {

TEST(Row, IsAtTheFloorWhereItsIntervalReachesDownToChance) {
  const Scale scale = choice_scale(0.25);
  EXPECT_EQ(place_of({0.24, 0.27}, scale), At::kFloor);
  EXPECT_EQ(place_of({0.10, 0.20}, scale), At::kFloor);
  EXPECT_EQ(place_of({0.26, 0.31}, scale), std::nullopt);
  EXPECT_EQ(place_of({0.97, 1.00}, scale), At::kCeiling);
  EXPECT_EQ(place_of({0.20, 1.00}, scale), At::kFloor);
}

TEST(Row, HasNoFloorOrCeilingOnAnOpenScale) {
  EXPECT_EQ(place_of({0.0, 1e9}, kOpenScale), std::nullopt);
}

TEST(Row, OfAWinRateBelowOneHalfIsNotAtTheFloor) {
  EXPECT_EQ(place_of({0.1, 0.2}, kWinRateScale), std::nullopt);
}

TEST(Row, WithoutAScoreHasNoInterval) {
  const EvalRow row = make_row("gsm8k", "strict", 0, stats::undefined("no items"),
                               stats::Interval{0, 1}, kShareScale);
  EXPECT_FALSE(row.ci);
  EXPECT_FALSE(row.at);
  EXPECT_EQ(row_json(row)["reason"], "no items");
}

TEST(Row, ComesBackFromItsJson) {
  EvalRow row = make_row("mmlu", "acc", 200, 0.5, stats::Interval{0.43, 0.57}, choice_scale(0.25));
  row.items = "abc";
  row.note = "5-shot";
  const auto read = parse_row(row_json(row), "x");
  ASSERT_TRUE(read);
  EXPECT_EQ(row_json(*read), row_json(row));
  const EvalRow none = make_row("mmlu", "acc", 0, stats::undefined("no items"), {}, kShareScale);
  const auto again = parse_row(row_json(none), "x");
  EXPECT_FALSE(again->score);
  EXPECT_EQ(again->note, "no items");
  EXPECT_EQ(row_json(*parse_row(row_json(*again), "x")), row_json(*again));
}

TEST(Row, NamesTheFieldThatIsWrong) {
  Json json = row_json(make_row("mmlu", "acc", 9, 0.5, stats::Interval{0.4, 0.6}, kShareScale));
  const auto message = [&](const char* field, const Json& value) {
    Json changed = json;
    changed[field] = value;
    const auto read = parse_row(changed, "f.json: row 2");
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(message("n", -1), "f.json: row 2: \"n\" is not a count");
  EXPECT_EQ(message("score", "high"), "f.json: row 2: \"score\" is not a number or null");
  EXPECT_EQ(message("ci", {0.6, 0.4}),
            "f.json: row 2: \"ci\" is not an interval: its ends are swapped");
  EXPECT_EQ(message("at", "top"), "f.json: row 2: \"at\" is not \"floor\", \"ceiling\" or null");
}

TEST(Row, OfAFileOfAnotherSchemaIsRefused) {
  const std::string file = testing::TempDir() + "plumb_row_test.json";
  ASSERT_TRUE(write_file_atomic(file, R"({"schema":"plumb.gap/1","rows":[]})"));
  ASSERT_FALSE(read_rows(file));
  ASSERT_TRUE(write_file_atomic(
      file, R"({"schema":"plumb.eval/1","rows":[{"eval":"a","metric":"b","n":3,"score":0.5}]})"));
  const auto rows = read_rows(file);
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)[0].n, 3U);
}

}  // namespace
}  // namespace plumb::evals
