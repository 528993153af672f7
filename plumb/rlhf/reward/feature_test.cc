// Rewards on features: the weights against scikit-learn's and SciPy's, the folder, and what is
// refused. Features are counts of letters.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>

#include "plumb/base/files.h"
#include "plumb/lm/testing.h"
#include "plumb/rlhf/reward/feature_train.h"
#include "plumb/rlhf/reward/reward_ensemble.h"
#include "plumb/rlhf/reward/reward_rater.h"

namespace plumb::rlhf {
namespace {

using tasks::Choice;

const Json& golden() {
  static const Json json = [] {
    std::ifstream file("tests/golden/feature_rewards.json");
    EXPECT_TRUE(file) << "run from the repository root";
    return Json::parse(file);
  }();
  return json;
}

void add_row(FeatureRows& rows, const Json& values) {
  rows.dimension = values.size();
  for (std::size_t k = 0; k < values.size(); ++k) {
    rows.entries.push_back({static_cast<std::uint32_t>(k), values[k].get<float>()});
  }
  rows.starts.push_back(rows.entries.size());
}

// Rows and groups of pairs, labels to come.
FeatureRows pair_rows(const Json& one, TextGroups& groups) {
  FeatureRows rows;
  for (std::size_t i = 0; i < one["first"].size(); ++i) {
    add_row(rows, one["first"][i]);
    add_row(rows, one["second"][i]);
    groups.starts.push_back(rows.rows());
  }
  return rows;
}

void expect_weights(const FeatureFit& fit, const Json& expected, double tolerance) {
  EXPECT_TRUE(fit.converged);
  ASSERT_EQ(fit.weights.size(), expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_NEAR(fit.weights[k], expected[k].get<double>(), tolerance);
  }
}

TEST(FeatureFits, EqualScikitLearnsLogisticRegressionOnDifferences) {
  for (const Json& one : golden()["bradley_terry"]) {
    TextGroups groups;
    const FeatureRows rows = pair_rows(one, groups);
    for (const Json& wins : one["wins_of_three"]) {
      const double share = wins.get<double>() / 3;
      groups.labels.push_back({share, 0, 1 - share});
    }
    const auto fit = fit_features(rows, groups, {.l2 = one["l2"]});
    ASSERT_TRUE(fit) << fit.error().message;
    expect_weights(*fit, one["weights"], 1e-7);
    EXPECT_NEAR(fit->first_loss, std::log(2.0), 1e-12);
    EXPECT_LT(fit->last_loss, fit->first_loss);
  }
}

TEST(FeatureFits, OfRankingsEqualSciPyOnPlackettAndLuce) {
  const Json& one = golden()["plackett_luce"];
  FeatureRows rows;
  TextGroups groups;
  for (const Json& ranking : one["texts"]) {
    for (const Json& text : ranking) add_row(rows, text);
    groups.starts.push_back(rows.rows());
  }
  const auto fit = fit_features(rows, groups, {.l2 = one["l2"]});
  ASSERT_TRUE(fit) << fit.error().message;
  expect_weights(*fit, one["weights"], 1e-5);
  EXPECT_NEAR(fit->first_loss, std::log(24.0), 1e-12);  // 4! orders
}

TEST(FeatureFits, WithTiesEqualSciPyOnDavidsonAndOnRaoAndKupper) {
  const Json& ties = golden()["ties"];
  for (const auto& [name, kind] : {std::pair("davidson", TieHandling::kDavidson),
                                   std::pair("rao_kupper", TieHandling::kRaoKupper)}) {
    TextGroups groups;
    const FeatureRows rows = pair_rows(ties, groups);
    for (const Json& outcome : ties["outcome"]) {
      groups.labels.push_back(
          {outcome == 0 ? 1.0 : 0.0, outcome == 1 ? 1.0 : 0.0, outcome == 2 ? 1.0 : 0.0});
    }
    const auto fit = fit_features(
        rows, groups, {.loss = {.ties = kind, .log_tie_parameter = 0.5}, .l2 = ties["l2"]});
    ASSERT_TRUE(fit) << fit.error().message;
    expect_weights(*fit, ties[name]["weights"], 2e-5);
    EXPECT_NEAR(fit->log_tie_parameter, ties[name]["log_tie_parameter"].get<double>(), 2e-5);
  }
}

TEST(FeatureFits, OfWhatCannotBeSeparatedAreZero) {
  FeatureRows rows;
  for (int i = 0; i < 4; ++i) add_row(rows, {1.5, -2});
  const auto fit = fit_features(rows, {{0, 2, 4}, {PairLabel{}, PairLabel{}}}, {});
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_TRUE(fit->converged);
  EXPECT_EQ(fit->weights, (std::vector<double>{0, 0}));
}

RC_GTEST_PROP(FeatureFits, AreTheSameWithZerosLeftOutAndPairsTurnedRound, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "fits", 0);
  FeatureRows dense, sparse, turned;
  TextGroups groups, other;
  for (std::size_t pair = 0; pair < 12; ++pair) {
    Json sides[2] = {Json::array(), Json::array()};
    for (Json& side : sides) {
      for (int k = 0; k < 3; ++k) {
        side.push_back(stream.below(3) == 0 ? 0.0 : stream.uniform() - 0.5);
      }
      add_row(dense, side);
      for (std::uint32_t k = 0; k < 3; ++k) {
        if (side[k] != 0.0) sparse.entries.push_back({k, side[k].get<float>()});
      }
      sparse.starts.push_back(sparse.entries.size());
    }
    add_row(turned, sides[1]);
    add_row(turned, sides[0]);
    const double share = stream.uniform();
    groups.starts.push_back(dense.rows());
    groups.labels.push_back({share, 0, 1 - share});
    other.labels.push_back({1 - share, 0, share});
  }
  sparse.dimension = 3;
  other.starts = groups.starts;
  const auto fit = fit_features(dense, groups, {}), without = fit_features(sparse, groups, {}),
             round = fit_features(turned, other, {});
  RC_ASSERT(fit->weights == without->weights);
  for (std::size_t k = 0; k < 3; ++k) {
    RC_ASSERT(std::abs(fit->weights[k] - round->weights[k]) < 1e-6);
  }
}

// The counts of a, b and c.
class Letters : public TextFeatures {
 public:
  explicit Letters(std::string version = "1") : version_(std::move(version)) {}
  Json spec() const override { return {{"embedder", "letters"}}; }
  Json identity() const override { return {{"letters", version_}}; }
  Result<FeatureRows> rows(std::span<const std::string_view> texts, int /*threads*/) override {
    FeatureRows rows;
    rows.dimension = 3;
    for (const std::string_view text : texts) {
      for (std::uint32_t k = 0; k < 3; ++k) {
        const auto count = std::ranges::count(text, static_cast<char>('a' + k));
        if (count > 0) rows.entries.push_back({k, static_cast<float>(count)});
      }
      rows.starts.push_back(rows.entries.size());
    }
    return rows;
  }

