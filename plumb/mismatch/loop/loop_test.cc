#include "plumb/mismatch/loop/loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "plumb/base/files.h"
#include "plumb/mismatch/loop/loop_settings.h"
#include "plumb/mismatch/study_testing.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

// Two prompts of three samples; the first prompt repeats a completion.
std::vector<rlhf::Sample> six_samples() {
  std::vector<rlhf::Sample> samples;
  const std::pair<const char*, const char*> texts[] = {{"a", "x"}, {"a", "y"}, {"a", "x"},
                                                       {"b", "x"}, {"b", "y"}, {"b", "z"}};
  for (const auto& [prompt, completion] : texts) {
    rlhf::Sample& one = samples.emplace_back();
    one.prompt = prompt;
    one.completion = completion;
    one.tokens = 2;
    one.log_probability = -2;
  }
  return samples;
}

TEST(Questions, AreOfDistinctCompletionsOfOnePrompt) {
  const auto pairs = candidate_pairs(six_samples());
  ASSERT_EQ(pairs.size(), 1U + 3U);
  EXPECT_EQ(pairs[0].prompt, 0U);
  EXPECT_EQ(pairs[3].prompt, 1U);
}

// By hand: differences of pair (3, 4) are 1 and 3, variance 1; e^(-4 / 4) a token.
TEST(Questions, WeighVarianceByTheProbabilityOfAToken) {
  const auto samples = six_samples();
  auto pairs = candidate_pairs(samples);
  const std::vector<std::vector<double>> logits = {{0, 0, 0, 1, 0, 0}, {0, 0, 0, 3, 0, 0}};
  weigh_pairs(pairs, samples, logits);
  EXPECT_DOUBLE_EQ(pairs[0].worth(), 0);
  EXPECT_DOUBLE_EQ(pairs[1].variance, 1);
  EXPECT_DOUBLE_EQ(pairs[1].probability, std::exp(-1.0));
}

TEST(Questions, GoToEveryPromptBeforeASecondOfAny) {
  std::vector<QuestionPair> pairs = {
      {0, 1, 0, 5}, {0, 2, 0, 4}, {3, 4, 1, 1}, {6, 7, 2, 2}, {6, 8, 2, 3}};
  const auto chosen = choose_pairs(pairs, 4, Choosing::kVariance, Stream(1, "t", 0));
  ASSERT_EQ(chosen.size(), 4U);
  EXPECT_EQ(chosen[0].variance, 5);
  EXPECT_EQ(chosen[1].variance, 3);
  EXPECT_EQ(chosen[2].variance, 1);
  EXPECT_EQ(chosen[3].variance, 4);
  EXPECT_EQ(choose_pairs(pairs, 9, Choosing::kRandom, Stream(1, "t", 0)).size(), 5U);
  std::set<std::size_t> prompts;
  for (const auto& one : choose_pairs(pairs, 3, Choosing::kRandom, Stream(2, "t", 0))) {
    prompts.insert(one.prompt);
  }
  EXPECT_EQ(prompts.size(), 3U);
}

class LoopRun : public SmallStudyTest {
 protected:
  LoopOptions options(const fs::path& folder) const {
    LoopOptions o;
    o.base = {model_};
    o.folder = folder;
    o.gold = "length";
    o.rounds = 2;
    o.questions = 12;
    o.noise = 0.1;
    o.members = 2;
    o.epochs = 1;
    o.steps = 3;
    o.rate = 1e-3;
    o.training_prompts = 14;
    o.measured_prompts = 8;
    o.prompt_words = 3;
    o.samples = 4;
    o.max_tokens = 16;
    o.seed = 2;
    o.threads = 2;
    return o;
  }
  // Everybody who answers the task of a round as this says.
  std::string answer(const fs::path& task_file, const std::string& name, double choice) const {
    const auto task = tasks::read_task(task_file);
    EXPECT_TRUE(task) << task.error().message;
    tasks::AnswerSheet sheet;
    sheet.rater = "R1";
    for (std::size_t i = 0; i < task->items.size(); ++i) {
      sheet.answers.emplace_back(tasks::Answer{choice, 0});
    }
    const tasks::AnswerSheet sheets[] = {sheet};
    write(name, tasks::format_answers(*task, sheets));
    return (folder_ / name).string();
  }
};

