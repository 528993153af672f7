// What is claimed from few prompts, counted over curves whose truth is known: with PLUMB_LONG_TESTS
// 1000 curves a world (or as many as it says, above 1), else a few. The shares are printed;
// docs/mismatch.md has those of the long run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "plumb/mismatch/ceiling.h"
#include "plumb/mismatch/testing.h"
#include "plumb/stats/few_prompts.h"

namespace plumb::mismatch {
namespace {

using stats::CurveForm;
using testing::PlantedRun;
using testing::Rows;

std::uint64_t runs() {
  const char* asked = std::getenv("PLUMB_LONG_TESTS");
  if (asked == nullptr) return 100;
  const std::uint64_t count = std::strtoull(asked, nullptr, 10);
  return count > 1 ? count : 1000;
}

struct World {
  const char* name;
  PlantedRun run;
  bool flat = false;  // the planted curve is taken off: only what prompts differ by is left
};

const std::vector<double> kBestOfN = {0.44, 0.8, 1.1, 1.35, 1.58, 1.78, 1.96, 2.13, 2.29, 2.43};
const double kEnd = 12;

const World kFlat{"rl, flat", {}, true};
const World kFlatBestOfN{
    "bon, flat", {.form = CurveForm::kBestOfN, .curve = {1, 0.25}, .d = kBestOfN}, true};
const World kFlatAtTheEnd{"rl, flat at the end", {.curve = {1, 1 / (1 + std::log(kEnd))}}};
const World kTurns{"rl, turns", {.curve = {1, 0.5}}};
const World kBestOfNTurns{"bon, turns",
                          {.form = CurveForm::kBestOfN, .curve = {1, 0.25}, .d = kBestOfN}};

CurveReport report_of(const World& world, std::size_t prompts, std::uint64_t run, bool given) {
  Stream stream(9, world.name, run);
  PlantedRun planted = world.run;
  planted.prompts = prompts;
  MeasuredRun drawn = planted.draw(stream);
  const auto truth = planted.true_gold();
  for (std::size_t i = 0; world.flat && i < drawn.gold.size(); ++i) {
    drawn.gold[i] -= truth[i / prompts];
  }
  const Rows rows(drawn);
  Curve curve;
  curve.d = rows.d, curve.reward = rows.reward, curve.cluster = rows.cluster;
  curve.prompts = prompts;
  FitOptions options{.sampling = {.resamples = 1000, .seed = run}};
  if (given) options.form = planted.form;
  return fit_curves(std::vector{curve}, options)[0];
}

bool takes_a_side(Verdict verdict) {
  return verdict == Verdict::kAligned || verdict == Verdict::kInverted;
}

struct Counts {
  double sided = 0, sided_intervals = 0, detected = 0, covered = 0, of = 0;
};

Counts count(const World& world, std::size_t prompts, bool given = true) {
  const double truth = world.flat ? 0 : stats::curve_peak(world.run.form, world.run.curve);
  Counts counts;
  for (std::uint64_t run = 0; run < runs(); ++run) {
    const CurveReport report = report_of(world, prompts, run, given);
    const stats::Ceiling& ceiling = *report.ceiling;
    counts.of += 1;
    counts.sided += takes_a_side(report.verdict) ? 1 : 0;
    counts.sided_intervals +=
        takes_a_side(verdict_of(ceiling.slope_end_ci, report.resolution)) ? 1 : 0;
    counts.detected += ceiling.detected ? 1 : 0;
    counts.covered += ceiling.d_star_ci.low <= truth && truth <= ceiling.d_star_ci.high ? 1 : 0;
  }
  fmt::print("| {}{} | {} | {:.0f} of {:.0f} | {:.0f} | {:.0f} | {} |\n", world.name,
             given ? "" : ", form not given", prompts, counts.sided, counts.of,
             counts.sided_intervals, counts.detected,
             world.flat ? "" : fmt::format("{:.0f}", counts.covered));
  return counts;
}

// A share p of so many runs lies beyond these once in two hundred times.
double noise(double p, double runs) { return 2.58 * std::sqrt(p * (1 - p) / runs); }

void expect_rare(double count, const Counts& counts, const std::string& what) {
  EXPECT_LE(count / counts.of, 0.05 + noise(0.05, counts.of)) << what;
}

TEST(FewPrompts, OfFewerThanEightNothingIsClaimed) {
  for (const World* world : {&kFlat, &kFlatBestOfN, &kFlatAtTheEnd, &kTurns, &kBestOfNTurns}) {
    for (const std::size_t prompts : {2U, 3U, 5U, 7U}) {
      const Counts counts = count(*world, prompts);
      EXPECT_EQ(counts.sided, 0) << world->name;
      EXPECT_EQ(counts.detected, 0) << world->name;
    }
  }
}

TEST(FewPrompts, OfEightOrMoreAFlatCurveSeldomHasASide) {
  for (const World* world : {&kFlat, &kFlatBestOfN, &kFlatAtTheEnd}) {
    for (const std::size_t prompts : {8U, 12U, 20U}) {
      const Counts counts = count(*world, prompts);
      expect_rare(counts.sided, counts, fmt::format("{}, {}", world->name, prompts));
      expect_rare(counts.detected, counts, fmt::format("{}, {}", world->name, prompts));
    }
  }
}

TEST(FewPrompts, OfEightOrMoreTheCeilingIsInItsInterval) {
  for (const World* world : {&kTurns, &kBestOfNTurns}) {
    for (const std::size_t prompts : {8U, 12U, 20U}) {
      const Counts counts = count(*world, prompts);
      EXPECT_GE(counts.covered / counts.of, 0.93 - noise(0.93, counts.of))
          << world->name << ", " << prompts;
    }
  }
}

TEST(FewPrompts, HoldTheSameWhereTheFormIsNotGiven) {
  for (const std::size_t prompts : {3U, 8U, 12U}) {
    const Counts flat = count(kFlatBestOfN, prompts, false);
    expect_rare(flat.sided, flat, "flat");
    const Counts turns = count(kBestOfNTurns, prompts, false);
    EXPECT_EQ(turns.detected > 0, prompts >= stats::kFewestJudged);
    if (stats::too_few_to_judge(prompts)) continue;
    EXPECT_GE(turns.covered / turns.of, 0.93 - noise(0.93, turns.of)) << prompts;
  }
}

// Three prompts that all turn where they should: the figure of d* stays, the claim goes.
TEST(FewPrompts, KeepTheirFiguresWithoutAClaim) {
  for (const auto& [prompts, claimed] : {std::pair(7U, false), std::pair(8U, true)}) {
    World still = kTurns;
    still.run.spread = 0.02;
    still.run.noise = 0.05;
    const CurveReport report = report_of(still, prompts, 0, true);
    EXPECT_TRUE(report.ceiling->turns_below_end());
    EXPECT_NEAR(report.ceiling->d_star, std::exp(1.0), 0.1);
    EXPECT_EQ(report.ceiling->detected, claimed);
    EXPECT_EQ(report.verdict, claimed ? Verdict::kInverted : Verdict::kInsufficient);
    ASSERT_TRUE(report.few);
    EXPECT_EQ(report.few->find("too few for a verdict or a ceiling") != std::string::npos, !claimed)
        << *report.few;
  }
}

// Single points have no prompts: their intervals are those of least squares.
TEST(FewPrompts, AreNotSaidOfSinglePoints) {
  Curve curve;
  for (int i = 1; i <= 12; ++i) {
    curve.d.push_back(i);
    curve.reward.push_back(i * (1 - 0.1 * i) + 0.01 * (i % 3));
  }
  const CurveReport report = fit_curves(std::vector{curve}, {.form = CurveForm::kBestOfN})[0];
  EXPECT_TRUE(report.ceiling->detected);
  EXPECT_EQ(report.few, std::nullopt);
}

}  // namespace
}  // namespace plumb::mismatch
