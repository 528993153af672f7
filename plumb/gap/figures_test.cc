#include "plumb/gap/figures.h"

#include <gtest/gtest.h>

#include <string>

#include "plumb/gap/testing.h"

namespace plumb::gap {
namespace {

TEST(Figures, OfHumeAreShippedWithTheirOrigin) {
  const auto hume = load_figures("hume");
  ASSERT_TRUE(hume) << hume.error().message;
  EXPECT_EQ(hume->name, "HUME");
  EXPECT_EQ(hume->licence, "CC0 1.0");
  EXPECT_FALSE(hume->origin.empty());
  EXPECT_EQ(hume->entries.size(), 19u);  // 13 models, BM25, two human aggregates, three annotators
  EXPECT_EQ(hume->files, 279u);
}

TEST(Figures, AreReadBackAsTheyWereWritten) {
  const auto hume = load_figures("hume");
  const std::string text = format_figures(*hume);
  const auto again = parse_figures(text, "test");
  ASSERT_TRUE(again);
  EXPECT_EQ(format_figures(*again), text);
  EXPECT_EQ(content_hash(*again), content_hash(*hume));
}

TEST(Figures, HaveAHashOfWhatIsScoredAlone) {
  auto figures = *load_figures("hume");
  const std::string before = content_hash(figures);
  figures.name = "another name";
  EXPECT_EQ(content_hash(figures), before);
  figures.entries[0].cells[0].main_score += 1e-9;
  EXPECT_NE(content_hash(figures), before);
}

TEST(ParseFigures, NamesTheLineThatIsDamaged) {
  const std::string header = R"({"schema":"plumb.figures/1"})";
  const auto cut = parse_figures(header + "\n{\"model\":\"a\",\"revi", "mine.jsonl");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::kBadInput);
  EXPECT_TRUE(cut.error().message.starts_with("mine.jsonl:2: "));
  EXPECT_EQ(cut.error().message.find('\n'), std::string::npos);
}

TEST(ParseFigures, RefusesAnotherSchemaACellWithoutARaterAndAnEmptyTable) {
  EXPECT_FALSE(parse_figures(R"({"schema":"plumb.gap/1"})", "f"));
  EXPECT_FALSE(parse_figures("{\"schema\":\"plumb.figures/1\"}\n{\"task\":\"T\"}", "f"));
  expect_error(parse_figures(R"({"schema":"plumb.task/1","kind":"sts"})", "t.jsonl"),
               ErrorKind::kBadInput, {"t.jsonl:1", "a task", "--humans FILE"});
  const auto empty = parse_figures(R"({"schema":"plumb.figures/1"})", "f");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind, ErrorKind::kNotFound);
}

std::string refusal(const std::string& lines) {
  const auto figures = parse_figures("{\"schema\":\"plumb.figures/1\"}\n" + lines, "f");
  EXPECT_FALSE(figures);
  return figures ? "" : figures.error().message;
}

// Cells are looked up by halving: out of order they would seem to be missing.
TEST(ParseFigures, NamesTheLineThatIsOutOfOrder) {
  const auto rater = [](const std::string& name) {
    return "{\"model\":\"" + name + "\",\"revision\":\"1\"}\n";
  };
  const auto cell = [](const std::string& task) {
    return "{\"task\":\"" + task +
           "\",\"subset\":\"default\",\"language\":\"eng\",\"main_score\":0.5,\"scores\":{}}\n";
  };
  EXPECT_TRUE(refusal(rater("a") + cell("B") + cell("A")).starts_with("f:4: "));
  EXPECT_TRUE(refusal(rater("a") + cell("B") + cell("B")).starts_with("f:4: "));
  EXPECT_TRUE(refusal(rater("b") + cell("A") + rater("a")).starts_with("f:4: "));
  EXPECT_TRUE(refusal(rater("a") + cell("A") + rater("a")).starts_with("f:4: "));
  EXPECT_NE(refusal(cell("A")).find("before any rater"), std::string::npos);
}

TEST(LoadFigures, SaysWhereItLooked) {
  const auto none = load_figures("no/such/place");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(none.error().message.starts_with("no/such/place: "));
}

TEST(KeptMetric, KnowsTheMetricsOfATable) {
  EXPECT_EQ(kept_metric("v_measure"), "v_measure");
  EXPECT_EQ(kept_metric("nauc_map_at_1_max"), "");
  EXPECT_EQ(kept_metric(std::string(100, 'x')), "");
  EXPECT_TRUE(is_main_metric("accuracy"));
  EXPECT_FALSE(is_main_metric("mse"));
}

}  // namespace
}  // namespace plumb::gap
