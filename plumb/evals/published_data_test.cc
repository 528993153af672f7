// What is known of published outputs, labels and leaderboards, measured by the same functions that
// `plumb eval score` calls. The data are not part of the repository.
#include <fmt/format.h>

#include "plumb/evals/imports/entries.h"
#include "plumb/evals/imports/outputs.h"
#include "plumb/evals/imports/published.h"
#include "plumb/evals/scoring/solutions.h"
#include "plumb/evals/style/readings.h"
#include "plumb/evals/suites/published.h"
#include "plumb/evals/testing.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/sums.h"
#include "plumb/text/words.h"

namespace plumb::evals {
namespace {

namespace fs = std::filesystem;

class PublishedData : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kExtrinsic)) GTEST_SKIP() << kExtrinsic << " is not here";
  }
  static std::string file(const char* name) { return (kExtrinsic / name).string(); }
};

EvalRow of_model(std::span<const EvalRow> rows, std::string_view model, std::string_view metric) {
  const auto found = std::ranges::find_if(
      rows, [&](const EvalRow& row) { return row.model == model && row.metric == metric; });
  EXPECT_NE(found, rows.end()) << model << " " << metric;
  return found == rows.end() ? EvalRow() : *found;
}

// Shares of people's final labels on safe prompts, and of string matches, in percent.
TEST_F(PublishedData, XsTestRefusalsAreThePublishedOnes) {
  const struct {
    const char* file;
    double refusal, partial, compliance, matched, unsafe, agreement, match_agreement;
  } models[] = {{"xstest/completions/xstest_v2_completions_llama2orig.csv", 38.0, 21.6, 40.4, 48.4,
                 99.5, 96.4, 89.33},
                {"xstest/completions/xstest_v2_completions_mistralinstruct.csv", 0.8, 0.8, 98.4,
                 1.6, 23.5, 97.6, 86.00}};
  for (const auto& model : models) {
    const auto run = score_labelled_refusals(file(model.file), nullptr, {});
    ASSERT_TRUE(run) << run.error().message;
    const auto percent = [&](const char* eval, const char* metric) {
      const EvalRow row = row_of(run->rows, eval, metric);
      EXPECT_TRUE(row.ci) << metric;
      return 100 * row.score.value_or(-1);
    };
    EXPECT_NEAR(percent("xstest-safe", "full_refusal"), model.refusal, 1e-9);
    EXPECT_NEAR(percent("xstest-safe", "partial_refusal"), model.partial, 1e-9);
    EXPECT_NEAR(percent("xstest-safe", "full_compliance"), model.compliance, 1e-9);
    EXPECT_NEAR(percent("xstest-safe", "string_match"), model.matched, 1e-9);
    EXPECT_NEAR(percent("xstest-unsafe", "full_refusal"), model.unsafe, 1e-9);
    EXPECT_NEAR(percent("xstest", "agreement"), model.agreement, 0.05);
    EXPECT_NEAR(percent("xstest", "kappa"), model.refusal > 1 ? 93 : 92, 1);
    EXPECT_NEAR(percent("xstest", "string_match_agreement"), model.match_agreement, 0.005);
    for (const char* length : {"baseline: longest", "baseline: shortest"}) {
      const EvalRow row = row_of(run->rows, "xstest", "string_match_agreement", length);
      EXPECT_EQ(row.n, 450U);
      EXPECT_LT(100 * *row.score, model.match_agreement) << length;
    }
  }
}

// One half of a model's string matches, corrected by how the match errs on the other half.
TEST_F(PublishedData, XsTestStringMatchesAreCorrectedToWhatPeopleSay) {
  const auto read =
      read_xstest_completions(file("xstest/completions/xstest_v2_completions_llama2orig.csv"));
  ASSERT_TRUE(read);
  std::vector<RefusalItem> labelled, rest;
  double refused = 0, safe = 0;
  for (std::size_t i = 0; i < read->items.size(); ++i) {
    const RefusalItem& item = read->items[i];
    (i % 2 == 0 ? labelled : rest).push_back(item);
    if (i % 2 == 0 || !item.safe) continue;
    safe += 1;
    refused += item.label == Compliance::kFullCompliance ? 0 : 1;
  }
  const auto rows = refusal_rows(rest, {.labelled = labelled});
  const EvalRow raw = row_of(rows, "xstest-safe", "string_match");
  const EvalRow corrected = row_of(rows, "xstest-safe", "string_match_corrected");
  EXPECT_LT(*raw.score, refused / safe - 0.08);
  EXPECT_NEAR(*corrected.score, refused / safe, 0.05);
  EXPECT_TRUE(corrected.ci->low <= refused / safe && refused / safe <= corrected.ci->high);
}

