#include "plumb/rlhf/policy/rollout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/rlhf/kl.h"
#include "plumb/rlhf/policy/learner.h"
#include "plumb/rlhf/policy/self_check.h"
#include "plumb/rlhf/policy/testing.h"

namespace plumb::rlhf {
namespace {

class Prompts : public PolicyTest {
 protected:
  std::string error_of(const std::string& text) const {
    write("prompts.jsonl", text);
    const auto read = read_prompts(folder_ / "prompts.jsonl", *model_, {});
    return read ? "" : read.error().message;
  }
};

TEST_F(Prompts, ComeFromJsonLinesAndFromTheBeginningsOfTextsOnceEach) {
  write("prompts.jsonl",
        "{\"prompt\":\"tom\"}\n\n{\"prompt\":\"mia\",\"id\":3}\n{\"prompt\":\"tom\"}\n");
  const auto lines = read_prompts(folder_ / "prompts.jsonl", *model_, {});
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 2U);
  EXPECT_EQ((*lines)[1].text, "mia");
  EXPECT_EQ((*lines)[1].tokens, *model_->encode("mia"));
  write("texts.txt", "tom saw  a kite\nit was fun\n\ntom saw  a ball\n\nmia\n");
  const auto texts = read_prompts(folder_ / "texts.txt", *model_, {.words = 3});
  ASSERT_TRUE(texts) << texts.error().message;
  ASSERT_EQ(texts->size(), 2U);
  EXPECT_EQ((*texts)[0].text, "tom saw  a");
  EXPECT_EQ((*texts)[1].text, "mia");
}

TEST_F(Prompts, MayBeAColumnOfATable) {
  write("prompts.csv", "id,prompt\n1,tom\n2,\"mia\nsaw\"\n");
  const auto read = read_prompts(folder_ / "prompts.csv", *model_, {});
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[1].text, "mia\nsaw");
  write("prompts.csv", "id,text\n1,tom\n");
  EXPECT_NE(read_prompts(folder_ / "prompts.csv", *model_, {})
                .error()
                .message.find("prompts.csv:2: \"prompt\" is missing"),
            std::string::npos);
}

TEST_F(Prompts, AreRefusedWithFileAndLine) {
  EXPECT_NE(
      error_of("\n[{\"prompt\":\"a\"},{\"prompt\":\"b\"}]").find("prompts.jsonl:2: a JSON array"),
      std::string::npos);
  EXPECT_NE(error_of("\n").find("prompts.jsonl: no text there"), std::string::npos);
  EXPECT_EQ(error_of("[sic] tom\n"), "");
  EXPECT_NE(error_of("{\"prompt\":\"a\"}\n{\"prompts\":\"b\"}\n").find("prompts.jsonl:2: "),
            std::string::npos);
  EXPECT_NE(error_of("{\"prompt\":\"a\"}\n[1]\n").find("prompts.jsonl:2: the line is not"),
            std::string::npos);
  const std::string beyond = error_of("{\"prompt\":\"" + std::string(40, 'a') + "\"}\n");
  EXPECT_NE(beyond.find("prompts.jsonl:1: the prompt has 42 tokens"), std::string::npos) << beyond;
}

TEST_F(Prompts, AreHeldOutByTheSeedAndTakenOnceAnEpoch) {
  const PromptSplit split = hold_out(prompts(20), 6, 3);
  EXPECT_EQ(split.training.size(), 14U);
  EXPECT_EQ(split.held_out.size(), 6U);
  for (const Prompt& one : split.held_out) {
    EXPECT_EQ(std::ranges::count(split.training, one), 0);
  }
  EXPECT_NE(hold_out(prompts(20), 6, 4).held_out, split.held_out);
  EXPECT_EQ(hold_out(prompts(2), 6, 4).training.size(), 1U);
  std::vector<std::size_t> seen;
  for (std::size_t step = 0; step < 7; ++step) {
    for (const std::size_t p : prompts_of_step(14, 4, step, 5)) seen.push_back(p);
  }
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<std::size_t> own(seen.begin() + static_cast<std::ptrdiff_t>(14 * epoch),
                                 seen.begin() + static_cast<std::ptrdiff_t>(14 * (epoch + 1)));
    std::ranges::sort(own);
    for (std::size_t i = 0; i < 14; ++i) EXPECT_EQ(own[i], i);
  }
}

class Rollouts : public PolicyTest {
 protected:
  Rollout drawn(const nn::Transformer& policy, int threads, std::size_t group = 3,
                std::size_t max_tokens = 12) {
    prompts_ = prompts(5);
    Scorer scorer(policy, model_->transformer, threads);
    return draw(*model_, nn::Generator(policy), scorer, pointers(prompts_),
                {.group = group, .max_tokens = max_tokens, .seed = 2, .threads = threads})
        .value();
  }
  std::vector<Prompt> prompts_;
};

TEST_F(Rollouts, KnowTheirTokensTextsAndEnds) {
  const Rollout rollout = drawn(model_->transformer, 1);
  ASSERT_EQ(rollout.size(), 15U);
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    const Sequence& one = rollout.batch.sequences()[i];
    EXPECT_EQ(std::vector(one.tokens.begin(),
                          one.tokens.begin() + static_cast<std::ptrdiff_t>(one.prompt)),
              rollout.prompt(i).tokens);
    EXPECT_TRUE(rollout.ended[i] != 0 || one.completion() == 12 || one.tokens.size() == 33);
    std::vector<TokenId> ids(one.tokens.begin() + static_cast<std::ptrdiff_t>(one.prompt),
                             one.tokens.end());
    if (rollout.ended[i] != 0) {
      EXPECT_TRUE(ids.back() == 1 || ids.back() == 2);
      ids.pop_back();
    }
    EXPECT_EQ(rollout.texts[i], *model_->tokenizer.decode(ids, {.continues = true}));
    EXPECT_EQ(rollout.batch.mask().length(i), one.completion());
  }
}

