#include "plumb/mismatch/remedies/remedies.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/mismatch/remedies/length_control.h"
#include "plumb/mismatch/remedies/on_policy.h"
#include "plumb/mismatch/remedies/soft_best_of_n.h"
#include "plumb/mismatch/study_testing.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

TEST(LengthSlope, IsThatOfALineWithinPrompts) {
  // Words and scores less their prompt's mean: sum(w s) / sum(w w) = 5.25 / 9.1666667.
  const std::vector<double> words = {1, 2, 4, 3, 6}, scores = {0, 1, 2, 9, 10.5};
  const std::vector<std::size_t> prompts = {0, 0, 0, 1, 1};
  EXPECT_NEAR(slope_within(words, scores, prompts), 0.572727273, 1e-9);
  EXPECT_EQ(slope_within({&words[0], 1}, {&scores[0], 1}, {&prompts[0], 1}), 0);
  EXPECT_EQ(words_of("  two\nwords "), 2);
  EXPECT_EQ(words_of(""), 0);
}

// scipy.special.softmax([0, 1, 2]) = 0.09003057, 0.24472847, 0.66524096.
TEST(SoftBestOfN, WeighsSamplesByTheirScores) {
  const std::vector<double> scores = {0, 2, 4}, gold = {1, 0, 2};
  EXPECT_NEAR(soft_best_gold(scores, gold, 2), 0.09003057 + 2 * 0.66524096, 1e-8);
  EXPECT_NEAR(soft_best_gold(scores, gold, 1e-6), 2, 1e-12);
  EXPECT_NEAR(soft_best_gold(scores, gold, 1e9), 1, 1e-6);
  EXPECT_NEAR(soft_best_kl(scores, 2), std::log(3) - 0.83239558, 1e-7);  // less the entropy
  EXPECT_NEAR(soft_best_kl(scores, 1e9), 0, 1e-12);
}

TEST(OnPolicy, CountsComparisonsByWhereThePolicyIs) {
  EXPECT_DOUBLE_EQ(comparison_weight(std::log(2.0), std::log(8.0)), 4);
  EXPECT_DOUBLE_EQ(comparison_weight(100.0, 100.0), 10);
  EXPECT_DOUBLE_EQ(comparison_weight(-100.0, 0.0), 0.1);
  EXPECT_DOUBLE_EQ(comparison_weight(std::nullopt, 3.0), 1);
  const std::vector<double> equal(7, 3.0), uneven = {8, 1, 1};
  EXPECT_DOUBLE_EQ(effective_size(equal), 7);
  EXPECT_DOUBLE_EQ(effective_size(uneven), 100.0 / 66);
  const std::vector<std::size_t> each = {0, 1, 2, 3, 4, 5, 6};
  EXPECT_EQ(resampled_places(equal, 5), each);
}

TEST(OnPolicy, DrawsEveryPlaceWithinOneOfItsExpectation) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Stream stream(seed, "weights", 0);
    std::vector<double> weights(30);
    double sum = 0;
    for (double& weight : weights) sum += weight = stream.uniform() + 1e-3;
    const auto places = resampled_places(weights, seed);
    ASSERT_EQ(places.size(), 30U);
    for (std::size_t i = 0; i < 30; ++i) {
      const auto times = static_cast<double>(std::ranges::count(places, i));
      EXPECT_LT(std::abs(times - 30 * weights[i] / sum), 1 + 1e-9);
    }
  }
}

PathPoint point(std::size_t step, double tokens, double gold) {
  PathPoint one{.step = step, .tokens = tokens, .kl = 0, .gold = {}};
  for (std::size_t p = 0; p < 24; ++p) {
    one.gold.push_back(gold + 0.1 * static_cast<double>(p % 5));
  }
  return one;
}

TEST(CompareRemedies, StandAtEqualComputeAndAreCorrected) {
  RemedyPath none{.name = "none"};
  none.points = {point(0, 10, 0), point(10, 100, 1)};
  RemedyPath better{.name = "better", .baseline = "none"};
  better.points = {point(0, 50, 0), point(5, 100, 2), point(10, 150, 9)};
  RemedyPath dear{.name = "dear", .baseline = "none"};
  dear.points = {point(0, 500, 0), point(10, 900, 9)};
  RemedyPath same{.name = "same", .baseline = "none"};
  same.points = none.points;
  for (std::size_t p = 0; p < 24; ++p) same.points[1].gold[p] += p % 2 == 0 ? 0.01 : -0.01;
  RemedyPath missing{.name = "missing", .baseline = "none", .missing = "nobody knows"};
  const RemedyPath paths[] = {none, better, dear, same, missing};
  const RemedyComparison found = compare_remedies(paths, {});
  EXPECT_EQ(found.budget, 100);
  EXPECT_EQ(found.prompts, 24U);
  EXPECT_EQ(found.rows[0].words, "baseline");
  EXPECT_EQ(found.rows[1].step, 5U);
  EXPECT_NEAR(*found.rows[1].difference, 1, 1e-12);
  EXPECT_EQ(found.rows[1].words, "more gold");
  EXPECT_DOUBLE_EQ(found.rows[1].adjusted_p, 3.0 * found.rows[1].p);
  EXPECT_NEAR(found.rows[1].gain, 2, 1e-12);
  ASSERT_TRUE(found.rows[1].gain_ci);
  EXPECT_GT(found.rows[1].gain_ci->low, 1.9);
  EXPECT_EQ(found.rows[2].gain, 0);
  EXPECT_EQ(found.rows[1].group, 1);
  EXPECT_EQ(found.rows[2].step, 0U);  // its first step is beyond the budget
  EXPECT_EQ(found.rows[2].words, "less gold");
  EXPECT_NEAR(found.rows[2].end_gold, 9.0 + 0.1 * 46 / 24, 1e-9);
  EXPECT_EQ(found.rows[3].words, "not separable");
  EXPECT_EQ(found.rows[3].group, found.rows[0].group);
  EXPECT_EQ(found.rows[4].missing, "nobody knows");
}

