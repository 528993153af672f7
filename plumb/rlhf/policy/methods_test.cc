#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "plumb/rlhf/advantages.h"
#include "plumb/rlhf/policy/dpo.h"
#include "plumb/rlhf/policy/grpo.h"
#include "plumb/rlhf/policy/ppo.h"
#include "plumb/rlhf/policy/rloo.h"
#include "plumb/rlhf/policy/testing.h"

namespace plumb::rlhf {
namespace {

// A step at rate 0 without clipping leaves the weights as they are and a tenth of the gradient in
// the first moments; central differences of the loss along random directions must agree with it.
constexpr LearnerOptions kWatched = {
    .adam = {.beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-5F, .decay = 0, .clip = 0},
    .threads = 1};
constexpr float kFirstMomentShare = 0.1F;

class Methods : public PolicyTest {
 protected:
  // A learner whose policy is a little away from the reference, and completions that an older
  // policy drew, so that ratios are not 1.
  Methods() : all_(prompts(4)), learner_(*model_, kWatched) { set_policy(moved(0.03, 1)); }

  void set_policy(const nn::Transformer& to) {
    std::ranges::copy(to.values(), learner_.policy().values().begin());
    learner_.weights_changed();
  }

  Rollout drawn(std::size_t parts = 1) {
    return learner_
        .draw(pointers(all_),
              {.group = 3, .max_tokens = 9, .seed = 4, .parts = parts, .threads = 1})
        .value();
  }

  std::vector<double> rewards() const {
    std::vector<double> values(12);
    Stream stream(3, "rewards", 0);
    for (double& value : values) value = 2 * stream.uniform() - 1;
    return values;
  }

  // REQUIRES: `update` has just made its first step at rate 0.
  static std::vector<double> gradient_of(nn::Optimizer& optimizer) {
    std::vector<double> gradient;
    for (const float moment : optimizer.first().span()) {
      gradient.push_back(static_cast<double>(moment / kFirstMomentShare));
    }
    return gradient;
  }

  static void expect_gradient(nn::Transformer& model, const std::vector<double>& gradient,
                              const std::function<double()>& loss) {
    const std::vector<float> at(model.values().begin(), model.values().end());
    double norm = 0;
    for (const double value : gradient) norm += value * value;
    norm = std::sqrt(norm);
    ASSERT_GT(norm, 1e-3);
    for (std::uint64_t direction = 0; direction < 6; ++direction) {
      // The first along the gradient, the others at random.
      Stream stream(8, "direction", direction);
      std::vector<double> step(at.size());
      for (std::size_t i = 0; i < step.size(); ++i) {
        step[i] = direction == 0 ? gradient[i] / norm : 0.05 * (2 * stream.uniform() - 1);
      }
      constexpr double kStep = 2e-3;
      const auto loss_at = [&](double by) {
        for (std::size_t i = 0; i < at.size(); ++i) {
          model.values()[i] = at[i] + static_cast<float>(by * step[i]);
        }
        return loss();
      };
      const double numeric = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
      const double analytic = std::inner_product(step.begin(), step.end(), gradient.begin(), 0.0);
      EXPECT_NEAR(numeric, analytic, 0.01 * std::abs(analytic) + 0.002 * norm) << direction;
    }
    std::ranges::copy(at, model.values().begin());
  }

  std::vector<double> log_probs_now(const Rollout& rollout) {
    std::vector<double> values(rollout.batch.cells());
    for (std::size_t part = 0; part < rollout.batch.parts(); ++part) {
      learner_.log_probs(rollout.batch, part, values);
    }
    return values;
  }