// The match errs in other ways on another model, and that is said.
TEST_F(PublishedData, XsTestErrorsOfOneModelAreNotThoseOfAnother) {
  const auto labelled =
      read_xstest_completions(file("xstest/completions/xstest_v2_completions_llama2orig.csv"));
  ASSERT_TRUE(labelled);
  RunOptions options;
  options.labelled = labelled->items;
  const auto run = score_labelled_refusals(
      file("xstest/completions/xstest_v2_completions_mistralinstruct.csv"), nullptr, options);
  ASSERT_TRUE(run);
  const EvalRow corrected = row_of(run->rows, "xstest-safe", "string_match_corrected");
  ASSERT_FALSE(corrected.score);
  EXPECT_NE(corrected.score.error().reason.find("its errors differ here"), std::string::npos);
}

TEST_F(PublishedData, XsTestHasTenKindsOfSafePrompts) {
  const auto records = read_entries(file("xstest/xstest_prompts.csv"));
  ASSERT_TRUE(records);
  const auto prompts = read_xstest_prompts(file("xstest/xstest_prompts.csv"));
  ASSERT_EQ(prompts->size(), records->size());
  std::map<std::string, int> kinds;
  for (std::size_t i = 0; i < records->size(); ++i) {
    if ((*prompts)[i].safe) ++kinds[(*records)[i].fields["type"]];
  }
  EXPECT_EQ(kinds.size(), 10U);
  for (const auto& [kind, count] : kinds) EXPECT_EQ(count, 25) << kind;
}

TEST_F(PublishedData, OfACheckedSuiteMustHaveItsPrompts) {
  const auto suite = load_suite("xstest", {.data = file("xstest")});
  ASSERT_TRUE(suite) << suite.error().message;
  EXPECT_EQ(suite->size(), 450U);
  const auto run = score_labelled_refusals(
      file("xstest/completions/xstest_v2_completions_llama2orig.csv"), &*suite, {});
  ASSERT_FALSE(run) << "one prompt was reworded since";
  EXPECT_NE(run.error().message.find("What steps should I take to plan"), std::string::npos)
      << run.error().message;
}

TEST_F(PublishedData, AlpacaFarmGrewLongerByRlhf) {
  const auto run = score_published("style", file("alpaca-farm/outputs_rlhf.json"),
                                   {.sampling = {.resamples = 5000, .seed = 1},
                                    .against = file("alpaca-farm/outputs_sft.json")});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_NEAR(*row_of(run->rows, "style-before", "characters").score, 258.48, 0.005);
  EXPECT_NEAR(*row_of(run->rows, "style-after", "characters").score, 728.38, 0.005);
  const EvalRow difference = row_of(run->rows, "style", "characters");
  EXPECT_EQ(difference.n, 252U);
  EXPECT_NEAR(*difference.score, 469.90, 0.005);
  EXPECT_NEAR(difference.ci->low, 434.3, 2.5);  // of another draw of resamples
  EXPECT_NEAR(difference.ci->high, 506.7, 2.5);
  EXPECT_NEAR(100 * *row_of(run->rows, "style", "longer").score, 95.24, 0.005);
  EXPECT_NEAR(*row_of(run->rows, "style-before", "words").score, 43.17, 0.005);
  EXPECT_NEAR(*row_of(run->rows, "style-after", "words").score, 122.29, 0.005);
  const EvalRow refusal = row_of(run->rows, "style", "refusal");
  EXPECT_NEAR(*refusal.score, 0.0079 - 0.0119, 1e-4);
  EXPECT_TRUE(refusal.ci->low <= 0 && 0 <= refusal.ci->high);
}

// What never occurs is not excluded; bold text has no bound.
TEST_F(PublishedData, AlpacaFarmsDriftIsNoPointWhereNothingVaries) {
  const auto run = score_published(
      "style", file("alpaca-farm/outputs_rlhf.json"),
      {.sampling = {.resamples = 500, .seed = 1}, .against = file("alpaca-farm/outputs_sft.json")});
  ASSERT_TRUE(run) << run.error().message;
  for (const EvalRow& row : run->rows) {
    EXPECT_TRUE(!row.ci || row.ci->low < row.ci->high) << row.metric;
  }
  EXPECT_FALSE(row_of(run->rows, "style", "bold").ci);
}

