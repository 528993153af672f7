// A reward model against a forward of its own, its files, and what it refuses. Weights and texts
// are made here.
#include "plumb/rlhf/reward/reward_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/lm/testing.h"
#include "plumb/nn/pass.h"

namespace plumb::rlhf {
namespace {

class RewardModels : public lm::LanguageModelTest {
 protected:
  RewardModels() { save_model(); }

  std::unique_ptr<RewardModel> made(std::uint64_t seed = 5) const {
    auto model = reward_model_from({folder_}, seed);
    EXPECT_TRUE(model) << model.error().message;
    for (float& value : scalar_head(**model)) value *= 50;
    return std::move(*model);
  }
  static std::span<float> scalar_head(RewardModel& model) {
    return {model.transformer().at(model.transformer().layout().scalar),
            model.transformer().config().width};
  }
  void expect_refused(const std::string& words) const {
    const auto model = load_reward_model({folder_});
    ASSERT_FALSE(model) << words;
    EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(model.error().message.find(words), std::string::npos) << model.error().message;
  }
};

TEST_F(RewardModels, ReadTheHeadAtTheLastTokenOfTheFramedText) {
  const auto model = made();
  const Completed texts[] = {{"tom saw", " a ball"}, {"tom saw", " a ball", false}};
  const auto scores = model->score(texts, 1);
  ASSERT_TRUE(scores) << scores.error().message;
  for (std::size_t i = 0; i < 2; ++i) {
    auto tokens = model->tokenizer().encode("tom saw a ball", {.add_special = false})->ids;
    tokens.insert(tokens.begin(), 1);
    tokens.push_back(2);
    nn::Pass pass(model->transformer(), 64, nn::PassKind::kInference);
    const std::uint32_t starts[] = {0, static_cast<std::uint32_t>(tokens.size())};
    pass.forward({tokens, starts});
    // The head by hand: its bias is 0.
    const auto last = pass.hidden().last(model->transformer().config().width);
    double expected = 0;
    for (std::size_t k = 0; k < last.size(); ++k) {
      expected += static_cast<double>(last[k]) * static_cast<double>(scalar_head(*model)[k]);
    }
    EXPECT_NEAR((*scores)[i], expected, 1e-5 * std::abs(expected) + 1e-6);
  }
  EXPECT_EQ((*scores)[0], (*scores)[1]) << "a limit cut the second: the model cannot know of it";
}

TEST_F(RewardModels, ScoreATextAlikeWhateverStandsBesideIt) {
  const auto model = made();
  std::vector<std::string> completions;
  for (std::size_t i = 0; i < 60; ++i) completions.push_back(std::string(i % 13, 'a') + " cat");
  std::vector<Completed> texts;
  for (const std::string& one : completions) texts.push_back({"mia", one});
  const auto one = model->score(texts, 1), two = model->score(texts, 2);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(*one, *two);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ((*model->score({&texts[i], 1}, 1))[0], (*one)[i]);
  }
  EXPECT_NE((*one)[0], (*one)[1]);
  EXPECT_EQ((*one)[0], (*one)[13]);
  EXPECT_TRUE(model->score({}, 1)->empty());
}

TEST_F(RewardModels, CutTheBeginningOfThePromptAndCountIt) {
  const auto model = made();
  const std::string prompt = std::string(40, 'x') + "tom saw a red hat";
  const std::string longer = "y" + prompt;
  const Completed texts[] = {{prompt, " then"}, {"tom", " then"}, {longer, " then"}};
  const auto scores = model->score_counted(texts, 1);
  ASSERT_TRUE(scores);
  EXPECT_EQ(scores->truncated, 2U);
  EXPECT_EQ(scores->values[0], scores->values[2]);
  const auto encoded = encode_completed(texts[0], model->tokenizer(), model->frame(), 32);
  ASSERT_EQ(encoded->tokens.size(), 32U);
  EXPECT_EQ(encoded->tokens.front(), 1);
  EXPECT_EQ(encoded->tokens.back(), 2);
  EXPECT_EQ(model->tokenizer().decode(std::span(encoded->tokens).subspan(1, 30)),
            "xxxxxxxxtom saw a red hat then");
}

TEST_F(RewardModels, AreMadeOfALanguageModelWithoutItsHead) {
  const auto base = nn::load_transformer(folder_);
  const auto model = made(5), other = made(6);
  EXPECT_FALSE(model->transformer().config().language_head);
  EXPECT_TRUE(std::ranges::equal(base->values().subspan(base->layout().layers[1].down_weight, 16),
                                 model->transformer().values().subspan(
                                     model->transformer().layout().layers[1].down_weight, 16)));
  EXPECT_FALSE(std::ranges::equal(scalar_head(*model), scalar_head(*other)));
  EXPECT_TRUE(std::ranges::equal(scalar_head(*model), scalar_head(*made(5))));
}

TEST_F(RewardModels, ComeBackFromTheirFolderWithTheirScale) {
  const auto model = made();
  const Completed texts[] = {{"tom", " saw"}, {"tom", " ran"}, {"mia", " saw a cat"}};
  const auto before = model->score(texts, 1);
  ASSERT_TRUE(model->normalise(texts, "policy", "prompts", 1));
  model->card().ties = TieHandling::kDavidson;
  model->card().log_tie_parameter = -0.5;
  model->card().temperature = 1.25;
  model->card().training = {{"seed", 7}};
  ASSERT_TRUE(save_reward_model(folder_ / "rm", *model, folder_));
  const auto again = load_reward_model({folder_ / "rm"});
  ASSERT_TRUE(again) << again.error().message;
  const auto after = (*again)->score(texts, 1);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR((*after)[i] * (*again)->logit_scale() + model->card().normalisation->mean,
                (*before)[i], 1e-9);
    sum += (*after)[i];
    squares += (*after)[i] * (*after)[i];
  }
  EXPECT_NEAR(sum, 0, 1e-9);
  EXPECT_NEAR(squares / 2, 1, 1e-9);
  EXPECT_EQ(card_json((*again)->card()), card_json(model->card()));
  EXPECT_EQ((*again)->provenance()["normalisation"]["policy"], "policy");
}