  std::vector<Prompt> all_;
  Learner learner_;
};

TEST_F(Methods, SeeARatioOfExactlyOneAtTheirFirstStep) {
  const Rollout rollout = drawn();
  EXPECT_EQ(log_probs_now(rollout), rollout.scores.log_probs);
  const Rollout parts = drawn(2);
  EXPECT_EQ(log_probs_now(parts), parts.scores.log_probs);
}

// The whole of RLOO through the network, its penalty included, against the formula of the paper.
TEST_F(Methods, RlooFollowsTheGradientOfItsLoss) {
  const Rollout rollout = drawn();
  const std::vector<double> scores = rewards();
  const Update update = rloo_update(rollout, scores, 0.2, 0, {}, learner_);
  const std::vector<double> gradient = gradient_of(learner_.trainer().optimizer());
  std::vector<double> advantages(12);
  for (std::size_t i = 0; i < 12; ++i) {
    const auto penalised = [&](std::size_t j) {
      return scores[j] - 0.2 * (rollout.log_prob(j) - rollout.reference(j));
    };
    const std::size_t first = i / 3 * 3;
    double others = 0;
    for (std::size_t j = first; j < first + 3; ++j) others += j == i ? 0 : penalised(j) / 2;
    advantages[i] = penalised(i) - others;
  }
  expect_gradient(learner_.policy(), gradient, [&] {
    const std::vector<double> now = log_probs_now(rollout);
    double loss = 0;
    for (std::size_t i = 0; i < 12; ++i) {
      const auto row = rollout.batch.row(std::span(now), i);
      loss -= advantages[i] * std::accumulate(row.begin(), row.end(), 0.0) / 12;
    }
    return loss;
  });
  EXPECT_TRUE(std::isfinite(update.loss));
}

// GRPO away from the policy that sampled, where ratios and clips matter.
TEST_F(Methods, GrpoFollowsTheGradientOfItsLoss) {
  const Rollout rollout = drawn();
  const std::vector<double> scores = rewards();
  set_policy(moved(0.032, 1));
  Rollout old = rollout;  // as if drawn by the policy before
  old.scores.log_probs = log_probs_now(rollout);
  grpo_update(old, scores, 0.3, 0, {}, learner_);
  const std::vector<double> gradient = gradient_of(learner_.trainer().optimizer());
  std::vector<double> advantages(12), unused(rollout.batch.cells());
  group_normalised(scores, 3, {}, advantages);
  expect_gradient(learner_.policy(), gradient, [&] {
    return grpo_loss(rollout.batch.mask(), log_probs_now(rollout), old.scores.log_probs,
                     rollout.scores.reference, advantages, {.beta = 0.3}, unused)
        .value;
  });
}

TEST_F(Methods, PpoFollowsTheGradientsOfBothItsLosses) {
  const Rollout rollout = drawn();
  const std::vector<double> scores = rewards();
  ValueModel values(model_->transformer, kWatched);
  for (std::size_t i = 0; i < values.model().config().width; ++i) {
    values.model().at(values.model().layout().scalar)[i] = i % 2 == 0 ? 0.05F : -0.03F;
  }
  std::vector<double> first(rollout.batch.cells());
  values.values(rollout.batch, 0, first);
  const PpoOptions options{.value_weight = 1, .epochs = 1};
  const Update update = ppo_update(rollout, scores, 0.2, 0, options, learner_, values);
  // The lesson anew, from the pieces.
  std::vector<double> advantages(rollout.batch.cells()), returns = advantages, unused = advantages;
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    std::vector<double> earned(rollout.batch.sequences()[i].completion());
    token_rewards(scores[i], rollout.log_ratios(i), 0.2, earned);
    generalised_advantages(earned, rollout.batch.row(std::span(first), i), 1, 0.95,
                           rollout.batch.row(std::span(advantages), i),
                           rollout.batch.row(std::span(returns), i));
  }
  const TokenMask mask = rollout.batch.mask();
  whiten(advantages, mask.real, {});
  expect_gradient(learner_.policy(), gradient_of(learner_.trainer().optimizer()), [&] {
    return ppo_loss(mask, log_probs_now(rollout), rollout.scores.log_probs, advantages, 0.2, unused)
        .value;
  });
  expect_gradient(values.model(), gradient_of(values.trainer().optimizer()), [&] {
    std::vector<double> now(rollout.batch.cells());
    values.values(rollout.batch, 0, now);
    return value_loss(mask, now, first, returns, 0.2, 1, unused).value;
  });
  EXPECT_TRUE(update.more["explained"].is_number());
}

TEST_F(Methods, PpoLearnsWhatCompletionsEarn) {
  const Rollout rollout = drawn(2);
  std::vector<double> scores(12);
  for (std::size_t prompt = 0; prompt < 4; ++prompt) {
    std::ranges::fill(std::span(scores).subspan(3 * prompt, 3), static_cast<double>(prompt));
  }
  ValueModel values(model_->transformer, {.threads = 1});
  const PpoOptions options{.value_clip = 10, .value_weight = 1, .minibatches = 2};
  double first = 0, last = 0, explained = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const Update update = ppo_update(rollout, scores, 0, 0.003F, options, learner_, values);
    (i == 0 ? first : last) = update.more["value_loss"];
    explained = update.more["explained"];
  }
  EXPECT_LT(last, 0.1 * first);
  EXPECT_GT(explained, 0.8);
}

TEST_F(Methods, PpoStepsItsValuesAtARateOfTheirOwn) {
  const Rollout rollout = drawn();
  std::vector<double> moved;
  for (const float rate : {1.0F, 10.0F}) {
    Learner learner(*model_, {.threads = 1});
    ValueModel values(model_->transformer, {.threads = 1});
    const std::vector<float> before(values.model().values().begin(), values.model().values().end());
    ppo_update(rollout, rewards(), 0, 1e-4F, {.value_rate = rate, .epochs = 1}, learner, values);
    double squares = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto by = static_cast<double>(values.model().values()[i] - before[i]);
      squares += by * by;
    }
    moved.push_back(std::sqrt(squares));
    const auto policy = learner.policy().values();
    moved.push_back(static_cast<double>(std::accumulate(policy.begin(), policy.end(), 0.0F)));
  }
  EXPECT_NEAR(moved[2] / moved[0], 10, 0.1);
  EXPECT_EQ(moved[1], moved[3]) << "the policy's step has its own rate";
}

