#include "plumb/mismatch/ceiling.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <cmath>

#include "plumb/base/files.h"

namespace plumb::mismatch {
namespace {

class Points : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path = testing::TempDir() + fmt::format("mismatch_points_{}.csv", ::getpid());
    EXPECT_TRUE(write_file_atomic(path, text));
    return path;
  }
  std::vector<Curve> read(const std::string& text, const CurveColumns& columns = {}) {
    auto curves = read_curves(write(text), columns);
    EXPECT_TRUE(curves) << curves.error().message;
    return curves ? *curves : std::vector<Curve>();
  }
  std::string error(const std::string& text, const CurveColumns& columns = {}) {
    const auto curves = read_curves(write(text), columns);
    return curves ? "" : curves.error().message;
  }
};

TEST_F(Points, OfOneCurveAreRows) {
  const Curve curve = read("d,gold\n1,0.5\n2,0.7\n").at(0);
  EXPECT_EQ(curve.name, "gold");
  EXPECT_EQ(curve.d, (std::vector<double>{1, 2}));
  EXPECT_TRUE(curve.cluster.empty());
  EXPECT_FALSE(curve.shifted);
}

TEST_F(Points, HaveTheirStartTakenOffPromptByPrompt) {
  const Curve curve = read("prompt,d,gold\nb,0,1\na,0,10\na,1,12\nb,1,2\nb,2,4\n").at(0);
  EXPECT_EQ(curve.reward, (std::vector<double>{2, 1, 3}));
  EXPECT_EQ(curve.cluster, (std::vector<std::uint32_t>{0, 1, 1}));
  EXPECT_EQ(curve.prompts, 2U);
  EXPECT_TRUE(curve.shifted);
}

TEST_F(Points, WithoutARewardAreLeftOutAndCounted) {
  const Curve curve = read("prompt,d,gold\na,1,2\nb,1,\na,2,3\nb,2,5\n").at(0);
  EXPECT_EQ(curve.d, (std::vector<double>{1, 2, 2}));
  EXPECT_EQ(curve.reward, (std::vector<double>{2, 3, 5}));
  EXPECT_EQ(curve.left_out, 1U);
  ASSERT_EQ(curve.notes.size(), 1U);
  EXPECT_TRUE(curve.notes[0].starts_with("1 row without a reward")) << curve.notes[0];
  EXPECT_EQ(fit_curves(std::vector{curve}, {.sampling = {.resamples = 20}})[0].notes, curve.notes);
}

TEST_F(Points, OfAPromptWithAnEmptyStartAreLeftOut) {
  const Curve curve = read("prompt,d,gold\na,0,1\nb,0,\na,1,2\nb,1,7\na,2,4\n").at(0);
  EXPECT_EQ(curve.reward, (std::vector<double>{1, 3}));
  EXPECT_EQ(curve.prompts, 1U);
  EXPECT_EQ(curve.left_out, 2U);
}

// As the table of a measured run has them.
TEST_F(Points, SayThatSamplesBehindThemLackTheReward) {
  const Curve curve = read("d,gold,without_gold\n1,2,0\n2,3,4\n3,4,1\n").at(0);
  ASSERT_EQ(curve.notes.size(), 1U);
  EXPECT_TRUE(curve.notes[0].starts_with("2 of 3 rows are means over samples of which some lack"))
      << curve.notes[0];
}

TEST_F(Points, HaveAColumnThatIsNotEmptyThroughout) {
  EXPECT_NE(error("d,gold\n1,\n2,\n").find("no row has a number in gold"), std::string::npos);
  EXPECT_NE(error("d,gold\n,1\n").find("\"\" of column \"d\" is not a finite number"),
            std::string::npos);
  const auto curves = read("run,d,gold\nx,1,\ny,1,4\ny,2,5\n", {.by = "run"});
  const auto fits = fit_curves(curves, {.sampling = {.resamples = 20}});
  EXPECT_EQ(fits.at(0).ceiling.error().reason, "no row has a reward");
  EXPECT_TRUE(fits.at(1).notes.empty());
}

