// plumb mismatch population, remedies and loop as a user runs them, on a little model that has just
// learnt the story language; people answer a round through a study.
#include "program.h"

namespace plumb {
namespace {

class RoundsCommand : public Program {
 protected:
  RoundsCommand() {
    EXPECT_EQ(run(fmt::format("lm stories -n 600 -o '{}'", path("stories"))).code, 0);
    const Outcome trained = run(fmt::format(
        "lm train '{0}/stories.txt' --tokenizer '{0}' --run '{1}' --width 32 --layers 2 --heads 4 "
        "--key-heads 2 --hidden 64 --context 96 --steps 60 --rate 6e-3 --warmup 10",
        path("stories"), path("lm")));
    EXPECT_EQ(trained.code, 0) << trained.error;
  }
  std::string model() const { return fmt::format("--model '{}'", path("lm/model")); }
};

TEST_F(RoundsCommand, CorrelateTheMetricsOfAPopulation) {
  const std::string command = fmt::format(
      "mismatch population {} --run '{}' --gold length --layers 1,2 --seeds 2 --epochs 1 "
      "--training-prompts 20 --validation-prompts 8 --prompts 8 --prompt-words 4 --samples 8 -n 4 "
      "--pairs 3 --max-tokens 24 --resamples 100 --noise 0.1 --data 0.5,1 ",
      model(), path("population"));
  const Outcome outcome = run(command + "--json");
  ASSERT_EQ(outcome.code, 0) << outcome.error;
  const Json report = Json::parse(outcome.out);
  EXPECT_EQ(report["schema"], "plumb.mismatch-population/1");
  EXPECT_EQ(report["models"], 8);
  EXPECT_EQ(report["correlations"].size(), 16U);
  const Outcome table = run(command + "--csv");
  EXPECT_EQ(std::ranges::count(table.out, '\n'), 1 + 8 + 1) << table.out;
  const Outcome text = run(command);
  EXPECT_NE(text.out.find("Over 8 reward models"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("Another head on"), std::string::npos) << text.out;
  expect_failure(command + "--people-noise 0.1", 5, "its people_noise is 0.25, not 0.1");
  expect_failure(
      fmt::format("mismatch population {} --run '{}' --seeds 1 --layers 1", model(), path("few")),
      2, "a population of 4 reward models");
}

TEST_F(RoundsCommand, CompareRemediesAtEqualCompute) {
  const Outcome outcome = run(fmt::format(
      "mismatch remedies {} --run '{}' --gold length --remedies kl-budget,value-guided "
      "--training-prompts 12 --prompts 8 --prompt-words 4 --pairs 3 --epochs 1 --steps 3 "
      "--max-tokens 24",
      model(), path("remedies")));
  ASSERT_EQ(outcome.code, 0) << outcome.error;
  for (const char* words :
       {"kl-budget", "value-guided: the base model stays as it is", "baseline", "Holm", "tokens"}) {
    EXPECT_NE(outcome.out.find(words), std::string::npos) << words << "\n" << outcome.out;
  }
}

TEST_F(RoundsCommand, AskPeopleThroughAStudyAndLearnWhatTheySay) {
  const Outcome first = run(fmt::format(
      "mismatch loop {} --run '{}' --gold length --people --rounds 2 --questions 10 "
      "--members "
      "2 --epochs 1 --steps 2 --training-prompts 12 --prompts 6 --prompt-words 4 --samples 3 "
      "--max-tokens 24 --json",
      model(), path("loop")));
  ASSERT_EQ(first.code, 0) << first.error;
  EXPECT_EQ(Json::parse(first.out)["waiting_for"], 1);
  for (const char* words :
       {"  plumb study invite round-1 --data ", "  plumb serve --data ",
        "  plumb study export round-1 --data ", "  plumb mismatch loop --run "}) {
    EXPECT_NE(first.error.find(words), std::string::npos) << words << "\n" << first.error;
  }

  std::string answers;
  for (int i = 1; i <= 10; ++i) {
    answers +=
        fmt::format("{{\"rater\":\"R1\",\"item\":\"round-1-question-{}\",\"choice\":\"{}\"}}\n", i,
                    i % 3 == 0 ? "B" : "A");
  }
  write("people.jsonl", answers);
  const std::string data = fmt::format("--data '{}'", path("loop/rounds/1/study.db"));
  const Outcome imported =
      run(fmt::format("study import round-1 '{}' {}", path("people.jsonl"), data));
  ASSERT_EQ(imported.code, 0) << imported.error;
  const Outcome exported =
      run(fmt::format("study export round-1 {} -o '{}'", data, path("export.jsonl")));
  ASSERT_EQ(exported.code, 0) << exported.error;

  const std::string go_on =
      fmt::format("mismatch loop --run '{}' --answers '{}'", path("loop"), path("export.jsonl"));
  const Outcome second = run(go_on + " --json");
  ASSERT_EQ(second.code, 0) << second.error;
  EXPECT_NE(second.error.find("10 answers of 1 annotators to 10 of 10 questions"),
            std::string::npos)
      << second.error;
  const Json report = Json::parse(second.out);
  EXPECT_EQ(report["waiting_for"], 2);
  ASSERT_EQ(report["rounds"].size(), 1U);
  EXPECT_EQ(report["rounds"][0]["answers"], 10);
  EXPECT_EQ(report["rounds"][0]["annotators"], 1);
  EXPECT_TRUE(fs::exists(path("loop/rounds/2/study.db")));
  expect_failure(go_on, 3, "these are answers to round 1; the loop waits for those to round 2");
  expect_failure(fmt::format("mismatch loop --run '{}' --questions 5", path("loop")), 2,
                 "--questions says what a loop is");
  expect_failure(fmt::format("mismatch loop --run '{}'", path("none")), 2,
                 "no loop was begun here");
}

}  // namespace
}  // namespace plumb