class Dpo : public Methods {
 protected:
  PreferenceData data(const std::string& text) const {
    write("pairs.jsonl", text);
    return read_preferences((folder_ / "pairs.jsonl").string(), {}).value();
  }
  static constexpr const char* kPairs =
      "{\"prompt\":\"tom\",\"chosen\":\" saw a ball\",\"rejected\":\" ran\"}\n"
      "{\"prompt\":\"mia\",\"chosen\":\" sat\",\"rejected\":\" sat and sat\"}\n"
      "{\"prompt\":\"ben\",\"chosen\":\" was glad\",\"rejected\":\" was sad\"}\n";
};

TEST_F(Dpo, EncodesPairsBehindTheirPromptAndCountsWhatTeachesNothing) {
  const auto encoded = encode_pairs(data(std::string(kPairs) +
                                         "{\"prompt\":\"x\",\"chosen\":\"a\",\"rejected\":\"a\"}\n"
                                         "{\"prompt\":\"x\",\"chosen\":\"a\",\"rejected\":\"\"}\n"
                                         "{\"prompt\":\"x\",\"chosen\":\"" +
                                         std::string(60, 'a') + "\",\"rejected\":\"b\"}\n"),
                                    *model_);
  ASSERT_TRUE(encoded) << encoded.error().message;
  ASSERT_EQ(encoded->pairs.size(), 3U);
  EXPECT_EQ(encoded->left_out.equal, 1U);
  EXPECT_EQ(encoded->left_out.empty, 1U);
  EXPECT_EQ(encoded->left_out.too_long, 1U);
  const Sequence& chosen = encoded->pairs[0].chosen;
  EXPECT_EQ(chosen.prompt, model_->encode("tom")->size());
  auto whole = *model_->encode("tom saw a ball");
  whole.push_back(2);
  EXPECT_EQ(chosen.tokens, whole);
  const auto none =
      encode_pairs(data("{\"prompt\":\"x\",\"chosen\":\"a\",\"rejected\":\"a\"}\n"), *model_);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("no pair to learn from: 0 undecided, 1 equal"),
            std::string::npos);
}

TEST_F(Dpo, FollowsTheGradientOfEachOfItsLosses) {
  const auto encoded = encode_pairs(data(kPairs), *model_);
  std::vector<const PreferencePair*> pairs;
  for (const PreferencePair& pair : encoded->pairs) pairs.push_back(&pair);
  for (const DpoKind kind : {DpoKind::kSigmoid, DpoKind::kIpo, DpoKind::kIpoPerToken,
                             DpoKind::kHinge, DpoKind::kRobust}) {
    const DpoOptions options{.kind = kind, .beta = 0.3, .flip_rate = 0.1};
    Learner learner(*model_, kWatched);
    const nn::Transformer away = moved(0.02, 5);
    std::ranges::copy(away.values(), learner.policy().values().begin());
    dpo_update(pairs, 0, options, learner);
    expect_gradient(learner.policy(), gradient_of(learner.trainer().optimizer()), [&] {
      double loss = 0;
      for (const PreferencePair* pair : pairs) {
        const SequenceBatch batch({pair->chosen, pair->rejected}, 1, 64);
        const TokenScores scores = learner.scorer().against_reference(batch);
        const auto sum = [&](const std::vector<double>& values, std::size_t i) {
          const auto row = batch.row(std::span(values), i);
          return std::accumulate(row.begin(), row.end(), 0.0);
        };
        loss += dpo_loss({sum(scores.log_probs, 0), sum(scores.log_probs, 1),
                          sum(scores.reference, 0), sum(scores.reference, 1),
                          pair->chosen.completion(), pair->rejected.completion()},
                         options)
                    .value /
                3;
      }
      return loss;
    });
  }
}

TEST_F(Dpo, LearnsWhatWasPreferred) {
  const auto encoded = encode_pairs(data(kPairs), *model_);
  std::vector<const PreferencePair*> pairs;
  for (const PreferencePair& pair : encoded->pairs) pairs.push_back(&pair);
  Learner learner(*model_, {.threads = 1});
  const Update first = dpo_update(pairs, 0.001F, {}, learner);
  EXPECT_NEAR(first.loss, std::log(2), 1e-12);
  EXPECT_EQ(first.more["accuracy"], 0.5);
  EXPECT_EQ(first.more["margin"], 0.0);
  EXPECT_EQ(first.more["chosen_kl"], 0.0);
  EXPECT_EQ(first.more["rejected_kl"], 0.0);
  Update last;
  for (int i = 0; i < 40; ++i) last = dpo_update(pairs, 0.001F, {}, learner);
  EXPECT_EQ(last.more["accuracy"], 1.0);
  EXPECT_LT(last.loss, 0.6);
  EXPECT_GT(last.more["chosen_log_ratio"], last.more["rejected_log_ratio"]);
  EXPECT_GT(last.more["chosen_kl"], 1e-4);
  EXPECT_GT(last.more["rejected_kl"], 1e-4);
}

}  // namespace
}  // namespace plumb::rlhf
