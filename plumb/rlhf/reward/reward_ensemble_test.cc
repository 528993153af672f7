// Ensembles and raters made of reward models, against arithmetic on the members' scores.
#include "plumb/rlhf/reward/reward_ensemble.h"

#include <gtest/gtest.h>

#include "plumb/lm/testing.h"
#include "plumb/rlhf/reward/reward_rater.h"

namespace plumb::rlhf {
namespace {

const Completed kTexts[] = {{"tom", " saw a cat"}, {"tom", " ran"}, {"mia", " had a ball"}};

class RewardEnsembles : public lm::LanguageModelTest {
 protected:
  RewardEnsembles() { save_model(); }

  std::unique_ptr<RewardModel> member(std::uint64_t seed, const std::string& policy = "p") const {
    auto model = reward_model_from({folder_}, seed);
    EXPECT_TRUE(model) << model.error().message;
    if (policy.empty()) return std::move(*model);
    EXPECT_TRUE((*model)->normalise(kTexts, policy, "prompts", 1));
    return std::move(*model);
  }
  std::vector<std::unique_ptr<SingleReward>> members() const {
    std::vector<std::unique_ptr<SingleReward>> three;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) three.push_back(member(seed));
    return three;
  }
};

TEST_F(RewardEnsembles, CombineTheScoresOfTheirMembers) {
  std::vector<std::vector<double>> own(3);
  for (const auto& model : members()) {
    const auto scores = model->score(kTexts, 1);
    for (std::size_t i = 0; i < 3; ++i) own[i].push_back((*scores)[i]);
  }
  const std::pair<EnsembleOptions, double (*)(std::span<const double>)> cases[] = {
      {{}, [](std::span<const double> x) { return (x[0] + x[1] + x[2]) / 3; }},
      {{.combination = Combination::kWorst},
       [](std::span<const double> x) {
         return std::min({x[0], x[1], x[2]});
       }},
      {{.combination = Combination::kUncertain, .weight = 0.5, .variance = Variance::kSample},
       [](std::span<const double> x) {
         const double mean = (x[0] + x[1] + x[2]) / 3;
         double squares = 0;
         for (const double one : x) squares += (one - mean) * (one - mean);
         return mean - 0.5 * squares / 2;
       }}};
  for (const auto& [options, expected] : cases) {
    const auto ensemble = RewardEnsemble::make("three", members(), options);
    ASSERT_TRUE(ensemble) << ensemble.error().message;
    const auto one = (*ensemble)->score(kTexts, 1), two = (*ensemble)->score(kTexts, 2);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(*one, *two);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR((*one)[i], expected(own[i]), 1e-12);
  }
}

// rlhf.md 2.4: five members; the two variances give two rewards.
TEST_F(RewardEnsembles, StateTheirVariance) {
  const double five[] = {1, 1.4, 0.3, 0.9, 1.2};
  EnsembleOptions options{.combination = Combination::kUncertain};
  const auto of_population = RewardEnsemble::make("e", members(), options);
  EXPECT_NEAR((*of_population)->combine(five), 0.8908, 1e-9);
  EXPECT_EQ((*of_population)->provenance()["variance"], "population");
  options.variance = Variance::kSample;
  const auto of_sample = RewardEnsemble::make("e", members(), options);
  EXPECT_NEAR((*of_sample)->combine(five), 0.8735, 1e-9);
  EXPECT_EQ((*of_sample)->provenance()["variance"], "sample");
  EXPECT_EQ((*of_sample)->provenance()["members"].size(), 3U);
}

TEST_F(RewardEnsembles, ComeBackFromTheirFolder) {
  EXPECT_FALSE(is_reward(folder_));
  std::vector<std::string> folders;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    folders.push_back(fmt::format("member-{}", seed));
    ASSERT_TRUE(save_reward_model(folder_ / "rm" / folders.back(), *member(seed), folder_));
  }
  ASSERT_TRUE(save_ensemble(folder_ / "rm", folders, {.combination = Combination::kWorst}));
  EXPECT_TRUE(is_reward(folder_ / "rm"));
  EXPECT_TRUE(is_reward(folder_ / "rm" / "member-2"));
  const auto opened = open_learned_reward({folder_ / "rm"});
  ASSERT_TRUE(opened) << opened.error().message;
  const auto made = RewardEnsemble::make("e", members(), {.combination = Combination::kWorst});
  EXPECT_EQ(*(*opened)->score(kTexts, 1), *(*made)->score(kTexts, 1));
  for (const char* damaged : {"[]", R"({"schema":"plumb.reward-ensemble/1","combination":"best"})",
                              R"({"schema":"plumb.reward-ensemble/1","combination":"mean"})"}) {
    write("rm/ensemble.json", damaged);
    const auto refused = open_learned_reward({folder_ / "rm"});
    ASSERT_FALSE(refused) << damaged;
    EXPECT_EQ(refused.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(refused.error().message.find("ensemble.json: \""), std::string::npos);
  }
}

TEST_F(RewardEnsembles, RefuseMembersOnDifferentScales) {
  auto two = [&](const std::string& policy) {
    std::vector<std::unique_ptr<SingleReward>> pair;
    pair.push_back(member(1));
    pair.push_back(member(2, policy));
    return RewardEnsemble::make("e", std::move(pair), {});
  };
  EXPECT_NE(two("").error().message.find("no normalisation is stored"), std::string::npos);
  EXPECT_NE(two("q").error().message.find("normalised on different policies"), std::string::npos);
  EXPECT_TRUE(two("p"));
  EXPECT_FALSE(RewardEnsemble::make("e", {}, {}));
}

class RewardRaters : public RewardEnsembles {
 protected:
  static tasks::Task task() {
    tasks::Task result{.name = "stories", .kind = tasks::Kind::kPreference};
    result.items = {{"1", {"tom", " saw a cat", " ran"}},
                    {"2", {"tom", " ran", " saw a cat"}},
                    {"3", {"mia", " had a ball", " had a ball"}}};
    return result;
  }
};

TEST_F(RewardRaters, ChooseTheHigherScore) {
  const auto scores = *member(1)->score(kTexts, 1);
  RewardRater rater(member(1));
  EXPECT_EQ(rater.kind(), tasks::RaterKind::kRewardModel);
  const auto sheets = rater.answer(task(), {.threads = 1});
  ASSERT_TRUE(sheets) << sheets.error().message;
  ASSERT_EQ(sheets->size(), 1U);
  const auto& answers = (*sheets)[0].answers;
  const double first = scores[0] > scores[1] ? 0 : 1;
  EXPECT_EQ((*answers[0])[0], first);
  EXPECT_EQ((*answers[1])[0], 1 - first);
  EXPECT_EQ((*answers[2])[0], static_cast<double>(tasks::Choice::kTie));
  EXPECT_EQ((*answers[0])[1], 0);
  EXPECT_EQ((*sheets)[0].provenance["reward"], "model");
}

TEST_F(RewardRaters, SayHowSureTheyAreOnTheTasksScale) {
  tasks::Task scaled = task();
  scaled.scale = tasks::Scale{1, 5};
  auto model = member(1);
  const auto scores = *model->score(kTexts, 1);
  const PairLabel likely = model->outcome_probabilities(scores[0] - scores[1]);
  RewardRater rater(std::move(model));
  const auto sheets = rater.answer(scaled, {.threads = 1});
  EXPECT_NEAR((*(*sheets)[0].answers[0])[1], 1 + 4 * (2 * std::max(likely.win, likely.loss) - 1),
              1e-12);
}

TEST_F(RewardRaters, TieWhereAModelOfTiesDoes) {
  auto model = member(1);
  model->card().ties = TieHandling::kDavidson;
  model->card().log_tie_parameter = 10;
  RewardRater rater(std::move(model));
  const auto sheets = rater.answer(task(), {});
  EXPECT_EQ((*(*sheets)[0].answers[0])[0], static_cast<double>(tasks::Choice::kTie));
}

TEST_F(RewardRaters, RefuseOtherTasks) {
  tasks::Task other{.name = "pairs", .kind = tasks::Kind::kSts};
  RewardRater rater(member(1));
  const auto sheets = rater.answer(other, {});
  ASSERT_FALSE(sheets);
  EXPECT_NE(sheets.error().message.find("answers preference tasks"), std::string::npos);
}

}  // namespace
}  // namespace plumb::rlhf