// rlhf.md 2.1: Rao-Kupper with theta 1.5 and Davidson with nu 0.5 at a difference of 1.
TEST_F(RewardModels, SayHowLikelyTiesAre) {
  const auto model = made();
  const auto expect = [&](double win, double tie, double loss) {
    const PairLabel likely = model->outcome_probabilities(1);
    EXPECT_NEAR(likely.win, win, 1e-6);
    EXPECT_NEAR(likely.tie, tie, 1e-6);
    EXPECT_NEAR(likely.loss, loss, 1e-6);
  };
  expect(0.731059, 0, 0.268941);
  model->card().ties = TieHandling::kRaoKupper;
  model->card().log_tie_parameter = std::log(1.5);
  expect(0.644405, 0.158645, 0.196950);
  model->card().ties = TieHandling::kDavidson;
  model->card().log_tie_parameter = std::log(0.5);
  expect(0.598392, 0.181472, 0.220136);
}

TEST_F(RewardModels, ScoreBothSidesOfEveryComparison) {
  const auto model = made();
  write("pairs.jsonl", R"({"prompt":"tom","chosen":" saw a cat","rejected":" ran"})"
                       "\n"
                       R"({"prompt":"mia","chosen":" ran","rejected":""})"
                       "\n");
  const auto data = read_preferences(folder_ / "pairs.jsonl", {});
  ASSERT_TRUE(data) << data.error().message;
  const auto scores = score_comparisons(*model, *data, 1);
  ASSERT_TRUE(scores);
  const Completed texts[] = {{"tom", " saw a cat"}, {"tom", " ran"}, {"mia", " ran"}, {"mia", ""}};
  const auto each = model->score(texts, 1);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(scores->values[i / 2][i % 2], (*each)[i]);
}

TEST_F(RewardModels, RefuseWhatIsNoneAndWhatIsDamaged) {
  expect_refused("without a scalar head; `plumb reward train`");
  const auto model = made();
  ASSERT_TRUE(save_reward_model(folder_, *model, folder_));
  EXPECT_TRUE(load_reward_model({folder_}));
  const std::pair<const char*, const char*> damaged[] = {
      {"{", "reward.json: not a JSON object"},
      {"{}", "\"schema\" is not plumb.reward-model/1"},
      {R"({"schema":"plumb.reward-model/1","normalisation":{"mean":0}})",
       "\"normalisation\": \"standard_deviation\" is not a number"},
      {R"({"schema":"plumb.reward-model/1","ties":"often"})", "\"ties\" is none of"},
      {R"({"schema":"plumb.reward-model/1","temperature":"warm"})", "\"temperature\" is not"},
      {R"({"schema":"plumb.reward-model/1","frame":{"begin":-1}})", "\"begin\" of \"frame\""},
      {R"({"schema":"plumb.reward-model/1","frame":{"end":9999}})", "end token 9999 is none of"},
      {R"({"schema":"plumb.reward-model/1","ties":"rao-kupper","log_tie_parameter":-1})",
       "is below 0"}};
  for (const auto& [text, words] : damaged) {
    write("reward.json", text);
    expect_refused(words);
  }
}

TEST_F(RewardModels, RefuseATokenizerOfAnotherVocabulary) {
  nn::TransformerConfig config = lm::letters_config();
  for (const std::size_t vocabulary : {100UL, 2000UL}) {
    config.vocabulary = vocabulary;
    save_model(config);
    const auto model = reward_model_from({folder_}, 1);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(model.error().message.find("the tokenizer has 286 tokens, the model"),
              std::string::npos)
        << model.error().message;
  }
}

TEST_F(RewardModels, RefuseScoresThatAreNotFinite) {
  const auto model = made();
  scalar_head(*model)[0] = std::numeric_limits<float>::infinity();
  const Completed texts[] = {{"tom", " saw"}};
  const auto scores = model->score(texts, 1);
  ASSERT_FALSE(scores);
  EXPECT_NE(scores.error().message.find("the score of text 1 is not a finite"), std::string::npos);
}

}  // namespace
}  // namespace plumb::rlhf
