// The whole chain from a label to every weight against central differences, and the number that a
// model of ties learns.
#include "plumb/rlhf/reward/reward_step.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/base/random.h"
#include "plumb/nn/testing.h"

namespace plumb::rlhf {
namespace {

nn::Transformer scalar_decoder(nn::Architecture architecture) {
  nn::TransformerConfig config = nn::tiny_decoder(architecture).config();
  config.language_head = config.tied = false;
  config.scalar_head = true;
  nn::Transformer model(config);
  nn::initialise(model, 2);
  for (float& value : model.values()) value *= value == 1.0F ? 1.0F : 12.0F;
  const auto head = nn::random_floats(config.width, 9, 0.4);
  std::ranges::copy(head, model.at(model.layout().scalar));
  return model;
}

std::vector<EncodedText> random_texts(std::size_t count) {
  std::vector<EncodedText> texts;
  for (std::size_t i = 0; i < count; ++i) {
    Stream stream(3, "texts", i);
    EncodedText text;
    for (std::uint32_t t = 0; t < 4 + 2 * i; ++t) {
      text.tokens.push_back(static_cast<TokenId>(stream.below(31)));
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

const std::vector<PairLabel> kLabels = {
    {1, 0, 0, 2}, {0, 1, 0, 0}, {0.25, 0.25, 0.5, 1}, {0, 0, 1, 3}};
constexpr std::size_t kBatch = 6;  // of which these four are a part

// Four pairs, or for Plackett and Luce a ranking of three and one of five.
TextGroups groups_of(bool rankings) {
  if (rankings) return {{0, 3, 8}, {}};
  return {{0, 2, 4, 6, 8}, kLabels};
}

struct Case {
  const char* name;
  RewardLossOptions loss = {};
  bool rankings = false;
};

class Chain : public testing::TestWithParam<Case> {};

TEST_P(Chain, IsTheDerivativeOfTheLossByEveryTensor) {
  const RewardLossOptions& loss = GetParam().loss;
  for (const auto architecture : {nn::Architecture::kLlama, nn::Architecture::kGpt2}) {
    nn::Transformer model = scalar_decoder(architecture);
    const auto texts = random_texts(2 * kLabels.size());
    const TextGroups groups = groups_of(GetParam().rankings);
    nn::Pass pass(model, 200, nn::PassKind::kTraining);
    std::vector<float> gradient(model.layout().size), ignored(model.layout().size);
    const StepSums step =
        add_group_gradient(pass, model, texts, groups.view(), loss, kBatch, gradient);
    const auto mean_loss = [&] {
      return add_group_gradient(pass, model, texts, groups.view(), loss, kBatch, ignored).loss /
             kBatch;
    };
    EXPECT_DOUBLE_EQ(mean_loss(), step.loss / kBatch);
    for (std::size_t p = 0; p < model.layout().parameters.size(); ++p) {
      const nn::Parameter& parameter = model.layout().parameters[p];
      const auto direction = nn::random_floats(parameter.size, 100 + p);
      const std::span<float> values = model.values().subspan(parameter.offset, parameter.size);
      const std::vector<float> before(values.begin(), values.end());
      double squares = 0, expected = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        squares += static_cast<double>(direction[i] * direction[i]);
        expected +=
            static_cast<double>(direction[i]) * static_cast<double>(gradient[parameter.offset + i]);
      }
      const double step_size = 4e-3 / std::sqrt(squares);
      const auto moved = [&](double by) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          values[i] = before[i] + static_cast<float>(by * static_cast<double>(direction[i]));
        }
        return mean_loss();
      };
      const double slope = (moved(step_size) - moved(-step_size)) / (2 * step_size);
      std::ranges::copy(before, values.begin());
      EXPECT_NEAR(slope, expected, 5e-4 * std::sqrt(squares) + 0.01 * std::abs(expected))
          << GetParam().name << " " << parameter.name;
    }
  }
}

TEST_P(Chain, GivesTheSlopeOfTheTieParameter) {
  RewardLossOptions loss = GetParam().loss;
  if (loss.ties == TieHandling::kHalfWins) return;
  const nn::Transformer model = scalar_decoder(nn::Architecture::kLlama);
  const auto texts = random_texts(2 * kLabels.size());
  const TextGroups groups = groups_of(false);
  nn::Pass pass(model, 200, nn::PassKind::kTraining);
  std::vector<float> ignored(model.layout().size);
  const auto at = [&](double by) {
    RewardLossOptions moved = loss;
    moved.log_tie_parameter += by;
    return add_group_gradient(pass, model, texts, groups.view(), moved, kBatch, ignored);
  };
  EXPECT_NEAR((at(1e-5).loss - at(-1e-5).loss) / 2e-5, at(0).tie_slope, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Losses, Chain,
    testing::Values(Case{"bradley-terry"}, Case{"margin", {.margin = 0.5}},
                    Case{"smoothed", {.label_smoothing = 0.1}},
                    Case{"noise-robust", {.flip_rate = 0.2}},
                    Case{"centred", {.centre = 0.3, .decay = 0.1}},
                    Case{"rao-kupper", {.ties = TieHandling::kRaoKupper, .log_tie_parameter = 0.6}},
                    Case{"davidson", {.ties = TieHandling::kDavidson, .log_tie_parameter = -0.4}},
                    Case{"plackett-luce", {}, true}),
    [](const auto& one) {
      std::string name = one.param.name;
      std::erase(name, '-');
      return name;
    });

TEST(Steps, LeaveTheBiasOfTheHeadAloneWhereOnlyDifferencesCount) {
  const nn::Transformer model = scalar_decoder(nn::Architecture::kLlama);
  const auto texts = random_texts(2 * kLabels.size());
  const TextGroups groups = groups_of(false);
  nn::Pass pass(model, 200, nn::PassKind::kTraining);
  std::vector<float> plain(model.layout().size), centred(model.layout().size);
  add_group_gradient(pass, model, texts, groups.view(), {}, kBatch, plain);
  add_group_gradient(pass, model, texts, groups.view(), {.centre = 0.3}, kBatch, centred);
  EXPECT_EQ(plain[model.layout().scalar_bias], 0.0F);
  EXPECT_NE(centred[model.layout().scalar_bias], 0.0F);
}

TEST(Steps, CountVotesForTheHigherScore) {
  RightVotes step;
  step.count(1, {1, 0, 0});
  step.count(-1, {0.75, 0, 0.25});
  step.count(0, {1, 0, 0});
  step.count(1, {0, 1, 0});
  step.count(2, {0.2, 0.6, 0.2});
  EXPECT_DOUBLE_EQ(step.decided, 4);
  EXPECT_DOUBLE_EQ(step.right, 1 + 0.25 + 0.5 + 0.5);
}

// At equal scores P(tie) = (theta - 1) / (theta + 1), nu / (2 + nu).
TEST(TieParameters, BeginWhereTheDataAre) {
  const double share = 0.3;
  const double theta = std::exp(TieParameter(TieHandling::kRaoKupper, share, 0).value());
  EXPECT_NEAR((theta - 1) / (theta + 1), share, 1e-12);
  const double nu = std::exp(TieParameter(TieHandling::kDavidson, share, 0).value());
  EXPECT_NEAR(nu / (2 + nu), share, 1e-12);
  EXPECT_NEAR(TieParameter(TieHandling::kRaoKupper, share, 0.7).value(), 0.7, 1e-12);
  EXPECT_NEAR(TieParameter(TieHandling::kDavidson, share, -1.5).value(), -1.5, 1e-12);
}

// With all scores equal the likelihood is highest where P(tie) is the share of ties.
TEST(TieParameters, LearnTheShareOfTies) {
  for (const auto ties : {TieHandling::kRaoKupper, TieHandling::kDavidson}) {
    TieParameter parameter(ties, 0.9, 0);
    for (std::size_t i = 1; i <= 4000; ++i) {
      double slope = 0;
      for (const auto& [outcome, share] : {std::pair(PairOutcome::kWin, 0.35),
                                           {PairOutcome::kTie, 0.2},
                                           {PairOutcome::kLoss, 0.45}}) {
        slope +=
            share * (ties == TieHandling::kDavidson ? davidson(0, parameter.value(), outcome)
                                                    : rao_kupper(0, parameter.value(), outcome))
                        .tie_slope;
      }
      parameter.step(slope, std::max(0.0, 1 - static_cast<double>(i) / 4000), i);
    }
    const double value = std::exp(parameter.value());
    EXPECT_NEAR(ties == TieHandling::kDavidson ? value / (2 + value) : (value - 1) / (value + 1),
                0.2, 1e-3);
  }
}

TEST(TieParameters, ComeBackFromTheirNoteToTheBit) {
  TieParameter one(TieHandling::kRaoKupper, 0.2, 0), two(TieHandling::kRaoKupper, 0.5, 0);
  one.step(0.3, 1, 1);
  one.step(-0.1, 0.7, 2);
  ASSERT_TRUE(two.read(one.text()));
  one.step(0.2, 0.5, 3);
  two.step(0.2, 0.5, 3);
  EXPECT_EQ(one.text(), two.text());
  for (const char* wrong : {"", "[1,2]", "[1,2,\"x\"]", "{}"}) EXPECT_FALSE(two.read(wrong));
}

}  // namespace
}  // namespace plumb::rlhf
