#include "plumb/rlhf/policy/policy_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "plumb/base/files.h"
#include "plumb/lm/run_lines.h"
#include "plumb/rlhf/policy/best_of_n.h"
#include "plumb/rlhf/policy/testing.h"

namespace plumb::rlhf {
namespace {

class PolicyRuns : public PolicyTest {
 protected:
  // Pairs prefer what the reward counts.
  PolicyRuns() : split_(hold_out(prompts(24), 6, 0)) {
    for (const Prompt& prompt : split_.training) {
      Sequence chosen{prompt.tokens, prompt.tokens.size()}, rejected = chosen;
      const TokenId e = model_->encode("e")->back(), t = model_->encode("t")->back();
      chosen.tokens.insert(chosen.tokens.end(), {e, e, e, 2});
      rejected.tokens.insert(rejected.tokens.end(), {t, t, e, 2});
      pairs_.push_back({chosen, rejected});
    }
  }

  PolicyOptions options(const std::string& run, Method method = Method::kRloo) const {
    PolicyOptions o;
    o.method = method;
    o.run = folder_ / run;
    o.steps = 8;
    o.prompts = 4;
    o.pairs = 8;
    o.group = 4;
    o.max_tokens = 10;
    o.schedule.rate = 0.003F;
    o.beta = 0.01;
    o.evaluate_every = 3;
    o.save_every = 2;
    o.evaluation_group = 2;
    o.threads = 1;
    return o;
  }
  Result<PolicyReport> train(const PolicyOptions& options, Reward* gold = nullptr) {
    return train_on(proxy_, options, gold);
  }
  Result<PolicyReport> train_on(Reward& proxy, const PolicyOptions& options,
                                Reward* gold = nullptr) {
    return train_policy({.start = *model_,
                         .tokenizer = folder_ / "tokenizer.bin",
                         .training = split_.training,
                         .held_out = split_.held_out,
                         .proxy = &proxy,
                         .gold = gold,
                         .pairs = pairs_},
                        options);
  }
  std::vector<std::string> bytes(const std::string& run) const {
    std::vector<std::string> all;
    for (const char* file : {"manifest.json", "events.jsonl", "evaluations.jsonl", "samples.jsonl",
                             "state.safetensors", "model/model.safetensors"}) {
      all.push_back(*read_file(folder_ / run / file));
    }
    return all;
  }

