#include "plumb/mismatch/links/rows.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace plumb::mismatch {
namespace {

LinkRow slope_row(double estimate, double deviation, const char* measure = "slope") {
  LinkRow row{.link = Link::kA, .run = "run", .measure = measure, .estimate = estimate};
  row.ci = stats::Interval{estimate - 1.96 * deviation, estimate + 1.96 * deviation};
  row.deviation = deviation;
  row.resolution = 0.1;
  row.headline = true;
  return row;
}

TEST(Judge, SaysOneOfFourThings) {
  const std::pair<LinkRow, Verdict> cases[] = {{slope_row(0.5, 0.1), Verdict::kAligned},
                                               {slope_row(-0.5, 0.1), Verdict::kInverted},
                                               {slope_row(0.01, 0.02), Verdict::kDecoupled},
                                               {slope_row(0.1, 0.2), Verdict::kInsufficient}};
  for (const auto& [given, verdict] : cases) {
    std::vector<LinkRow> rows = {given};
    judge(rows, 0.95);
    EXPECT_EQ(rows[0].verdict, verdict) << *given.estimate;
    EXPECT_NEAR(*rows[0].detectable, 2.8015852 * *given.deviation, 1e-6);
    EXPECT_EQ(link_verdict(rows, Link::kA, "run"), verdict);
  }
}

// 2.1 deviations are enough for one test (p = 0.036), not among three (Holm: 0.107).
TEST(Judge, CorrectsForManyComparisons) {
  std::vector<LinkRow> alone = {slope_row(0.42, 0.2)};
  std::vector<LinkRow> family = {slope_row(0.42, 0.2, "a"), slope_row(0.1, 0.2, "b"),
                                 slope_row(0.1, 0.2, "c")};
  judge(alone, 0.95);
  judge(family, 0.95);
  EXPECT_EQ(alone[0].verdict, Verdict::kAligned);
  EXPECT_EQ(family[0].verdict, Verdict::kInsufficient);
  EXPECT_NEAR(family[0].adjusted_p, 3 * alone[0].p, 1e-12);
}

TEST(Judge, OneInvertedHeadlineInvertsTheLink) {
  std::vector<LinkRow> rows = {slope_row(0.9, 0.1, "a"), slope_row(-0.9, 0.1, "b")};
  judge(rows, 0.95);
  EXPECT_EQ(link_verdict(rows, Link::kA, "run"), Verdict::kInverted);
  rows[1] = missing_row(Link::kA, "b", "not measured");
  EXPECT_EQ(link_verdict(rows, Link::kA, "run"), Verdict::kAligned);
  EXPECT_EQ(link_verdict({}, Link::kB, "run"), Verdict::kInsufficient);
}

TEST(Shares, StayWithinTheirRange) {
  LinkRow row{.estimate = 0.9, .ci = stats::Interval{0.74, 1.01}, .n = 24};
  as_share(row, 0.95);
  EXPECT_EQ(row.ci->high, 1);
  EXPECT_EQ(row.ci->low, 0.74);
}

TEST(Shares, AtTheirEdgeHaveAnIntervalThatIsNoPoint) {
  LinkRow row{.estimate = 1.0, .ci = stats::Interval{1, 1}, .n = 24};
  as_share(row, 0.95);
  EXPECT_NEAR(row.ci->low, 24 / (24 + 3.841459), 1e-6);  // Wilson 1927 with all of 24
}

}  // namespace
}  // namespace plumb::mismatch