TEST_F(LoopRun, TakenUpAfterAKillEndsWithTheSameBytesAndGoesOn) {
  LoopOptions whole = options(run_folder("whole"));
  const auto report = run_loop(whole, {});
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->rounds.size(), 2U);
  EXPECT_FALSE(report->waiting_for);
  EXPECT_EQ(report->rounds[0]["chosen_by"], "random");
  EXPECT_TRUE(report->rounds[0]["prequential"].contains("reason"));
  EXPECT_EQ(report->rounds[1]["chosen_by"], "variance");
  EXPECT_GE(report->rounds[1]["asked_variance"], report->rounds[1]["variance"]);
  EXPECT_EQ(report->rounds[1]["prequential"]["n"], 12);
  EXPECT_EQ(report->rounds[1]["policy"]["prompt_gold"].size(), 8U);
  EXPECT_GT(report->rounds[1]["trained_on"], report->rounds[0]["trained_on"]);

  // Reward models say in which folder their base lies: the loop is taken up where it was.
  const fs::path kept = folder_ / "kept";
  fs::copy(whole.folder, kept, fs::copy_options::recursive);
  for (const char* part : {"rounds/2/round.json", "rounds/2/models/1", "rounds/2/policy",
                           "rounds/2/answers.jsonl", "rounds/2/task.jsonl", "rounds.jsonl"}) {
    ASSERT_GT(fs::remove_all(whole.folder / part), 0U) << part;
  }
  whole.threads = 1;
  ASSERT_TRUE(run_loop(whole, {}));
  EXPECT_EQ(differing_files(kept, whole.folder), std::vector<std::string>());

  const auto begun = read_loop(whole.folder);
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(loop_manifest(*begun, "x"), loop_manifest(whole, "x"));
  whole.rounds = 3;
  const auto longer = run_loop(whole, {});
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->rounds[1], report->rounds[1]);
  EXPECT_EQ(longer->rounds.size(), 3U);
}

TEST_F(LoopRun, WaitsForPeopleAndLearnsWhatTheySaid) {
  LoopOptions o = options(run_folder("run"));
  o.people = true;
  o.gold = "";
  const auto first = run_loop(o, {});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->waiting_for, 1U);
  const std::string one = answer(first->task, "one.jsonl", 0);
  const std::string files[] = {one};
  ASSERT_TRUE(take_answers(o.folder, files));
  const auto second = run_loop(o, {});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->waiting_for, 2U);
  ASSERT_EQ(second->rounds.size(), 1U);
  EXPECT_TRUE(second->rounds[0]["as_gold"].is_null());
  EXPECT_TRUE(second->rounds[0]["policy"]["gold"].is_null());

  const auto again = take_answers(o.folder, files);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("these are answers to round 1; the loop waits for those to "
                                       "round 2"),
            std::string::npos)
      << again.error().message;
  const std::string ties[] = {answer(second->task, "two.jsonl", 2)};
  ASSERT_TRUE(take_answers(o.folder, ties));
  const auto third = run_loop(o, {});
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_EQ(third->rounds[1]["undecided"], 12);
  EXPECT_TRUE(third->rounds[1]["prequential"].contains("reason"));
  EXPECT_FALSE(third->waiting_for);
  EXPECT_NE(take_answers(o.folder, ties).error().message.find("no round waits"), std::string::npos);
}

TEST_F(LoopRun, RefusesWhatItCannotDo) {
  LoopOptions o = options(run_folder("run"));
  o.gold = "";
  EXPECT_EQ(run_loop(o, {}).error().kind, ErrorKind::kUsage);
  o.gold = "length";
  o.members = 1;
  EXPECT_NE(run_loop(o, {}).error().message.find("no variance"), std::string::npos);
  o.members = 2;
  o.rounds = 1;
  ASSERT_TRUE(run_loop(o, {}));
  EXPECT_NE(take_answers(o.folder, {}).error().message.find("they are simulated"),
            std::string::npos);
  o.questions = 13;
  EXPECT_NE(run_loop(o, {}).error().message.find("its questions is 12, not 13"), std::string::npos);
  EXPECT_EQ(read_loop(folder_ / "none").error().kind, ErrorKind::kNotFound);
  write("run/settings.json", "{\"model\": 3}");
  EXPECT_NE(read_loop(o.folder).error().message.find("\"model\" is missing or of another type"),
            std::string::npos);
}

}  // namespace
}  // namespace plumb::mismatch