  PromptSplit split_;
  std::vector<PreferencePair> pairs_;
  LetterReward proxy_{'e'};
};

TEST_F(PolicyRuns, RaiseTheirRewardAndMoveAwayFromTheReference) {
  PolicyOptions o = options("run");
  o.steps = 40;
  o.prompts = o.group = 8;
  o.beta = 0;
  o.evaluation_group = 8;
  o.evaluate_every = 20;
  LetterReward gold('e');
  const auto report = train(o, &gold);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->end, RunEnd::kSteps);
  ASSERT_EQ(report->evaluations.size(), 3U);
  const Json &first = report->evaluations.front(), &last = report->evaluations.back();
  EXPECT_EQ(first["kl"], 0.0);
  EXPECT_EQ(first["k1"], 0.0);
  EXPECT_GT(last["kl"], 0.05);
  EXPECT_GT(last["proxy_ci"][0], first["proxy_ci"][1]);
  EXPECT_EQ(last["gold"], last["proxy"]);
  const auto samples = read_samples(folder_ / "run" / "samples.jsonl");
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(samples->size(), 3U * 6 * 8);
  // The same prompts at each checkpoint.
  EXPECT_EQ(samples->front().step, 0U);
  EXPECT_EQ(samples->back().step, 40U);
  for (std::size_t i = 0; i < 48; ++i) EXPECT_EQ((*samples)[i].prompt, (*samples)[i + 96].prompt);
  const auto trained = lm::load_language_model({folder_ / "run" / "model"});
  ASSERT_TRUE(trained) << trained.error().message;
}

class PolicyRunsOf : public PolicyRuns, public testing::WithParamInterface<Method> {};

TEST_P(PolicyRunsOf, TakenUpAfterAKillGiveTheBytesOfARunThatWasNot) {
  ASSERT_TRUE(train(options("whole", GetParam())));
  for (const std::size_t kill : {1UL, 5UL, 7UL}) {
    const std::string name = fmt::format("killed{}", kill);
    PolicyOptions killed = options(name, GetParam());
    killed.stop_after = kill;
    const auto part = train(killed);
    ASSERT_TRUE(part) << part.error().message;
    EXPECT_EQ(part->end, RunEnd::kUnfinished);
    PolicyOptions again = options(name, GetParam());
    again.threads = 2;
    const auto rest = train(again);
    ASSERT_TRUE(rest) << rest.error().message;
    EXPECT_EQ(rest->resumed_from > 0, kill > 1);
    EXPECT_EQ(bytes(name), bytes("whole"));
  }
  const auto nothing = train(options("whole", GetParam()));
  ASSERT_TRUE(nothing) << nothing.error().message;
  EXPECT_EQ(nothing->resumed_from, 8U);
}

TEST_P(PolicyRunsOf, MoveTowardsWhatIsWanted) {
  PolicyOptions o = options("run", GetParam());
  o.steps = o.evaluate_every = 30;
  o.prompts = o.group = 8;
  o.evaluation_group = 16;
  o.beta = 0;
  o.schedule.rate = GetParam() == Method::kPpo ? 0.001F : 0.003F;
  o.dpo.beta = 0.05;
  const auto report = train(o);
  ASSERT_TRUE(report) << report.error().message;
  const Json &first = report->evaluations.front(), &last = report->evaluations.back();
  EXPECT_EQ(first["kl"], 0.0);
  EXPECT_GT(last["kl"], 0.05);
  if (GetParam() == Method::kDpo) {
    EXPECT_GT(last["proxy"], 2 * first["proxy"].get<double>()) << to_text(last);
  } else {
    EXPECT_GT(last["proxy_ci"][0], first["proxy_ci"][1]) << to_text(last);
  }
  EXPECT_NEAR(last["k1"], last["kl"], 0.5 * last["kl"].get<double>());
}

INSTANTIATE_TEST_SUITE_P(Each, PolicyRunsOf,
                         testing::Values(Method::kRloo, Method::kGrpo, Method::kPpo, Method::kDpo),
                         [](const auto& one) { return std::string(method_name(one.param)); });

TEST_F(PolicyRuns, FollowTheirKlTargetAcrossAKill) {
  const auto with_target = [&](const std::string& name) {
    PolicyOptions o = options(name);
    o.beta = 0.1;
    o.kl_target = 0.01;
    o.kl_horizon = 64;
    return o;
  };
  ASSERT_TRUE(train(with_target("whole")));
  PolicyOptions killed = with_target("killed");
  killed.stop_after = 5;
  ASSERT_TRUE(train(killed));
  ASSERT_TRUE(train(with_target("killed")));
  EXPECT_EQ(bytes("killed"), bytes("whole"));
  const auto events = lm::keep_lines_before(folder_ / "whole" / "events.jsonl", 100);
  ASSERT_TRUE(events);
  EXPECT_EQ((*events)[0]["beta"], 0.1);
  EXPECT_NE((*events)[7]["beta"], 0.1);
}

TEST_F(PolicyRuns, EndWhereTheirBudgetIsSpent) {
  PolicyOptions o = options("run");
  o.steps = 200;
  o.beta = 0;
  o.kl_budget = 0.05;
  const auto report = train(o);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->end, RunEnd::kBudget);
  EXPECT_LT(report->steps, 100U);
  EXPECT_EQ(report->evaluations.back()["step"], report->steps);
  EXPECT_TRUE(std::filesystem::exists(report->model / "model.safetensors"));
  const auto before = bytes("run");
  const auto again = train(o);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->steps, report->steps);
  EXPECT_EQ(bytes("run"), before);
}

TEST_F(PolicyRuns, StopWhereTheGradientIsNotFinite) {
  PolicyOptions wild = options("run");
  wild.schedule.rate = 1e20F;  // the first step throws the weights out of all proportion
  const auto stopped = train(wild);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(stopped.error().message.find("the gradient is not finite at step 2"), std::string::npos)
      << stopped.error().message;
  EXPECT_NE(stopped.error().message.find("no state was saved"), std::string::npos);
  for (const char* model : {"model", "last-good"}) {
    EXPECT_FALSE(std::filesystem::exists(folder_ / "run" / model)) << model;
  }
}

// Sound until it was asked so often; then its differences are beyond what weights can follow.
class FailingReward : public LetterReward {
 public:
  explicit FailingReward(std::size_t sound) : LetterReward('e'), sound_(sound) {}
  Result<std::vector<double>> score(std::span<const Completed> texts, int threads) override {
    auto scores = LetterReward::score(texts, threads);
    if (scores && asked_++ >= sound_) {
      for (double& score : *scores) score *= 1e60;
    }
    return scores;
  }

 private:
  std::size_t sound_, asked_ = 0;
};

