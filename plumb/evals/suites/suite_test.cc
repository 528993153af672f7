#include "plumb/evals/suites/suite.h"

#include <fmt/format.h>

#include <cstdio>

#include <set>

#include "plumb/evals/suites/published.h"
#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

class Suites : public EvalFiles {};

TEST_F(Suites, OfPlumbsOwnHaveItemsThatCanBeAnswered) {
  for (const char* id : {"arithmetic", "cloze", "sycophancy"}) {
    const auto suite = load_suite(id, {});
    ASSERT_TRUE(suite) << suite.error().message;
    EXPECT_EQ(suite->size(), 200U) << id;
    for (const ChoicePrompt& prompt : suite->choices) {
      const auto& choices = prompt.item.choices;
      EXPECT_LT(prompt.item.gold, choices.size());
      EXPECT_EQ(std::set<std::string>(choices.begin(), choices.end()).size(), choices.size());
    }
  }
  const auto stories = load_suite("stories", {});
  ASSERT_TRUE(stories);
  const std::set<std::string> openings(stories->prompts.begin(), stories->prompts.end());
  EXPECT_EQ(openings.size(), stories->size());
}

TEST_F(Suites, OfArithmeticAreRight) {
  const auto suite = load_suite("arithmetic", {});
  for (const ChoicePrompt& prompt : suite->choices) {
    int a = 0, b = 0;
    char sign = 0;
    ASSERT_EQ(std::sscanf(prompt.context.c_str(), "%d %c %d =", &a, &sign, &b), 3);
    EXPECT_EQ(prompt.item.choices[prompt.item.gold], std::to_string(sign == '+' ? a + b : a - b));
  }
}

TEST_F(Suites, AreKnownByWhatTheyAsk) {
  const auto all = load_suite("cloze", {}), again = load_suite("cloze", {}),
             some = load_suite("cloze", {.items = 10});
  EXPECT_EQ(all->hash(), again->hash());
  EXPECT_NE(all->hash(), some->hash());
}

TEST_F(Suites, AreNamedWhereTheyAreMistyped) {
  EXPECT_EQ(load_suite("gsm8", {}).error().message,
            "there is no suite \"gsm8\"; did you mean \"gsm8k\"? (`plumb eval list` names them "
            "all)");
  EXPECT_EQ(load_suite("lm-eval", {}).error().message,
            "lm-eval has nothing to ask: it scores what was written before, `plumb eval score "
            "lm-eval --outputs FILE`");
  EXPECT_EQ(load_suite("mmlu", {}).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(load_suite("cloze", {.data = "x"}).error().kind, ErrorKind::kUsage);
}

TEST_F(Suites, RefuseAnnotationsThatHaveNoPreference) {
  const auto file = write("rb.json", R"({"subset":["shp"],"scores_chosen":[1]})");
  const auto scored = score_published("alpaca-eval", file, {});
  ASSERT_FALSE(scored);
  EXPECT_EQ(scored.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(scored.error().message.find("none of 1 records has a \"preference\""),
            std::string::npos);
}

TEST_F(Suites, SayWhichSubsetsOfRewardBenchAreMissing) {
  const auto run = score_published(
      "rewardbench",
      write("s.json", R"({"subset":["hep-go"],"scores_chosen":[2],"scores_rejected":[1]})"), {});
  ASSERT_TRUE(run) << run.error().message;
  ASSERT_EQ(run->notes.size(), 2U);
  EXPECT_TRUE(run->notes[0].starts_with("What a reward of length alone gets is not known"));
  EXPECT_TRUE(run->notes[1].starts_with("22 of 23 subsets are missing")) << run->notes[1];
}

TEST_F(Suites, OfRewardBenchHaveTheRewardsThatAreLengthAlone) {
  const char* files[][2] = {
      {"texts.json",
       R"({"subset":["hep-go","hep-go"],"scores_chosen":[1,2],"scores_rejected":[2,1],
           "text_chosen":["long one","x"],"text_rejected":["short","\u00e9\u00e9"]})"},
      {"texts.jsonl",
       "{\"subset\":\"hep-go\",\"score_chosen\":1,\"score_rejected\":2,"
       "\"chosen\":[{\"role\":\"user\",\"content\":\"Q\"},"
       "{\"role\":\"assistant\",\"content\":\"long one\"}],"
       "\"rejected\":[{\"role\":\"assistant\",\"content\":\"short\"}]}\n"
       "{\"subset\":\"hep-go\",\"score_chosen\":2,\"score_rejected\":1,"
       "\"chosen\":\"x\",\"rejected\":\"xy\"}\n"}};
  for (const auto& [name, text] : files) {
    const auto run = score_published("rewardbench", write(name, text), {});
    ASSERT_TRUE(run) << run.error().message;
    for (const char* note : {"baseline: longest", "baseline: shortest"}) {
      EXPECT_EQ(row_of(run->rows, "rewardbench", "hep-go", note).score, 0.5) << name;
      EXPECT_EQ(row_of(run->rows, "rewardbench", "total", note).score, 0.5) << name;
    }
  }
}

TEST_F(Suites, OfProblemsTakeExamplesFromBesideThem) {
  write("test.jsonl", "{\"question\":\"Q1?\",\"answer\":\"So 3.\\n#### 3\"}\n");
  write("train.jsonl", "{\"question\":\"T?\",\"answer\":\"#### 1\"}\n");
  const auto suite = load_suite("gsm8k", {.data = folder_});
  ASSERT_TRUE(suite) << suite.error().message;
  EXPECT_EQ(suite->prompts[0], "Question: T?\nAnswer: #### 1\n\nQuestion: Q1?\nAnswer:");
  EXPECT_EQ(suite->questions[0], "Q1?");
  write("test.jsonl", "{\"question\":\"Q1?\",\"answer\":\"three\"}\n");
  EXPECT_FALSE(load_suite("gsm8k", {.data = folder_}));
}

TEST_F(Suites, OfProblemsScoreOutputsOfSeveralModels) {
  write("test.jsonl",
        "{\"question\":\"Q1?\",\"answer\":\"#### 3\"}\n{\"question\":\"Q2?\",\"answer\":\"#### "
        "4\"}\n");
  const auto suite = load_suite("gsm8k", {.data = folder_, .shots = 0});
  ASSERT_TRUE(suite);
  const auto file = write(
      "o.jsonl",
      "{\"model\":\"a\",\"question\":\"Q1?\",\"output\":\"It is #### 3\"}\n"
      "{\"model\":\"a\",\"question\":\"Q2?\",\"output\":\"It is 4. Question: #### 9\"}\n"
      "{\"model\":\"b\",\"question\":\"Q2?\",\"output\":\"five\"}\n"
      "{\"model\":\"b\",\"question\":\"Q1?\",\"output\":\"#### 3, at long last, I think\"}\n");
  const auto run = score_answers(*suite, file, {});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->rows[0].model, "a");
  EXPECT_EQ(run->rows[0].score, 0.5);
  EXPECT_EQ(run->rows[1].score, 1.0);
  EXPECT_EQ(run->rows[2].score, 0.5);
  EXPECT_EQ(row_of(run->rows, "gsm8k", "flexible", "baseline: longest").score, 1.0);
  EXPECT_EQ(row_of(run->rows, "gsm8k", "flexible", "baseline: shortest").score, 0.5);
  EXPECT_EQ(row_of(run->rows, "gsm8k", "flexible", "baseline: constant").score, 0.5);
  EXPECT_FALSE(
      score_answers(*suite, write("p.jsonl", "{\"question\":\"Q1?\",\"output\":\"\"}\n"), {}));
}