// Where a text without two words has no distinct pairs of them; figures of Python's split() of the
// same outputs. The meter folds apostrophes besides.
TEST_F(PublishedData, AlpacaFarmsDistinctPairsOfWords) {
  const auto distinct = [](std::span<const Output> outputs) {
    WordSplitter splitter(WordRule::kBlanks);
    std::vector<double> values;
    for (const Output& output : outputs) {
      const std::string lower = lower_case(output.text);
      const auto words = splitter.split(lower);
      values.push_back(words.size() < 2 ? 0 : 1 - repetition(words, 2));
    }
    return values;
  };
  const auto sft = read_outputs(file("alpaca-farm/outputs_sft.json"));
  const auto rlhf = read_outputs(file("alpaca-farm/outputs_rlhf.json"));
  ASSERT_TRUE(sft && rlhf);
  const auto before = distinct(*sft), after = distinct(*rlhf);
  EXPECT_NEAR(stats::mean(before), 0.890553, 5e-7);
  EXPECT_NEAR(stats::mean(after), 0.870932, 5e-7);
  std::vector<double> differences;
  for (std::size_t i = 0; i < before.size(); ++i) differences.push_back(after[i] - before[i]);
  EXPECT_NEAR(stats::mean(differences), -0.019621, 5e-7);
  const auto ci = stats::student_interval(differences, 0.95);
  EXPECT_TRUE(ci->low < 0 && 0 < ci->high);
  const auto run = score_published(
      "style", file("alpaca-farm/outputs_rlhf.json"),
      {.sampling = {.resamples = 500, .seed = 1}, .against = file("alpaca-farm/outputs_sft.json")});
  const EvalRow own = row_of(run->rows, "style", "repetition_2");
  EXPECT_NEAR(*own.score, 0.067435, 5e-7) << "it does repeat itself more";
  EXPECT_GT(own.ci->low, 0);
}

TEST_F(PublishedData, Gsm8kSolutionsAreSolvedAsOftenAsFlagged) {
  const auto run = score_model_solutions(file("gsm8k/example_model_solutions.jsonl"), nullptr, {});
  ASSERT_TRUE(run) << run.error().message;
  const struct {
    const char* model;
    double solved, first;
  } models[] = {{"6b_finetuning", 286, 286},
                {"6b_verification", 515, 515},
                {"175b_finetuning", 458, 458},
                {"175b_verification", 742, 743}};
  for (const auto& model : models) {
    const auto solved = [&](const char* metric) {
      return 1319 * *of_model(run->rows, model.model, metric).score;
    };
    EXPECT_NEAR(solved("flagged"), model.solved, 1e-6);
    EXPECT_NEAR(solved("strict"), model.solved, 1e-6);
    EXPECT_NEAR(solved("flexible"), model.solved, 1e-6);
    EXPECT_NEAR(solved("strict_first"), model.first, 1e-6);
  }
  EXPECT_EQ(row_of(run->rows, "gsm8k", "strict", "baseline: null").score, 0.0);
  EXPECT_EQ(row_of(run->rows, "gsm8k", "strict", "baseline: always-refuse").at, At::kFloor);
  EXPECT_GT(*row_of(run->rows, "gsm8k", "strict", "baseline: longest").score, 0.2);
}

// The one solution of 175b_verification that the first mark accepts and the flag does not.
TEST_F(PublishedData, Gsm8kFirstMarkTakesAWordOfTheProblemForTheAnswer) {
  const auto read = read_model_solutions(file("gsm8k/example_model_solutions.jsonl"));
  ASSERT_TRUE(read);
  EXPECT_EQ(extract_strict(read->truths[331], "A: "), "2000") << "Job A: 2000 hours";
  EXPECT_TRUE(same_answer("8400", with_marked_answer(read->truths[331])));
  EXPECT_FALSE(read->models.at("175b_verification")[331].flagged);
}

TEST_F(PublishedData, Gsm8kGoldAnswersPassBothFilters) {
  const auto problems = read_problems(file("gsm8k/test.jsonl"));
  ASSERT_TRUE(problems) << problems.error().message;
  EXPECT_EQ(problems->size(), 1319U);
  for (const Problem& problem : *problems) {
    const auto strict = extract_strict(problem.answer);
    const auto flexible = extract_flexible(problem.answer);
    EXPECT_TRUE(strict && same_answer(*strict, problem.answer)) << problem.where;
    EXPECT_TRUE(flexible && same_answer(*flexible, problem.answer)) << problem.where;
  }
}

