// plumb mismatch chain as a user runs it, on a little model that has just learnt the story
// language.
#include <sstream>

#include "program.h"

namespace plumb {
namespace {

class ChainCommand : public Program {
 protected:
  ChainCommand() {
    EXPECT_EQ(run(fmt::format("lm stories -n 1500 -o '{}'", path("stories"))).code, 0);
    const Outcome trained = run(fmt::format(
        "lm train '{0}/stories.txt' --tokenizer '{0}' --run '{1}' --width 32 --layers 3 --heads 4 "
        "--key-heads 2 --hidden 64 --context 96 --steps 120 --rate 6e-3 --warmup 10",
        path("stories"), path("lm")));
    EXPECT_EQ(trained.code, 0) << trained.error;
  }
  std::string chain(const std::string& folder, const std::string& more) const {
    return fmt::format(
        "mismatch chain --model '{}' --run '{}' --prompts 10 --training-prompts 20 --samples 16 "
        "--max-tokens 32 --pairs 4 --steps 6 {}",
        path("lm/model"), path(folder), more);
  }
  std::vector<double> proxies(const std::string& file) const {
    std::vector<double> scores;
    std::istringstream lines(bytes(file));
    for (std::string line; std::getline(lines, line);) {
      scores.push_back(Json::parse(line)["proxy"].get<double>());
    }
    return scores;
  }
  // Two members: the mean lies between the worse one and the other, which is twice the mean less
  // it.
  void expect_combined(const std::string& folder) const {
    const auto one = proxies(folder + "layers-2.jsonl"),
               mean = proxies(folder + "ensemble-mean.jsonl"),
               worst = proxies(folder + "ensemble-worst.jsonl"),
               uncertain = proxies(folder + "ensemble-uncertain.jsonl");
    ASSERT_EQ(one.size(), 160U);
    std::size_t first_is_worse = 0;
    for (std::size_t i = 0; i < one.size(); ++i) {
      const double other = 2 * mean[i] - one[i];
      ASSERT_NEAR(worst[i], std::min(one[i], other), 1e-9);
      const double variance = (one[i] - mean[i]) * (one[i] - mean[i]);
      ASSERT_NEAR(uncertain[i], mean[i] - 0.5 * variance, 1e-9);
      first_is_worse += one[i] < other ? 1 : 0;
    }
    EXPECT_GT(first_is_worse, 0U);
    EXPECT_LT(first_is_worse, one.size());
  }
  std::string bytes(const std::string& file) const { return *read_file(path(file)); }
};

TEST_F(ChainCommand, EndsWithTheGoldOfEveryOptimiserAndTheSameBytesAfterAKill) {
  const Outcome whole = run(chain("whole", "--members 2 --json --threads 2"));
  ASSERT_EQ(whole.code, 0) << whole.error;
  const Json report = Json::parse(whole.out);
  EXPECT_EQ(report["schema"], "plumb.mismatch-measure/1");
  // Three sizes, three combinations of the ensemble, four methods.
  ASSERT_EQ(report["runs"].size(), 10U);
  expect_combined("whole/samples/");
  // What was cut off: the last method, a reward model, the scores of one proxy.
  fs::create_directories(path("killed"));
  fs::copy(path("whole"), path("killed"), fs::copy_options::recursive);
  for (const char* part : {"policies/dpo", "policies/ppo/model", "samples/layers-2.jsonl",
                           "proxies/layers-3/model", "preferences.jsonl"}) {
    fs::remove_all(path(std::string("killed/") + part));
  }
  const Outcome killed = run(chain("killed", "--members 2 --threads 1"));
  ASSERT_EQ(killed.code, 0) << killed.error;
  EXPECT_NE(killed.out.find("ensemble-worst"), std::string::npos) << killed.out;
  for (const char* file :
       {"texts.txt", "preferences.jsonl", "samples/layers-2.jsonl", "samples/ensemble-mean.jsonl",
        "policies/dpo/samples.jsonl", "policies/ppo/model/model.safetensors"}) {
    EXPECT_EQ(bytes(std::string("whole/") + file), bytes(std::string("killed/") + file)) << file;
  }
}

TEST_F(ChainCommand, LearnsAGoldModelWhereTheTruthIsOne) {
  const Outcome outcome = run(chain("gold", "--gold-model --methods rloo,grpo --members 1 --csv"));
  ASSERT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_TRUE(fs::exists(path("gold/gold/model/reward.json")));
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1 + 3 + 2) << outcome.out;
  EXPECT_EQ(outcome.out.find("ensemble"), std::string::npos) << outcome.out;
}

TEST_F(ChainCommand, RefusesWhatItCannotRun) {
  ASSERT_EQ(run(chain("run", "--methods rloo --members 1")).code, 0);
  expect_failure(chain("run", "--methods rloo --members 1 --noise 0.1"), 5,
                 "the folder holds another run: its noise is 0.25, not 0.1");
  expect_failure(chain("few", "--prompt-words 1"), 3, "different beginnings of 1 words");
  expect_failure(chain("odd", "--gold world:joy"), 3, "no planted gold is named \"joy\"");
}

}  // namespace
}  // namespace plumb