// Steps of a run at d = 0, 1, 2 whose completions grow by ten characters each.
TEST_F(Suites, OfStyleFollowARun) {
  std::string text;
  for (int step = 0; step < 3; ++step) {
    for (int p = 0; p < 10; ++p) {
      text += fmt::format(
          "{{\"step\":{},\"prompt\":\"p{}\",\"completion\":\"{}\",\"kl\":{},\"ended\":true}}\n",
          step, p, std::string(static_cast<std::size_t>(20 + 10 * step + p), 'x'), step * step);
    }
  }
  const auto run = score_published("style", write("samples.jsonl", text), {});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_NEAR(*row_of(run->rows, "style", "slope_characters").score, 10, 1e-9);
  const EvalRow first = row_of(run->rows, "style", "characters");
  EXPECT_EQ(first.model, "step 1");
  EXPECT_EQ(first.score, 10.0);
  EXPECT_EQ(score_published("style", write("one.jsonl", text.substr(0, text.find('\n'))), {})
                .error()
                .kind,
            ErrorKind::kUsage);
}

TEST_F(Suites, OfAnnotationsHaveWinRatesAndRatings) {
  std::string text = "[";
  for (int i = 0; i < 40; ++i) {
    for (const char* model : {"a", "b"}) {
      const double preference = (i % 3 == 0) == (model[0] == 'a') ? 1.9 : 1.2;
      text += fmt::format(
          "{}\n{{\"instruction\":\"i{}\",\"output_1\":\"{}\",\"generator_1\":\"ref\","
          "\"output_2\":\"{}\",\"generator_2\":\"{}\",\"preference\":{}}}",
          text.size() > 1 ? "," : "", i, std::string(20, 'r'),
          std::string(static_cast<std::size_t>(10 + i), 'o'), model, preference);
    }
  }
  const auto run = score_published("alpaca-eval", write("annotations.json", text + "]"),
                                   {.sampling = {.resamples = 200}});
  ASSERT_TRUE(run) << run.error().message;
  const EvalRow win = row_of(run->rows, "alpaca-eval", "win_rate");
  EXPECT_EQ(win.model, "a");
  EXPECT_NEAR(*win.score, (14 * 0.9 + 26 * 0.2) / 40, 1e-12);
  EXPECT_TRUE(row_of(run->rows, "alpaca-eval", "length_controlled_win_rate").ci);
  EXPECT_EQ(std::ranges::count(run->rows, "rating", &EvalRow::metric), 3);
}

}  // namespace
}  // namespace plumb::evals