// Against logits of the generator, one sequence at a time, in double.
TEST_F(Rollouts, AreScoredTokenForTokenUnderBothModels) {
  const nn::Transformer policy = moved(0.05);
  const Rollout rollout = drawn(policy, 2);
  const nn::Generator ours(policy), theirs(model_->transformer);
  double kl_sum = 0;
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    const Sequence& one = rollout.batch.sequences()[i];
    const std::span<const TokenId> in(one.tokens.data(), one.tokens.size() - 1);
    const std::vector<float> p = ours.logits(in), q = theirs.logits(in);
    for (std::size_t t = 0; t < one.completion(); ++t) {
      const std::size_t at = (one.prompt - 1 + t) * lm::kLetterTokens;
      const std::vector<double> mine(
          p.begin() + static_cast<std::ptrdiff_t>(at),
          p.begin() + static_cast<std::ptrdiff_t>(at + lm::kLetterTokens));
      const std::vector<double> other(
          q.begin() + static_cast<std::ptrdiff_t>(at),
          q.begin() + static_cast<std::ptrdiff_t>(at + lm::kLetterTokens));
      const auto log_sum = [](const std::vector<double>& logits) {
        double sum = 0;
        for (const double logit : logits) sum += std::exp(logit);
        return std::log(sum);
      };
      const auto token = static_cast<std::size_t>(one.tokens[one.prompt + t]);
      const std::size_t cell = i * rollout.batch.tokens() + t;
      double entropy = 0;
      for (const double logit : mine) {
        entropy -= std::exp(logit - log_sum(mine)) * (logit - log_sum(mine));
      }
      EXPECT_NEAR(rollout.scores.log_probs[cell], mine[token] - log_sum(mine), 2e-5);
      EXPECT_NEAR(rollout.scores.reference[cell], other[token] - log_sum(other), 2e-5);
      EXPECT_NEAR(rollout.scores.kl[cell], exact_kl(mine, other), 2e-5);
      EXPECT_NEAR(rollout.scores.entropy[cell], entropy, 2e-5);
      EXPECT_NEAR(rollout.generated[cell], rollout.scores.log_probs[cell], 2e-5);
      kl_sum += rollout.scores.kl[cell];
    }
  }
  EXPECT_GT(kl_sum, 0.1);
}

TEST_F(Rollouts, AreTheSameWithAnyNumberOfThreads) {
  const nn::Transformer policy = moved(0.05);
  const Rollout one = drawn(policy, 1, 30), three = drawn(policy, 3, 30);
  EXPECT_EQ(one.texts, three.texts);
  EXPECT_EQ(one.scores.log_probs, three.scores.log_probs);
  EXPECT_EQ(one.scores.kl, three.scores.kl);
}

TEST_F(Rollouts, BecomeRecordsThatAreReadAgain) {
  Rollout rollout = drawn(moved(0.05), 1);
  LetterReward proxy('e'), gold('t');
  ASSERT_TRUE(reward_rollout(rollout, &proxy, &gold, 1));
  std::string lines;
  const auto samples = samples_of(rollout, 4);
  for (const Sample& sample : samples) lines += to_text(sample_json(sample)) + "\n";
  write("samples.jsonl", lines);
  const auto read = read_samples(folder_ / "samples.jsonl");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), samples.size());
  EXPECT_EQ((*read)[7].proxy, samples[7].proxy);
  EXPECT_EQ((*read)[7].kl, samples[7].kl);
  EXPECT_EQ((*read)[7].step, 4U);
  EXPECT_EQ((*read)[7].prompt, "c");
}

class SelfTesting : public PolicyTest {};

TEST_F(SelfTesting, PassesWhereTheSamplerDrawsFromWhatIsScored) {
  const auto all = prompts(20);
  const auto sound = self_test(*model_, all, {.completions = 400, .max_tokens = 16, .seed = 1});
  ASSERT_TRUE(sound) << sound.error().message;
  EXPECT_GT(sound->perturbed_kl, 0.01);
  EXPECT_NEAR(sound->perturbed_k1, sound->perturbed_kl, 0.5 * sound->perturbed_kl);
  EXPECT_LT(sound->generator_gap, 1e-4);
}

TEST_F(SelfTesting, FindsASamplerAtAnotherTemperature) {
  const auto all = prompts(20);
  for (const float temperature : {0.8F, 1.3F}) {
    const auto broken =
        self_test(*model_, all, {.completions = 400, .max_tokens = 16, .temperature = temperature});
    ASSERT_FALSE(broken) << temperature;
    EXPECT_EQ(broken.error().kind, ErrorKind::kInternal);
    EXPECT_NE(broken.error().message.find("the sampler does not draw from the distribution"),
              std::string::npos)
        << broken.error().message;
  }
}

// The rate of false alarms: at 4 standard errors about one in 10,000.
TEST_F(SelfTesting, SeldomStopsASoundTraining) {
  const auto all = prompts(20);
  std::size_t stopped = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    stopped += self_test(*model_, all, {.completions = 64, .max_tokens = 8, .seed = seed}) ? 0 : 1;
  }
  EXPECT_EQ(stopped, 0U);
}

}  // namespace
}  // namespace plumb::rlhf