TEST_F(PolicyRuns, ThatStopLeaveTheLastGoodPolicyAsAModel) {
  PolicyOptions o = options("run");
  o.evaluate_every = 1;
  o.keep_checkpoints = true;
  // Each step asks twice: for what it learns from and for what it is measured on.
  FailingReward failing(10);
  const auto stopped = train_on(failing, o);
  ASSERT_FALSE(stopped);
  const std::string& message = stopped.error().message;
  EXPECT_NE(message.find("the gradient is not finite at step 6"), std::string::npos) << message;
  const std::filesystem::path kept = folder_ / "run" / "last-good";
  EXPECT_NE(
      message.find("the policy of step 4, the last that was saved and good, is " + kept.string()),
      std::string::npos)
      << message;
  const auto policy = lm::load_language_model({kept});
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_TRUE(std::ranges::all_of(policy->transformer.values(),
                                  [](float value) { return std::isfinite(value); }));
  EXPECT_EQ(*read_file(kept / "model.safetensors"),
            *read_file(folder_ / "run" / "checkpoints" / "4" / "model.safetensors"));
  EXPECT_NE(*read_file(kept / "model.safetensors"),
            *read_file(folder_ / "run" / "checkpoints" / "0" / "model.safetensors"));
}

TEST_F(PolicyRuns, StopWhereTheDivergenceIsNoNumberAndKeepTheLastGoodState) {
  PolicyOptions part = options("run");
  part.save_every = 1;
  part.stop_after = 5;
  ASSERT_TRUE(train(part));
  // A moment that is no number: the weights of the next step are none.
  const std::filesystem::path file = folder_ / "run" / "state.safetensors";
  std::string state = *read_file(file);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::size_t parameters = model_->transformer.layout().size;
  const std::size_t first_moments = state.size() - 3 * parameters * sizeof(float);
  state.replace(first_moments + (parameters - 1) * sizeof(float), sizeof(float),
                reinterpret_cast<const char*>(&nan), sizeof(float));
  ASSERT_TRUE(write_file_atomic(file, state));
  PolicyOptions rest = options("run");
  rest.save_every = 1;
  const auto stopped = train(rest);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(stopped.error().message.find("the KL divergence is no number at step 5"),
            std::string::npos)
      << stopped.error().message;
  EXPECT_EQ(*read_file(file), state);  // that of step 4, as it was read
  // Its moments are no good, its parameters are: they are what is kept.
  EXPECT_TRUE(lm::load_language_model({folder_ / "run" / "last-good"}));
}

TEST_F(PolicyRuns, OfAnotherConfigurationAreRefusedWithTheDifference) {
  PolicyOptions o = options("run");
  o.stop_after = 1;
  ASSERT_TRUE(train(o));
  o.beta = 0.5;
  const auto other = train(o);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBusy);
  EXPECT_NE(other.error().message.find("its beta is 0.01, not 0.5"), std::string::npos)
      << other.error().message;
}

// Less 1 where a limit cut the completion: the penalty of Ziegler et al. (2019) as a reward.
class Penalised : public LetterReward {
 public:
  Penalised() : LetterReward('e') {}
  Result<std::vector<double>> score(std::span<const Completed> texts, int threads) override {
    auto scores = LetterReward::score(texts, threads);
    for (std::size_t i = 0; scores && i < texts.size(); ++i) {
      if (!texts[i].ended) (*scores)[i] -= 1;
    }
    return scores;
  }
};

TEST_F(PolicyRuns, TakeThePenaltyOffTheRewardOfWhatALimitCut) {
  const auto weights = [&](const std::string& run, double penalty, Reward& proxy) {
    PolicyOptions o = options(run);
    o.missing_end_penalty = penalty;
    o.max_tokens = 28;
    const auto report = train_on(proxy, o);
    EXPECT_TRUE(report) << report.error().message;
    // Some are cut and some are not, and what is reported is the reward without the penalty.
    const double ended = report->evaluations.front()["ended"];
    EXPECT_GT(ended, 0);
    EXPECT_LT(ended, 1);
    return *read_file(folder_ / run / "model" / "model.safetensors");
  };
  Penalised penalised;
  const std::string without = weights("without", 0, proxy_);
  EXPECT_EQ(weights("option", 1, proxy_), weights("reward", 0, penalised));
  EXPECT_NE(weights("half", 0.5, proxy_), weights("option", 1, proxy_));
  EXPECT_NE(without, weights("option", 1, proxy_));
}