// By hand: ten differences of a half from their mean have the error sqrt(10 / 4 / 9 / 10) = 1/6;
// SciPy's t.ppf(0.975, 9) + t.ppf(0.8, 9) = 2.262157 + 0.883404.
TEST(CompareRemedies, SayWhatFewPromptsWouldHaveShown) {
  PathPoint plain{.step = 1, .tokens = 1, .kl = 0, .gold = std::vector<double>(10, 0)};
  PathPoint other = plain;
  for (std::size_t p = 0; p < 10; ++p) other.gold[p] = static_cast<double>(p % 2);
  const RemedyPath paths[] = {{.name = "none", .points = {plain}},
                              {.name = "other", .baseline = "none", .points = {other}}};
  EXPECT_NEAR(compare_remedies(paths, {}).rows[1].detectable, 3.145561 / 6, 1e-6);
}

class RemedyRun : public SmallStudyTest {
 protected:
  RemedyOptions options(const fs::path& folder) const {
    RemedyOptions o;
    o.base = {model_};
    o.folder = folder;
    o.gold = "length";
    o.training_prompts = 12;
    o.measured_prompts = 8;
    o.prompt_words = 3;
    o.max_tokens = 16;
    o.pairs = 3;
    o.epochs = 1;
    o.members = 2;
    o.samples = 4;
    o.steps = 4;
    o.rate = 1e-3;
    o.seed = 3;
    o.threads = 2;
    return o;
  }
};

TEST_F(RemedyRun, TakenUpAfterAKillEndsWithTheSameBytes) {
  const RemedyOptions whole = options(run_folder("whole"));
  const auto report = run_remedies(whole, {});
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->paths.size(), all_remedies().size());
  for (std::size_t i = 0; i < report->paths.size(); ++i) {
    const RemedyPath& path = report->paths[i];
    EXPECT_EQ(path.name, all_remedies()[i].name);
    EXPECT_NE(path.points.empty(), path.missing.empty());
    for (std::size_t k = 1; k < path.points.size(); ++k) {
      EXPECT_GT(path.points[k].tokens, path.points[k - 1].tokens);
      EXPECT_EQ(path.points[k].gold.size(), 8U);
    }
  }
  // The first half of the guided draws is of the base model, the second follows the proxy.
  const auto guided = rlhf::read_samples(whole.folder / "guided.jsonl").value();
  ASSERT_EQ(guided.size(), 2U * 4 * 8);
  for (const rlhf::Sample& sample : guided) {
    EXPECT_EQ(sample.step == 0, *sample.kl == 0);
  }
  EXPECT_GT(report->paths.back().points[1].kl, 0);
  // Reward models say in which folder their base lies: the study is taken up where it was.
  const fs::path kept = folder_ / "kept";
  fs::copy(whole.folder, kept, fs::copy_options::recursive);
  for (const char* part :
       {"rewards/on-policy", "policies/pretraining-mix", "relabelled.jsonl",
        "policies/relabelling/model", "pool.jsonl", "rewards/seed-1/model", "guided.jsonl"}) {
    ASSERT_GT(fs::remove_all(whole.folder / part), 0U) << part;
  }
  RemedyOptions alone = whole;
  alone.threads = 1;
  const auto again = run_remedies(alone, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(differing_files(kept, whole.folder), std::vector<std::string>());
  for (std::size_t i = 0; i < report->comparison.rows.size(); ++i) {
    EXPECT_EQ(again->comparison.rows[i].difference, report->comparison.rows[i].difference);
  }
}

TEST_F(RemedyRun, RefusesWhatItDoesNotKnow) {
  RemedyOptions o = options(run_folder("run"));
  o.remedies = {"prayer"};
  const auto unknown = run_remedies(o, {});
  ASSERT_FALSE(unknown);
  EXPECT_NE(
      unknown.error().message.find("no remedy is called \"prayer\"; there are none, kl-budget"),
      std::string::npos);
  o.remedies = {"kl-budget"};
  o.kl_budget = 0.001;
  const auto stopped = run_remedies(o, {});
  ASSERT_TRUE(stopped) << stopped.error().message;
  ASSERT_EQ(stopped->paths.size(), 2U);
  EXPECT_LT(stopped->paths[1].points.back().step, stopped->paths[0].points.back().step);
  o.noise = 0.1;
  EXPECT_NE(run_remedies(o, {}).error().message.find("its noise is 0.25, not 0.1"),
            std::string::npos);
}

}  // namespace
}  // namespace plumb::mismatch
