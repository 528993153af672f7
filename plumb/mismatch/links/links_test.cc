#include "plumb/mismatch/links/links.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "plumb/base/files.h"
#include "plumb/mismatch/links/links_testing.h"
#include "plumb/mismatch/links/planted.h"

namespace plumb::mismatch {
namespace {

constexpr double kNear = 1e-9;
using testing::kQuick;
using testing::report_of;
using testing::row;
using testing::table_of;

// Golden values of NumPy and SciPy: tests/golden/link_measures.py.
class LinkGolden : public ::testing::Test {
 protected:
  nlohmann::json golden_ =
      nlohmann::json::parse(read_file("tests/golden/link_measures.json").value());

  std::vector<rlhf::Sample> samples() const {
    std::vector<rlhf::Sample> all;
    for (const auto& one : golden_["samples"]) {
      all.push_back({.step = one["step"],
                     .prompt = one["prompt"],
                     .completion = one["completion"],
                     .tokens = one["tokens"].get<std::size_t>(),
                     .proxy = one["proxy"].get<double>(),
                     .gold = one["gold"].get<double>()});
    }
    return all;
  }
};

TEST_F(LinkGolden, MeasuresAreNumPysAndSciPys) {
  const LinkReport report = report_of(table_of(samples()));
  const std::pair<const char*, const char*> rows[] = {
      {"gold per proxy", "efficiency"},
      {"gold per proxy, later half", "later"},
      {"gap at the end", "gap"},
      {"share of prompts whose gold falls", "falls"},
      {"Gini of the gold gains", "gini"}};
  for (const auto& [measure, name] : rows) {
    EXPECT_NEAR(*row(report, measure).estimate, golden_[name], kNear) << measure;
  }
  const auto& accuracy = golden_["accuracy"];
  EXPECT_NEAR(*row(report, "pairs ordered right at the start").estimate, accuracy[0], kNear);
  EXPECT_NEAR(*row(report, "pairs ordered right at the end").estimate, accuracy[4], kNear);
  EXPECT_NEAR(*row(report, "pairs ordered right, since the start").estimate,
              accuracy[4].get<double>() - accuracy[0].get<double>(), kNear);
  EXPECT_NEAR(*row(report, "tau within prompts at the end").estimate, golden_["tau"][4], kNear);
  EXPECT_NEAR(*row(report, "tau within prompts at the start").estimate, golden_["tau"][0], kNear);
}

TEST_F(LinkGolden, StyleIsAttributedAsByFixedEffects) {
  const LinkReport report = report_of(table_of(samples()));
  const auto& expected = golden_["attribution"];
  for (const char* unit : {"token", "refusal", "hedge"}) {
    const auto& found = row(report, fmt::format("score per {} at equal gold", unit));
    EXPECT_NEAR(*found.estimate, expected[unit], kNear) << unit;
  }
  EXPECT_NEAR(*row(report, "share of the score that is style at equal gold").estimate,
              expected["share"], kNear);
  const auto& left_out = report.runs[0].attribution.left_out;
  EXPECT_EQ(left_out.size(), 2U);  // lists and repetition
}

// A style of one prompt in forty is absent from a third of the resamples.
TEST(Attribution, LeavesOutAStyleThatFewPromptsHave) {
  Stream stream(1, "rare", 0);
  SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  table.extras[2][0] += 1;
  const Attribution found = attribute_score(
      table, draw_run("run", table, 0, {.resamples = 20})->path.prompts, {.resamples = 20});
  EXPECT_TRUE(std::ranges::any_of(found.left_out, [](const std::string& text) {
    return text.find("differ in hedging within 1 of 60 prompts") != std::string::npos;
  }));
}

TEST_F(LinkGolden, PopulationsCorrelateAsSciPysDo) {
  Population population;
  for (const auto& model : golden_["models"]) {
    population.gold.push_back(model["gold"]);
    population.metrics["accuracy"].push_back(model["accuracy"]);
    population.metrics["log_loss"].push_back(-model["accuracy"].get<double>());
  }
  const auto rows = population_rows(population, 0.95);
  EXPECT_NEAR(*rows[0].estimate, golden_["spearman"], kNear);
  EXPECT_NEAR(*rows[1].estimate, golden_["spearman"], kNear);  // turned round
  EXPECT_TRUE(rows[0].headline);
  EXPECT_FALSE(rows[1].headline);
}

TEST_F(LinkGolden, WithoutGoldTheMeasureSaysSoAndTheOthersRun) {
  auto without = samples();
  for (rlhf::Sample& sample : without) sample.gold.reset();
  const LinkReport report = report_of(table_of(without));
  EXPECT_EQ(row(report, "gold per proxy, later half").reason, "no sample has a \"gold\"");
  EXPECT_EQ(row(report, "gold with the reward").reason, "no sample has a \"gold\"");
  EXPECT_TRUE(row(report, "score per token").estimate.has_value());
  for (const Verdict verdict : report.verdicts[0].links) {
    EXPECT_EQ(verdict, Verdict::kInsufficient);
  }
  EXPECT_NE(report.runs[0].missing[0].find("gold"), std::string::npos);
}

TEST_F(LinkGolden, FewCheckpointsAreNamed) {
  auto few = samples();
  std::erase_if(few, [](const rlhf::Sample& sample) { return sample.step > 20; });
  const LinkReport report = report_of(table_of(few));
  EXPECT_EQ(row(report, "gold per proxy, later half").reason,
            "fewer than four checkpoints follow the start");
  EXPECT_TRUE(row(report, "gold per proxy").headline);
  EXPECT_EQ(row(report, "gold with the reward").reason, "fewer than six checkpoints");
  EXPECT_EQ(row(report, "change point of gold").reason, "fewer than five checkpoints");
}

TEST_F(LinkGolden, TheSameBytesWithAnyNumberOfThreads) {
  LinkOptions one = kQuick, three = kQuick;
  one.sampling.threads = 1, three.sampling.threads = 3;
  const SampleTable table = table_of(samples());
  const auto a = measure_links("run", table, {}, one), b = measure_links("run", table, {}, three);
  ASSERT_EQ(a->rows.size(), b->rows.size());
  for (std::size_t i = 0; i < a->rows.size(); ++i) {
    EXPECT_EQ(a->rows[i].estimate, b->rows[i].estimate);
    EXPECT_EQ(a->rows[i].deviation, b->rows[i].deviation);
  }
}

// Logs of prompts that have nothing to do with each other but by chance: no verdict from a few.
TEST(Judge, GivesNoVerdictFromFewPrompts) {
  testing::PlantedLog log = testing::NoiseWorld{}.log();
  for (const auto& [prompts, verdict] :
       {std::pair(2U, Verdict::kInsufficient), std::pair(7U, Verdict::kInsufficient),
        std::pair(8U, Verdict::kAligned)}) {
    Stream stream(1, "few", prompts);
    log.prompts = prompts;
    const LinkReport report = report_of(log.draw(stream));
    EXPECT_EQ(report.verdicts[0].links, (std::array{verdict, verdict, verdict})) << prompts;
    const LinkRow& later = row(report, "gold per proxy, later half");
    EXPECT_EQ(later.note.find("no verdict from") != std::string::npos, prompts < 8) << later.note;
    const auto& warnings = report.runs[0].draws.warnings;
    const std::string few = fmt::format("{} prompts are", prompts);
    EXPECT_TRUE(std::ranges::any_of(
        warnings, [&](const std::string& warning) { return warning.starts_with(few); }));
  }
}

// A rule reward that most prompts never earn: those stay where they were.
TEST(Falls, CountAPromptThatStaysAsNotFallen) {
  std::vector<rlhf::Sample> samples;
  for (const unsigned step : {0U, 10U}) {
    for (int i = 0; i < 100; ++i) {
      const int prompt = i % 20;
      const double gold = step == 0 ? 0 : prompt < 3 ? -1 : prompt < 10 ? 1 : 0;
      samples.push_back({.step = step,
                         .prompt = fmt::format("prompt {}", prompt),
                         .completion = "x",
                         .proxy = i % 7 + step,
                         .gold = gold,
                         .kl = step});
    }
  }
  const LinkRow falls = row(report_of(table_of(samples)), "share of prompts whose gold falls");
  EXPECT_DOUBLE_EQ(*falls.estimate, 0.15);
  EXPECT_NE(falls.note.find("10 prompts stayed as they were at the start"), std::string::npos);
}

std::array<float, kStyles> style_of(const std::string& completion) {
  std::array<float, kStyles> numbers{};
  describe_style({.prompt = "", .completion = completion}, numbers);
  return numbers;
}

TEST(Style, IsReadFromTheText) {
  const auto refusal =
      style_of("I’m sorry, however, it depends.\n- one\n2. two\n• three\na b c a b c a b c");
  EXPECT_EQ(refusal[1], 1);
  EXPECT_EQ(refusal[2], 2);
  EXPECT_EQ(refusal[3], 3);
  EXPECT_GT(refusal[4], 0);
  const auto plain = style_of("Generals march on; 3 may vary-ish é");
  EXPECT_EQ(plain[0], 35);
  EXPECT_EQ(plain[1], 0);
  EXPECT_EQ(plain[2], 1);  // "generally" is not in "Generals"
  EXPECT_EQ(plain[3], 0);
}

TEST(ImplicitReward, IsBetaTimesTheLogRatioAndHasItsUnitFromTheEnd) {
  Stream stream(1, "dpo", 0);
  SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  ASSERT_TRUE(use_implicit_reward(table, 0.1));
  EXPECT_NEAR(table.proxy[700], 0.1 * table.k1[700], 1e-12);
  EXPECT_EQ(table.proxy[0], 0);  // the start is the reference
  const RunDraws run = draw_run("dpo", table, 0, {.resamples = 100}).value();
  const auto efficiency = run.draws.points[run.column(RunColumn::kEfficiency)];
  ASSERT_TRUE(efficiency) << efficiency.error().reason;
  EXPECT_GT(*efficiency, 0);
  EXPECT_TRUE(run.flat_start);
  const auto& start = row(report_of(table), "pairs ordered right at the start");
  EXPECT_EQ(start.reason, "samples of a prompt do not differ in the proxy at the start");
  EXPECT_FALSE(start.estimate);
  table.k1[3] = std::nan("");
  EXPECT_FALSE(use_implicit_reward(table, 0.1));
}

TEST(ImplicitReward, IsFlatAtTheStartWhateverItsConstant) {
  SampleTableBuilder builder;
  for (unsigned i = 0; i < 40; ++i) {
    const std::string prompt = i % 4 < 2 ? "a" : "b";
    const double gold = i % 3;
    builder.add({.step = 0, .prompt = prompt, .completion = "x", .proxy = -0.1, .gold = gold});
    builder.add({.step = 1, .prompt = prompt, .completion = "x", .proxy = i % 2, .gold = gold});
  }
  const RunDraws run = draw_run("dpo", builder.finish(), 0, {.resamples = 100}).value();
  EXPECT_TRUE(run.flat_start);
  // By hand: ten times 0 and ten times 1 a prompt have a square of 5 about their mean.
  EXPECT_NEAR(*run.draws.points[run.column(RunColumn::kProxyDeviation)], std::sqrt(10.0 / 38),
              1e-12);
}

TEST(SwapTests, WithoutAGoldRunAddUpUnderBestOfN) {
  Stream stream(1, "swap", 0);
  const auto logs = testing::SwapWorld{}.draw(stream);
  const SwapReport swap =
      swap_tests({.run = &logs.run, .relabelled = &logs.relabelled}, {.resamples = 100});
  ASSERT_EQ(swap.stages.size(), 5U) << swap.reason;
  const auto loss = [&](std::size_t i) { return *swap.stages[i].loss.value; };
  EXPECT_NEAR(loss(0) + loss(1) + loss(2), loss(4), kNear);
  EXPECT_FALSE(swap.stages[3].loss.value);
}

// In the place of the run's own start: where its gold is flat, best of n earns none.
TEST(SwapTests, TakeTheBestOfAPoolWhereOneIsGiven) {
  Stream stream(1, "swap", 0);
  const auto logs = testing::SwapWorld{}.draw(stream);
  SampleTable flat = logs.run;
  std::ranges::fill(flat.gold, 0.0);
  const SwapInputs own{.run = &logs.run, .gold_run = &logs.gold_run};
  SwapInputs same = own, other = own;
  same.pool = &logs.run;
  other.pool = &flat;
  const auto losses = [](const SwapInputs& inputs) {
    std::vector<double> all;
    for (const SwapStage& stage : swap_tests(inputs, {.resamples = 50}).stages) {
      all.push_back(stage.loss.value.value_or(0));
    }
    return all;
  };
  const auto first = losses(own), second = losses(other);
  EXPECT_EQ(losses(same), first);
  ASSERT_EQ(second.size(), 5U);
  EXPECT_EQ(second[0], first[0]);  // the reward model's, of the two runs
  EXPECT_LT(second[1], first[1]);
  EXPECT_DOUBLE_EQ(second[1], second[4]);  // nothing but what the run earned
}

TEST(SwapTests, OfLogsWithoutASharedPromptSayWhy) {
  Stream stream(1, "swap", 0);
  auto logs = testing::SwapWorld{}.draw(stream);
  for (std::string& prompt : logs.gold_run.prompts) prompt += "!";
  const SwapReport swap =
      swap_tests({.run = &logs.run, .gold_run = &logs.gold_run}, {.resamples = 100});
  EXPECT_TRUE(swap.stages.empty());
  EXPECT_EQ(swap.reason, "0 prompts with gold at every point of every run; two or more are needed");
}

TEST(Seeds, WithOtherCheckpointsAreRefused) {
  Stream stream(1, "seeds", 0);
  testing::PlantedLog log = testing::NoiseWorld{}.log();
  const RunDraws one = draw_run("a", log.draw(stream), 0, {.resamples = 50}).value();
  log.checkpoints = 7;
  const RunDraws other = draw_run("b", log.draw(stream), 0, {.resamples = 50}).value();
  EXPECT_FALSE(pool_runs(std::vector{one, other}, "all", {}));
}

TEST(Seeds, AreNotOneTrainingTwice) {
  Stream stream(1, "seeds", 0);
  const testing::PlantedLog log = testing::NoiseWorld{}.log();
  const RunDraws one = draw_run("a", log.draw(stream), 0, {.resamples = 50}).value();
  const RunDraws other = draw_run("b", log.draw(stream), 0, {.resamples = 50}).value();
  EXPECT_TRUE(pool_runs(std::vector{one, other}, "all", {.resamples = 50}));
  const auto twice = pool_runs(std::vector{one, other, one}, "all", {.resamples = 50});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(twice.error().message.find("holds the same samples as"), std::string::npos);
}

TEST_F(LinkGolden, AConstantProxyHasNoTauAndItIsTheProxysFault) {
  auto flat = samples();
  for (rlhf::Sample& sample : flat) sample.proxy = 1;
  const LinkReport report = report_of(table_of(flat));
  EXPECT_EQ(row(report, "tau within prompts at the end").reason,
            "no two samples of a prompt differ in the proxy");
  for (rlhf::Sample& sample : flat) sample.gold = 1;
  EXPECT_EQ(row(report_of(table_of(flat)), "tau within prompts at the end").reason,
            "no two samples of a prompt differ in gold");
}

TEST_F(LinkGolden, AProxyThatIsConstantAtTheEndOrdersNothingThere) {
  auto flat = samples();
  const std::size_t end = std::ranges::max(flat, {}, &rlhf::Sample::step).step;
  for (rlhf::Sample& sample : flat) {
    if (sample.step == end) sample.proxy = 9;
  }
  const LinkReport report = report_of(table_of(flat));
  for (const char* measure :
       {"pairs ordered right at the end", "pairs ordered right, since the start",
        "tau within prompts at the end", "overconfidence, since the start"}) {
    const LinkRow found = row(report, measure);
    EXPECT_FALSE(found.estimate) << measure;
    EXPECT_EQ(found.reason, "no two samples of a prompt differ in the proxy") << measure;
  }
}

// The proxy rises; each prompt has the same golds at every checkpoint, in another order.
SampleTable unmoved_gold(std::size_t prompts) {
  Stream stream(1, "unmoved", prompts);
  constexpr double kGolds[] = {0.1, 0.2, 0.7, 0.3};
  std::vector<rlhf::Sample> all;
  for (unsigned step = 0; step <= 8; ++step) {
    for (std::size_t p = 0; p < prompts; ++p) {
      for (std::size_t i = 0; i < 4; ++i) {
        all.push_back({.step = step,
                       .prompt = fmt::format("prompt {}", p),
                       .completion = "x",
                       .proxy = step + testing::normal(stream),
                       .gold = static_cast<double>(p) + kGolds[(i + step * (p + 1)) % 4],
                       .kl = step * step / 8.0});
      }
    }
  }
  return table_of(all);
}

TEST(Judge, GivesNoVerdictOfAGoldThatDoesNotMove) {
  for (const std::size_t prompts : {10U, 40U}) {
    const LinkReport report = report_of(unmoved_gold(prompts));
    EXPECT_EQ(report.verdicts[0].links[0], Verdict::kInsufficient);
    EXPECT_EQ(report.verdicts[0].links[2], Verdict::kInsufficient);
    for (const char* measure : {"gold per proxy, later half", "gold, end less start"}) {
      const LinkRow found = row(report, measure);
      EXPECT_NEAR(*found.estimate, 0, 1e-12) << measure;
      EXPECT_FALSE(found.ci) << measure;
      EXPECT_EQ(found.reason, "nothing varies, which does not say how sure that is");
      EXPECT_EQ(found.verdict, Verdict::kInsufficient) << measure;
      EXPECT_EQ(found.note, "") << measure;
      EXPECT_FALSE(found.tested || found.detectable) << measure;
    }
    for (const char* measure :
         {"gold with the reward", "steps by which gold is best before the reward",
          "change point of gold"}) {
      EXPECT_EQ(row(report, measure).reason, "a side does not change over the checkpoints");
      EXPECT_FALSE(row(report, measure).estimate) << measure;
    }
  }
}

// All prompts gain as much gold as proxy: of n prompts of one sign, by hand, p = 2^(1 - n).
TEST(Judge, TakesTheDirectionOfWhatDoesNotVaryFromTheSignTest) {
  testing::PlantedLog log = testing::NoiseWorld{.noise_variance = 0}.log();
  for (const auto& [prompts, verdict] :
       {std::pair(7U, Verdict::kInsufficient), std::pair(20U, Verdict::kAligned)}) {
    Stream stream(1, "same", prompts);
    log.prompts = prompts;
    const LinkReport report = report_of(log.draw(stream));
    const LinkRow later = row(report, "gold per proxy, later half");
    EXPECT_NEAR(*later.estimate, 1, 1e-9);
    EXPECT_FALSE(later.ci);
    EXPECT_DOUBLE_EQ(later.p, std::pow(2.0, 1.0 - prompts));
    EXPECT_EQ(later.verdict, verdict);
    EXPECT_NE(later.note.find("direction by the sign test"), std::string::npos);
    const LinkRow tau = row(report, "tau within prompts at the end");
    const double unseen = 3.841459 / (prompts + 3.841459);  // Wilson's share of none of n
    EXPECT_NEAR(tau.ci->low, 1 - 2 * unseen, 1e-6);
    EXPECT_EQ(tau.ci->high, 1);
  }
}

std::vector<EvalSeries> flat_evaluation(double change, const std::string& at = "") {
  EvalSeries series{"", "cloze", {}};
  Stream stream(3, "items", 0);
  for (std::size_t step = 0; step <= 100; step += 10) {
    EvalPoint point{.step = step, .n = 50, .ci = stats::Interval{0.4, 0.6}, .at = at};
    for (int i = 0; i < 50; ++i) {
      point.items[fmt::format("q{}", i)] = step == 100 ? change : 0.01 * stream.uniform();
    }
    point.score = 0.5 + 0.01 * stream.uniform();
    series.points.push_back(std::move(point));
  }
  return {series};
}

TEST(AlignmentTax, IsExcludedItemByItemWhereTheChangeIsSmall) {
  Stream stream(1, "tax", 0);
  const SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  const auto& same = row(report_of(table, flat_evaluation(0.005)), "cloze, end less start");
  EXPECT_EQ(same.verdict, Verdict::kDecoupled);
  EXPECT_EQ(same.n, 50U);
  EXPECT_NE(same.note.find("is excluded"), std::string::npos);
  const auto& worse = row(report_of(table, flat_evaluation(-0.2)), "cloze, end less start");
  EXPECT_EQ(worse.verdict, Verdict::kInverted);
}

TEST(Evaluations, OfStepsWithoutSamplesAreLeftOutAndSaidToBe) {
  Stream stream(1, "steps", 0);
  const SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  auto evaluations = flat_evaluation(0.005);
  EXPECT_EQ(row(report_of(table, evaluations), "cloze with the reward").note.find("left out"),
            std::string::npos);
  evaluations[0].points.push_back(evaluations[0].points.back());
  evaluations[0].points.back().step = 105;
  EXPECT_NE(row(report_of(table, evaluations), "cloze with the reward")
                .note.find("1 of 12 scores are of steps at which the run has no samples"),
            std::string::npos);
}

// Every item has one score before the last checkpoint and another there.
std::vector<EvalSeries> alike_evaluation(std::size_t items, double before, double after) {
  EvalSeries series{"", "cloze", {}};
  for (std::size_t step = 0; step <= 100; step += 10) {
    EvalPoint point{.step = step, .n = items};
    point.score = step == 100 ? after : before;
    for (std::size_t i = 0; i < items; ++i) point.items[fmt::format("q{}", i)] = point.score;
    series.points.push_back(std::move(point));
  }
  return {series};
}

// By hand: of n items none does otherwise, so at most Wilson's z^2 / (n + z^2) of all do, which for
// 20 items is 0.161125 and for 200 is 0.018845.
TEST(AlignmentTax, IsNotExcludedSinceFewItemsDoNotChange) {
  Stream stream(1, "tax", 0);
  const SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  const auto tax = [&](std::size_t items, double before, double after) {
    return row(report_of(table, alike_evaluation(items, before, after)), "cloze, end less start");
  };
  const LinkRow few = tax(20, 1, 1), many = tax(200, 1, 1), all = tax(20, 1, 0);
  EXPECT_EQ(*few.estimate, 0);
  EXPECT_NEAR(few.ci->low, -0.161125, 1e-6);
  EXPECT_NEAR(few.ci->high, 0.161125, 1e-6);
  EXPECT_TRUE(few.note.starts_with("no item changes; a change beyond 0.02 is not excluded"));
  EXPECT_EQ(few.verdict, Verdict::kInsufficient);
  EXPECT_NEAR(many.ci->high, 0.018845, 1e-6);
  EXPECT_EQ(many.verdict, Verdict::kDecoupled);
  EXPECT_NEAR(all.ci->low, -1, 1e-12);
  EXPECT_NEAR(all.ci->high, -1 + 2 * 0.161125, 1e-6);
  EXPECT_EQ(all.verdict, Verdict::kInverted);
}

TEST(AlignmentTax, OfScoresWithoutBoundsThatAllChangeAlikeHasNoInterval) {
  Stream stream(1, "tax", 0);
  const SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  const auto length = row(report_of(table, alike_evaluation(20, 30, 30)), "cloze, end less start");
  EXPECT_EQ(*length.estimate, 0);
  EXPECT_FALSE(length.ci);
  EXPECT_EQ(length.reason, "all items change alike, which does not say how sure that is");
}

TEST(Evaluations, AtTheirFloorAreLeftOutAndSaidToBe) {
  Stream stream(1, "floor", 0);
  const SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  const LinkReport report = report_of(table, flat_evaluation(0, "floor"));
  EXPECT_EQ(row(report, "cloze with the reward").reason, "at its floor: it has no room to move");
  EXPECT_EQ(report.verdicts[0].links[2], Verdict::kAligned);  // by the gold alone
}

}  // namespace
}  // namespace plumb::mismatch