 private:
  std::string version_;
};

FeatureOpener letters(const std::string& version = "1") {
  return [version](const Json& spec) -> Result<std::unique_ptr<TextFeatures>> {
    EXPECT_EQ(spec["embedder"], "letters");
    return std::make_unique<Letters>(version);
  };
}

class FeatureRewards : public lm::LanguageModelTest {
 protected:
  // People like an a, and hate a c; b they do not see.
  static PreferenceData liked(std::size_t count) {
    PreferenceData data;
    data.file = "liked.jsonl";
    for (std::size_t i = 0; i < count; ++i) {
      Stream stream(4, "liked", i);
      std::string sides[2];
      double worth[2] = {0, 0};
      for (std::size_t side = 0; side < 2; ++side) {
        for (std::size_t k = 0; k < 6; ++k) {
          const auto letter = stream.below(3);
          sides[side] += static_cast<char>('a' + letter);
          worth[side] += letter == 0 ? 1 : letter == 2 ? -1 : 0;
        }
      }
      const double chance = sigmoid(worth[0] - worth[1]);
      data.comparisons.push_back(
          {.where = fmt::format("liked.jsonl:{}", i + 1),
           .prompt = {{"", fmt::format("cc{} ", i)}},
           .completions = {Conversation{{"", sides[0]}}, Conversation{{"", sides[1]}}},
           .votes = {{"", stream.uniform() < chance ? Choice::kA : Choice::kB, 0}}});
    }
    return data;
  }
  FeatureTrainOptions options(const std::string& run) const {
    FeatureTrainOptions how;
    how.run = folder_ / run;
    how.data.held_out = 0.25;
    how.evaluation.sampling.resamples = 200;
    return how;
  }
  Result<RewardTrainReport> train(const PreferenceData& data, const FeatureTrainOptions& how) {
    return train_feature_reward(std::make_unique<Letters>(), data, how);
  }
  void expect_refused(const FeatureOpener& opener, ErrorKind kind, const std::string& words) const {
    const auto reward = open_learned_reward({folder_ / "run/model"}, opener);
    ASSERT_FALSE(reward) << words;
    EXPECT_EQ(reward.error().kind, kind) << reward.error().message;
    EXPECT_NE(reward.error().message.find(words), std::string::npos) << reward.error().message;
  }
};

TEST_F(FeatureRewards, LearnWhatWasLikedAndComeBackWithTheirScale) {
  const auto report = train(liked(800), options("run"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->finished);
  EXPECT_EQ(report->parameters, 3U);
  EXPECT_EQ(report->comparisons + report->held_out.comparisons.size() + report->unlabelled, 800U);
  ASSERT_TRUE(report->evaluation);
  EXPECT_GT(report->evaluation->accuracy.half_tie.ci.low, 0.6);
  EXPECT_TRUE(is_reward(report->model));
  const auto reward = load_feature_reward(report->model, letters());
  ASSERT_TRUE(reward) << reward.error().message;
  const auto weights = (*reward)->weights();
  EXPECT_NEAR(weights[0] - weights[1], 1, 0.3);
  EXPECT_NEAR(weights[1] - weights[2], 1, 0.3);
  const ScoreNormalisation& scale = *(*reward)->card().normalisation;
  EXPECT_EQ(scale.policy, hashes_of(report->held_out).completions);
  const Completed texts[] = {{"cc", "ab"}, {"cc", "cb"}};
  const auto one = (*reward)->score(texts, 1);
  EXPECT_DOUBLE_EQ((*one)[0], scale(weights[0] + weights[1] + 2 * weights[2]));
  EXPECT_NEAR((*reward)->outcome_probabilities((*one)[0] - (*one)[1]).win,
              sigmoid(weights[0] - weights[2]), 1e-12);
  // Trained again, and scored with other company: the same to the bit.
  ASSERT_TRUE(train(liked(800), options("again")));
  EXPECT_EQ(*read_file(folder_ / "run/model/features.json"),
            *read_file(folder_ / "again/model/features.json"));
  EXPECT_EQ((*(*reward)->score(std::span(texts).last(1), 2))[0], (*one)[1]);
}

std::vector<std::size_t> unseen_places(const std::filesystem::path& model,
                                       const PreferenceData& data, bool* checked) {
  std::vector<std::unique_ptr<LearnedReward>> rewards;
  rewards.push_back(std::move(open_learned_reward({model}, letters())).value());
  Unseen unseen = unseen_by(data, rewards);
  *checked = unseen.unchecked.empty();
  return unseen.places;
}

TEST_F(FeatureRewards, KnowThePromptsThatTheyLearntFromInOtherFilesToo) {
  const PreferenceData data = liked(200), more = liked(230);
  const auto report = train(data, options("run"));
  ASSERT_TRUE(report) << report.error().message;
  PreferenceData fewer = data;
  fewer.comparisons.pop_back();
  bool checked = false;
  // Held out, of the file, are a quarter; the 30 others are new.
  const auto of_more = unseen_places(report->model, more, &checked);
  EXPECT_TRUE(checked);
  EXPECT_EQ(of_more.size(), 230 - report->comparisons);
  EXPECT_LE(unseen_places(report->model, fewer, &checked).size(), 200 - report->comparisons);
  // A model that keeps no prompts is told by the hash of all comparisons, or not at all.
  const auto of_all = unseen_places(report->model, data, &checked);
  ASSERT_TRUE(std::filesystem::remove(report->model / "trained-prompts.json"));
  EXPECT_EQ(unseen_places(report->model, data, &checked), of_all);
  EXPECT_TRUE(checked);
  EXPECT_EQ(unseen_places(report->model, more, &checked).size(), 230U);
  EXPECT_FALSE(checked);
  ASSERT_TRUE(write_file_atomic(report->model / "trained-prompts.json", "{}"));
  EXPECT_NE(open_learned_reward({report->model}, letters())
                .error()
                .message.find("trained-prompts.json: \"schema\" is not"),
            std::string::npos);
}

TEST_F(FeatureRewards, MayLookAtTheCompletionAlone) {
  FeatureTrainOptions how = options("run");
  how.text = FeatureText::kCompletion;
  const auto report = train(liked(200), how);
  ASSERT_TRUE(report) << report.error().message;
  const auto reward = load_feature_reward(report->model, letters());
  const Completed texts[] = {{"cc", "ab"}, {"", "ab"}};
  const auto scores = (*reward)->score(texts, 1);
  EXPECT_EQ((*scores)[0], (*scores)[1]);
}

TEST_F(FeatureRewards, LearnHowOftenPeopleTie) {
  PreferenceData data = liked(600);
  for (std::size_t i = 0; i < data.comparisons.size(); i += 3) {
    data.comparisons[i].votes[0].choice = Choice::kTie;
  }
  FeatureTrainOptions how = options("run");
  how.fit.loss.ties = TieHandling::kDavidson;
  const auto report = train(data, how);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_TRUE(report->tie_parameter);
  const auto reward = open_learned_reward({report->model}, letters());
  ASSERT_TRUE(reward) << reward.error().message;
  const double nu = std::exp(*report->tie_parameter);
  EXPECT_NEAR((*reward)->outcome_probabilities(0).tie, nu / (2 + nu), 1e-12);
  EXPECT_GT((*reward)->outcome_probabilities(0).tie, 0.25);
  EXPECT_LT((*reward)->outcome_probabilities(9).tie, 0.1);
}

TEST_F(FeatureRewards, AreMembersOfEnsemblesAndRatersOfTasks) {
  ASSERT_TRUE(train(liked(200), options("run")));
  auto opened = open_single_reward({folder_ / "run/model"}, letters());
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_TRUE(save_ensemble(folder_, std::vector<std::string>{"run/model", "run/model"},
                            {.combination = Combination::kWorst}));
  auto ensemble = open_learned_reward({folder_}, letters());
  ASSERT_TRUE(ensemble) << ensemble.error().message;
  const Completed text[] = {{"", "abc"}};
  EXPECT_EQ(*(*ensemble)->score(text, 1), *(*opened)->score(text, 1));
  tasks::Task task{.name = "letters", .kind = tasks::Kind::kPreference};
  task.items = {{.id = "1", .texts = {"x", "cc", "aa"}}, {.id = "2", .texts = {"x", "bb", "bb"}}};
  RewardRater rater(std::move(*opened));
  const auto sheets = rater.answer(task, {});
  ASSERT_TRUE(sheets) << sheets.error().message;
  EXPECT_EQ((*(*sheets)[0].answers[0])[0], static_cast<double>(Choice::kB));
  EXPECT_EQ((*(*sheets)[0].answers[1])[0], static_cast<double>(Choice::kTie));
}

TEST_F(FeatureRewards, AreRefusedWhereTheirFeaturesChangedOrTheirFileIsDamaged) {
  ASSERT_TRUE(train(liked(100), options("run")));
  expect_refused({}, ErrorKind::kNotAllowed, "nothing here makes features");
  expect_refused(letters("2"), ErrorKind::kBadInput, "no longer those it learnt from");
  expect_refused(
      [](const Json&) -> Result<std::unique_ptr<TextFeatures>> {
        return fail(ErrorKind::kNotFound, "no such embedder");
      },
      ErrorKind::kNotFound, "its features: no such embedder");
  const std::filesystem::path file = folder_ / "run/model/features.json";
  Json json = Json::parse(*read_file(file));
  const auto damaged = [&](const char* field, const Json& value, const std::string& words) {
    Json other = json;
    other[field] = value;
    ASSERT_TRUE(write_file_atomic(file, to_text(other)));
    expect_refused(letters(), ErrorKind::kBadInput, words);
  };
  damaged("schema", "plumb.other/1", "\"schema\" is not plumb.feature-reward/1");
  damaged("weights", Json::array({1, "two", 3}), "weight 2 is not a number");
  damaged("weights", Json::array(), "\"weights\" is not a list of numbers");
  damaged("text", "half", "\"text\" is neither whole nor completion");
  ASSERT_TRUE(write_file_atomic(file, "{"));
  expect_refused(letters(), ErrorKind::kBadInput, "\"schema\" is not");
}

TEST_F(FeatureRewards, RefuseAnotherRunsFolderAndWeightsThatNothingHolds) {
  ASSERT_TRUE(train(liked(100), options("run")));
  FeatureTrainOptions other = options("run");
  other.fit.l2 = 2;
  const auto busy = train(liked(100), other);
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().kind, ErrorKind::kBusy);
  EXPECT_NE(busy.error().message.find("l2"), std::string::npos) << busy.error().message;
  // One pair, noise-robust, without a penalty: the loss falls for ever.
  FeatureTrainOptions loose = options("loose");
  loose.data.held_out = 0;
  loose.fit.l2 = 0;
  loose.fit.loss.flip_rate = 0.2;
  PreferenceData one = liked(1);
  one.comparisons[0].completions = {Conversation{{"", "aa"}}, Conversation{{"", "bb"}}};
  const auto wild = train(one, loose);
  ASSERT_FALSE(wild);
  EXPECT_EQ(wild.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(wild.error().message.find("--l2"), std::string::npos) << wild.error().message;
}

}  // namespace
}  // namespace plumb::rlhf