TEST_F(Points, AreSplitByColumnsAndValues) {
  const auto curves =
      read("run,d,gold,proxy\nx,1,2,3\ny,1,4,5\n", {.y = {"gold", "proxy"}, .by = "run"});
  ASSERT_EQ(curves.size(), 4U);
  EXPECT_EQ(curves[0].name, "x/gold");
  EXPECT_EQ(curves[3].name, "y/proxy");
  EXPECT_EQ(curves[3].reward.at(0), 5);
}

TEST_F(Points, TakeKlAndTheNOfBestOfN) {
  EXPECT_EQ(read("k,gold\n4,1\n", {.x = "k", .meaning = Distance::kKl}).at(0).d.at(0), 2);
  const Curve best = read("n,gold\n1,0.5\n4,1\n", {.x = "n", .meaning = Distance::kBest}).at(0);
  EXPECT_NEAR(best.d.at(0), std::sqrt(std::log(4) - 0.75), 1e-15);
  EXPECT_EQ(best.reward.at(0), 0.5);
}

TEST_F(Points, AreRefusedWithFileAndLine) {
  EXPECT_NE(error("d,gold\n1,x\n").find("csv:2: \"x\" of column \"gold\""), std::string::npos);
  EXPECT_NE(error("d,gold\n1,nan\n").find("not a finite number"), std::string::npos);
  EXPECT_NE(error("d,gold\n-1,1\n").find("not negative"), std::string::npos);
  EXPECT_NE(error("d,silver\n1,1\n").find("no column \"gold\"; there are d, silver"),
            std::string::npos);
  EXPECT_NE(error("d,gold\n").find("no rows"), std::string::npos);
  EXPECT_NE(error("n,gold\n0.5,1\n", {.x = "n", .meaning = Distance::kBest}).find("n is 1 or more"),
            std::string::npos);
  EXPECT_NE(error("prompt,d,gold\na,0,1\na,1,1\nb,1,1\n").find("csv:4: its prompt has no row"),
            std::string::npos);
}

TEST(Verdict, FollowsTheIntervalOfTheSlope) {
  EXPECT_EQ(verdict_of({0.1, 0.2}, 1), Verdict::kAligned);
  EXPECT_EQ(verdict_of({-0.2, -0.1}, 1), Verdict::kInverted);
  EXPECT_EQ(verdict_of({-0.2, 0.1}, 1), Verdict::kDecoupled);
  EXPECT_EQ(verdict_of({-2, 0.1}, 1), Verdict::kInsufficient);
  EXPECT_EQ(verdict_name(Verdict::kInsufficient), "insufficient evidence");
}

// The ten points of one prompt that a user of a reference implementation published.
TEST_F(Points, OfOnePromptAreInsufficientEvidence) {
  const auto curves = read(
      "n,proxy,gold\n1,-.1922,-.5225\n3,.0322,-.0165\n10,.2336,.4828\n30,.6534,-.1543\n"
      "100,.8968,-.3367\n300,.8968,-.3367\n1000,.8968,-.3367\n3000,.9003,.2733\n"
      "10000,.9003,.2733\n30000,.9527,.5490\n",
      {.x = "n", .meaning = Distance::kBest, .y = {"gold", "proxy"}});
  const auto reports = fit_curves(curves, {.form = stats::CurveForm::kBestOfN});
  EXPECT_NEAR(reports[0].ceiling->fit.curve.a, 0.2917580, 6e-8);
  EXPECT_NEAR(reports[0].ceiling->fit.curve.b, 0.0147824, 6e-8);
  EXPECT_EQ(reports[0].verdict, Verdict::kInsufficient);
  EXPECT_FALSE(reports[0].ceiling->detected);
  EXPECT_NEAR(reports[1].ceiling->fit.curve.a, 0.6259073, 6e-8);
  EXPECT_NEAR(reports[1].ceiling->fit.curve.b, 0.0776778, 7e-8);
}

TEST_F(Points, ThatCannotBeFittedSayWhy) {
  const auto reports = fit_curves(read("d,gold\n1,0.5\n1,0.6\n"), {});
  ASSERT_FALSE(reports[0].ceiling);
  EXPECT_EQ(reports[0].ceiling.error().reason, "a curve needs two different distances d above 0");
  const auto only_start = fit_curves(read("d,gold\n0,0.5\n"), {});
  EXPECT_FALSE(only_start[0].ceiling);
}

}  // namespace
}  // namespace plumb::mismatch