TEST_F(PolicyRuns, AreStoppedByTheSelfTest) {
  PolicyOptions o = options("run");
  o.temperature = 1.5F;
  const auto stopped = train(o);
  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().message.find("self-test of the policy training"), std::string::npos)
      << stopped.error().message;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run" / "events.jsonl") &&
               !read_file(folder_ / "run" / "events.jsonl")->empty());
}

TEST_F(PolicyRuns, RefuseARewardThatIsNoNumber) {
  class Broken : public LetterReward {
   public:
    Broken() : LetterReward('e') {}
    Result<std::vector<double>> score(std::span<const Completed> texts, int) override {
      return std::vector<double>(texts.size(), std::numeric_limits<double>::quiet_NaN());
    }
  } broken;
  const auto stopped = train(options("run"), &broken);
  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().message.find("is not finite"), std::string::npos);
}

using Values = std::vector<double>;

class BestOfN : public PolicyRuns {
 protected:
  Result<BestOfNReport> best(const std::string& run, std::size_t stop_after, int threads,
                             std::size_t n = 8) {
    return best_of_n({.start = *model_,
                      .tokenizer = folder_ / "tokenizer.bin",
                      .training = split_.training,
                      .held_out = split_.held_out,
                      .proxy = &proxy_,
                      .gold = &gold_},
                     {.run = folder_ / run,
                      .n = n,
                      .max_tokens = 10,
                      .chunk = 5,
                      .threads = threads,
                      .stop_after = stop_after});
  }
  std::vector<Sample> samples(const std::string& run, const char* file) const {
    return *read_samples(folder_ / run / file);
  }
  // Student's interval of 24 values; the quantile of 23 degrees is from tables: 2.06866.
  static void expect_student(const std::optional<stats::Interval>& ci, const Values& values) {
    double mean = 0, squares = 0;
    for (const double value : values) mean += value / 24;
    for (const double value : values) squares += (value - mean) * (value - mean);
    const double half = 2.06866 * std::sqrt(squares / 23 / 24);
    ASSERT_TRUE(ci);
    EXPECT_NEAR(ci->low, mean - half, 1e-5 * half);
    EXPECT_NEAR(ci->high, mean + half, 1e-5 * half);
  }
  LetterReward gold_{'t'};
};

TEST_F(BestOfN, KeepsTheHighestProxyOfEachPrompt) {
  const auto report = best("run", 0, 1);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->finished);
  const auto all = samples("run", "samples.jsonl"), kept = samples("run", "best.jsonl");
  ASSERT_EQ(all.size(), 24U * 8);
  ASSERT_EQ(kept.size(), 24U);
  double mean = 0, gold = 0;
  Values means(24), best_ones;
  for (std::size_t p = 0; p < 24; ++p) {
    double highest = -1;
    for (std::size_t i = 8 * p; i < 8 * (p + 1); ++i) {
      EXPECT_EQ(all[i].prompt, kept[p].prompt);
      highest = std::max(highest, *all[i].proxy);
      means[p] += *all[i].proxy / 8;
    }
    best_ones.push_back(highest);
    EXPECT_EQ(kept[p].proxy, highest);
    mean += highest / 24;
    gold += *kept[p].gold / 24;
  }
  EXPECT_NEAR(report->best_proxy, mean, 1e-12);
  EXPECT_NEAR(report->best_gold.value(), gold, 1e-12);
  EXPECT_GT(report->best_proxy, report->proxy);
  expect_student(report->proxy_ci, means);
  expect_student(report->best_proxy_ci, best_ones);
  EXPECT_LE(report->gold_ci->low, *report->gold);
  EXPECT_GE(report->best_gold_ci->high, *report->best_gold);
  EXPECT_TRUE(report->ties);
  EXPECT_NEAR(report->kl, std::log(8) - 7.0 / 8, 1e-12);
}

TEST_F(BestOfN, TakenUpAfterAKillGivesTheSameBytes) {
  ASSERT_TRUE(best("whole", 0, 1));
  ASSERT_TRUE(best("killed", 2, 1));
  // A kill between the samples of a chunk and its event.
  const auto file = folder_ / "killed" / "samples.jsonl";
  ASSERT_TRUE(write_file_atomic(file, *read_file(file) + "{\"step\":0,\"prom"));
  const auto rest = best("killed", 0, 2);
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(rest->resumed_from, 2U);
  for (const char* name : {"manifest.json", "events.jsonl", "samples.jsonl", "best.jsonl"}) {
    EXPECT_EQ(*read_file(folder_ / "killed" / name), *read_file(folder_ / "whole" / name)) << name;
  }
  const auto other = best("whole", 0, 1, 4);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("its n is 8, not 4"), std::string::npos);
}

}  // namespace
}  // namespace plumb::rlhf
