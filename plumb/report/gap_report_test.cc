#include "plumb/report/gap_report.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace plumb::report {
namespace {

// The published figures through the whole instrument, once for all tests.
struct Hume {
  gap::Figures figures = *gap::load_figures("hume");
  gap::Board board = *gap::make_board(figures, {.models = "paper"});
  stats::ResampleOptions resampling = {.resamples = 200};
  gap::Leaderboard leaderboard = *gap::make_leaderboard(board, {.resampling = resampling});
  gap::GapOptions how = {};
  std::vector<gap::SubsetGap> gaps = *gap::measure_gaps(board, how);
  gap::Audit audit = *gap::audit_figures(figures, "paper", resampling, 0.95);
  Context context{&figures, "published", 0.95};
};

const Hume& hume() {
  static const Hume once;
  return once;
}

Json leaderboard() { return leaderboard_json(hume().leaderboard, "subset", hume().context); }
Json gaps() { return gap_json(hume().gaps, hume().how, hume().context); }
Json audit() { return audit_json(hume().audit, hume().context); }

void expect_keys(const Json& object, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) EXPECT_TRUE(object.contains(key)) << key;
}

void expect_rectangular(const Table& table, std::size_t rows) {
  EXPECT_EQ(table.rows.size(), rows);
  for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
}

TEST(Json, NamesItsSchemaFirst) {
  for (const auto& [json, schema] :
       {std::pair(leaderboard(), "plumb.leaderboard/1"), std::pair(gaps(), "plumb.gap/1"),
        std::pair(audit(), "plumb.gap-audit/1")}) {
    EXPECT_EQ(json.begin().key(), "schema");
    EXPECT_EQ(json["schema"], schema);
  }
}

TEST(Json, NamesItsInputByContentHash) {
  for (const Json& json : {leaderboard(), gaps(), audit()}) {
    const Json& input = json["inputs"][0];
    EXPECT_EQ(input["sha256"], content_hash(hume().figures));
    expect_keys(input, {"name", "origin", "licence"});
  }
}

TEST(Json, IsStrictAndReadsBackTheSame) {
  for (const Json& json : {leaderboard(), gaps(), audit()}) {
    EXPECT_EQ(Json::parse(to_text(json)), json) << "a number that is not finite turns into null";
  }
}

TEST(LeaderboardJson, HoldsTheFieldsOfItsSchemaInEveryRow) {
  const Json json = leaderboard();
  EXPECT_EQ(json["aggregate"], "subset");
  for (const Json& row : json["rows"]) {
    expect_keys(
        row, {"name", "revision", "kind", "score", "ci", "rank", "rank_ci", "coverage", "partial"});
    EXPECT_EQ(row["coverage"].size(), 2u);
    if (!row["score"].is_null()) {
      EXPECT_TRUE(row["score"] >= 0 && row["score"] <= 100);
    }
    if (!row["rank"].is_null()) {
      EXPECT_LE(row["rank_ci"][0], row["rank"]);
      EXPECT_GE(row["rank_ci"][1], row["rank"]);
      EXPECT_LE(row["ci"][0], row["score"]);
      EXPECT_GE(row["ci"][1], row["score"]);
    }
  }
}

TEST(GapJson, HoldsTheFieldsOfItsSchemaInEverySubset) {
  const Json json = gaps();
  EXPECT_EQ(json["subsets"].size(), 26u);
  for (const Json& subset : json["subsets"]) {
    expect_keys(subset, {"task", "subset", "language", "n", "human", "annotators", "agreement",
                         "model", "model_name", "difference", "ci", "verdict"});
    EXPECT_NEAR(subset["difference"].get<double>(),
                subset["human"].get<double>() - subset["model"].get<double>(), 1e-9);
    EXPECT_TRUE(!subset["ci"].is_null() || subset.contains("reason"))
        << "an interval or the reason why there is none";
  }
}

TEST(AuditJson, HoldsTheFieldsOfItsSchemaInEveryRow) {
  const Json json = audit();
  for (const Json& row : json["rows"]) {
    expect_keys(row, {"view", "human", "best", "best_name", "human_rank", "of"});
    EXPECT_LE(row["human_rank"], row["of"]);
  }
  for (const Json& finding : json["findings"]) {
    expect_keys(finding, {"id", "title", "holds", "evidence"});
  }
  EXPECT_FALSE(json["findings"].empty());
}

TEST(Tables, HaveARowAnEntryAndACellAColumn) {
  const Hume& all = hume();
  expect_rectangular(leaderboard_table(all.leaderboard, 0.95), all.leaderboard.rows.size());
  expect_rectangular(leaderboard_records(all.leaderboard), all.leaderboard.rows.size());
  expect_rectangular(gap_table(all.gaps, 0.95), all.gaps.size());
  expect_rectangular(gap_records(all.gaps), all.gaps.size());
  expect_rectangular(audit_table(all.audit, 0.95), all.audit.rows.size());
  expect_rectangular(audit_records(all.audit), all.audit.rows.size());
}

TEST(LeaderboardTable, ShowsFoldersOfNamesOnlyWhereTwoWouldBeTheSame) {
  gap::Leaderboard table = hume().leaderboard;
  EXPECT_EQ(leaderboard_table(table, 0.95).rows[0][3], "jasper_en_vision_language_v1");
  table.board.competitors[table.rows[1].competitor].name = "other/jasper_en_vision_language_v1";
  EXPECT_EQ(leaderboard_table(table, 0.95).rows[0][3], "NovaSearch/jasper_en_vision_language_v1");
}

TEST(GapWarnings, NameTheSubsetAndTheReasonOnOneLine) {
  const std::string text = gap_warnings(hume().gaps);
  EXPECT_NE(text.find("- EmotionClassification: annotators agree too little"), std::string::npos);
  EXPECT_EQ(gap_warnings({}), "");
}

TEST(FindingsText, FitsEightyColumns) {
  const std::string text = findings_text(hume().audit, false);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    EXPECT_LE(end - at, 80u) << text.substr(at, end - at);
    at = end + 1;
  }
}

}  // namespace
}  // namespace plumb::report
