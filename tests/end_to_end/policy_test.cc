// plumb policy as a user runs it: a little model learns to write what a reward asks for, by each
// method; samples; what is refused.
#include "killed.h"
#include "plumb/base/version.h"
#include "plumb/lm/testing.h"
#include "program.h"

namespace plumb {
namespace {

class Policy : public Program {
 protected:
  Policy() {
    write("tokenizer.bin", lm::letters_tokenizer());
    write("stories.txt", lm::stories(300));
    const Outcome trained = run(fmt::format(
        "lm train '{}' --tokenizer '{}' --run '{}' --width 32 --layers 2 --heads 4 --key-heads 2 "
        "--hidden 48 --context 48 --steps 60 --batch 8 --rate 0.01 --warmup 5",
        path("stories.txt"), path("tokenizer.bin"), path("lm")));
    EXPECT_EQ(trained.code, 0) << trained.error;
  }
  // What `more` does not set has these values.
  std::string train(const std::string& method, const std::string& more) const {
    std::string command = fmt::format(
        "policy train --method {} --model '{}' --prompts '{}' --words 2 --held-out 2 --run '{}' "
        "--gold word:kite --batch 4 --max-tokens 24 --seed 3 {}",
        method, path("lm/model"), path("stories.txt"), path(method), more);
    if (more.find("--reward") == std::string::npos) command += " --reward length";
    if (more.find("--samples") == std::string::npos) command += " --samples 8";
    return command;
  }
};

TEST_F(Policy, LearnsByEachMethodAndGivesTheSameBytesOnAnyThreads) {
  write("pairs.jsonl",
        "{\"prompt\":\"tom saw\",\"chosen\":\" a kite\",\"rejected\":\" a ball\"}\n"
        "{\"prompt\":\"mia saw\",\"chosen\":\" a kite\",\"rejected\":\" the cat\"}\n");
  for (const char* method : {"rloo", "grpo", "ppo", "dpo"}) {
    const std::string pairs =
        method == std::string("dpo") ? fmt::format("--preferences '{}'", path("pairs.jsonl")) : "";
    const std::string command = train(method, "--steps 6 --evaluate-every 3 --rate 0.002 " + pairs);
    const Outcome trained = run(command + " --json --threads 2");
    ASSERT_EQ(trained.code, 0) << trained.error;
    const Json report = Json::parse(trained.out);
    EXPECT_EQ(report["schema"], "plumb.policy-train/1");
    EXPECT_EQ(report["version"].get<std::string>(), kVersion);
    EXPECT_EQ(report["first"]["kl"], 0.0);
    EXPECT_GT(report["last"]["kl"], 0.0);
    const std::string folder = path(method);
    const std::string samples = *read_file(folder + "/samples.jsonl");
    const std::string weights = *read_file(folder + "/model/model.safetensors");
    std::filesystem::remove_all(folder);
    const Outcome again = run(command + " --threads 1");
    ASSERT_EQ(again.code, 0) << again.error;
    EXPECT_NE(again.out.find("held-out prompts"), std::string::npos) << again.out;
    EXPECT_EQ(*read_file(folder + "/samples.jsonl"), samples);
    EXPECT_EQ(*read_file(folder + "/model/model.safetensors"), weights);
  }
}

TEST_F(Policy, IsTakenUpWhereItWasKilled) {
  const std::string command = train("rloo", "--steps 30 --save-every 2 --rate 0.002");
  ASSERT_EQ(run(command).code, 0);
  const std::string whole = *read_file(path("rloo/model/model.safetensors"));
  std::filesystem::remove_all(path("rloo"));
  ASSERT_TRUE(killed_at_events(command, path("rloo"), path("rloo/model"), {15, 8, 4}));
  const Outcome rest = run(command + " --json");
  ASSERT_EQ(rest.code, 0) << rest.error;
  EXPECT_GE(Json::parse(rest.out)["resumed_from"], 2);
  EXPECT_EQ(*read_file(path("rloo/model/model.safetensors")), whole);
  expect_failure(train("rloo", "--steps 31"), 5, "its steps is 30, not 31");
  expect_failure(train("rloo", "--steps 30 --save-every 2 --rate 0.0001"), 5,
                 "its rate is 0.002, not 0.0001");
}

TEST_F(Policy, SamplesAndChoosesTheBest) {
  const Outcome best = run(train("best-of-n", "--json"));
  ASSERT_EQ(best.code, 0) << best.error;
  const Json report = Json::parse(best.out);
  EXPECT_GE(report["best_proxy"], report["proxy"]);
  for (const std::string name : {"proxy", "best_proxy", "gold", "best_gold"}) {
    const Json& ci = report[name + "_ci"];
    ASSERT_EQ(ci.size(), 2U) << name;
    EXPECT_LE(ci[0], report[name]) << name;
    EXPECT_GE(ci[1], report[name]) << name;
  }
  const std::string sample =
      fmt::format("policy sample --model '{}' --prompts '{}' --words 2 --samples 3 --reward length",
                  path("lm/model"), path("stories.txt"));
  const Outcome drawn = run(sample);
  ASSERT_EQ(drawn.code, 0) << drawn.error;
  const Json first = Json::parse(drawn.out.substr(0, drawn.out.find('\n')));
  EXPECT_TRUE(first["proxy"].is_number());
  EXPECT_FALSE(first.contains("kl"));
  const Outcome beside = run(sample + fmt::format(" --reference '{}'", path("lm/model")));
  const Json measured = Json::parse(beside.out.substr(0, beside.out.find('\n')));
  EXPECT_EQ(measured["kl"], 0.0);
  EXPECT_EQ(measured["log_probability"], measured["reference_log_probability"]);
}

TEST_F(Policy, NamesWhatIsWrongWithItsInput) {
  expect_failure(train("rloo", "--reward lenght"), 4, "no reward is called");
  expect_failure(train("dpo", ""), 2, "--preferences");
  expect_failure(train("rloo", "--preferences x.jsonl"), 2,
                 "--preferences is what dpo learns from");
  write("odd.jsonl", "{\"prompt\":\"a\"}\n{\"text\":\"b\"}\n");
  expect_failure(
      fmt::format("policy sample --model '{}' --prompts '{}'", path("lm/model"), path("odd.jsonl")),
      3, "odd.jsonl:2: ");
  expect_failure(train("rloo", "--samples 1"), 2, "at least 2");
  expect_failure(train("grpo", "--samples 1"), 2, "grpo compares the completions of a prompt");
  expect_failure(
      fmt::format("policy train --model '{}' --prompts '{}' --reward length --run '{}' --steps 1 "
                  "--held-out 100000",
                  path("lm/model"), path("stories.txt"), path("held")),
      2, "some must stay to learn from");
  write("one.jsonl", "{\"prompt\":\"tom\"}\n");
  expect_failure(fmt::format("policy train --model '{}' --prompts '{}' --reward length --run '{}'",
                             path("lm/model"), path("one.jsonl"), path("held")),
                 3, "one.jsonl: holds 1 prompt");
}

}  // namespace
}  // namespace plumb