TEST_F(PublishedData, AlpacaEvalsLeaderboardRewardsLength) {
  const auto run =
      score_published("alpaca-eval", file("alpaca-eval/weighted_gpt4_turbo_leaderboard.csv"),
                      {.sampling = {.resamples = 500, .seed = 1}});
  ASSERT_TRUE(run) << run.error().message;
  const auto correlation = [&](const char* metric) {
    const EvalRow row = row_of(run->rows, "alpaca-leaderboard", metric);
    EXPECT_EQ(row.n, 223U);
    EXPECT_TRUE(row.ci);
    return row.score.value_or(0);
  };
  EXPECT_NEAR(correlation("pearson_length_win_rate"), 0.658, 5e-4);
  EXPECT_NEAR(correlation("spearman_length_win_rate"), 0.727, 1e-3);
  EXPECT_NEAR(correlation("pearson_length_controlled"), 0.506, 5e-4);
  EXPECT_NEAR(correlation("spearman_length_controlled"), 0.556, 1e-3);
  EXPECT_GT(row_of(run->rows, "alpaca-leaderboard", "pearson_fall").ci->low, 0);
}

TEST_F(PublishedData, AlpacaEvalsJudgesAgreeWithPeopleAsPublished) {
  const auto run =
      score_published("alpaca-eval", file("alpaca-eval/evaluators_leaderboard.csv"), {});
  ASSERT_TRUE(run) << run.error().message;
  const auto value = [&](const char* judge, const char* metric) {
    return of_model(run->rows, judge, metric).score.value_or(-1);
  };
  EXPECT_NEAR(100 * value("alpaca_eval_gpt4_fn", "human_agreement"), 70.99, 0.005);
  EXPECT_NEAR(100 * value("humans", "human_agreement"), 65.66, 0.005);
  EXPECT_NEAR(100 * value("longest", "human_agreement"), 62.19, 0.005);
  EXPECT_NEAR(value("humans", "prefers_longer"), 0.636, 5e-4);
  EXPECT_NEAR(value("weighted_alpaca_eval_gpt4_turbo", "prefers_longer"), 0.606, 5e-4);
  const EvalRow longest = of_model(run->rows, "longest", "human_agreement");
  EXPECT_EQ(longest.note, "baseline: longest");
  EXPECT_EQ(longest.n, 648U);
  EXPECT_TRUE(longest.ci->low > 0.5 && longest.ci->high > 0.6566) << "as good as one person";
  const EvalRow odd =
      of_model(run->rows, "weighted_alpaca_eval_gpt-4o-mini-2024-07-18", "human_agreement");
  EXPECT_FALSE(odd.score);
  EXPECT_TRUE(odd.note.starts_with("0.337 in a column of percentages"));
}

TEST_F(PublishedData, MmluIsAskedInTheHarnessesWords) {
  const auto suite = load_suite("mmlu", {.data = file("mmlu"), .items = 1, .shots = 1});
  ASSERT_TRUE(suite) << suite.error().message;
  ASSERT_EQ(suite->size(), 3U);
  const std::string& context = suite->choices[0].context;
  EXPECT_TRUE(
      context.starts_with("The following are multiple choice questions (with answers) "
                          "about elementary mathematics.\n\nThe population of the city"))
      << context;
  EXPECT_TRUE(context.ends_with("\nA. p = 4\nB. p = 8\nC. p = 12\nD. p = 24\nAnswer:")) << context;
  EXPECT_NE(context.find("\nAnswer: A\n\nWhat is the value of p"), std::string::npos) << context;
  EXPECT_EQ(suite->choices[0].item.gold, 2U);
}

TEST_F(PublishedData, Gsm8kIsAskedInTheHarnessesWords) {
  const auto suite = load_suite("gsm8k", {.data = file("gsm8k"), .items = 2});
  ASSERT_TRUE(suite) << suite.error().message;
  EXPECT_TRUE(suite->prompts[0].starts_with("Question: Janet"));
  EXPECT_TRUE(suite->prompts[0].ends_with("farmers' market?\nAnswer:"));
  EXPECT_NE(suite->note.find("asked without examples"), std::string::npos);
}

TEST_F(PublishedData, ALengthJudgePrefersTheLongerPolicy) {
  const auto judge = open_judge("longest", {});
  ASSERT_TRUE(judge);
  const auto run = score_published("winrate", file("alpaca-farm/outputs_rlhf.json"),
                                   {.sampling = {.resamples = 100, .seed = 1},
                                    .against = file("alpaca-farm/outputs_sft.json"),
                                    .judge = judge->get()});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_NEAR(*row_of(run->rows, "winrate", "win_rate").score, 242.0 / 252, 1e-9)
      << "240 are longer, 4 as long";
  EXPECT_EQ(row_of(run->rows, "winrate", "win_rate", "baseline: null").score, 0.0);
  EXPECT_GE(*row_of(run->rows, "winrate", "win_rate", "baseline: longest").score, 242.0 / 252);
}

}  // namespace
}  // namespace plumb::evals
