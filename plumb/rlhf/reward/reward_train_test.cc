// Training a reward model: it learns what was planted, survives a kill to the byte, and says what
// is wrong. Coins teach it nothing.
#include "plumb/rlhf/reward/reward_train.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/base/files.h"
#include "plumb/lm/testing.h"

namespace plumb::rlhf {
namespace {

using tasks::Choice;

class RewardTraining : public lm::LanguageModelTest {
 protected:
  RewardTraining() { save_model(); }

  // People prefer what ends with a cat. Ties where neither does.
  static PreferenceData cats(std::size_t count, std::uint64_t seed = 0) {
    const char* const names[] = {"tom", "mia", "ben", "ann"};
    const char* const verbs[] = {" saw", " had", " met", " fed"};
    const char* const things[] = {" a cat", " a ball", " a kite", " a hat"};
    PreferenceData data;
    data.file = "cats.jsonl";
    for (std::size_t i = 0; i < count; ++i) {
      Stream stream(seed, "cats", i);
      const std::size_t a = stream.below(4), b = (a + 1 + stream.below(3)) % 4;
      const Choice choice = a == 0 ? Choice::kA : b == 0 ? Choice::kB : Choice::kTie;
      data.comparisons.push_back(
          {.where = fmt::format("cats.jsonl:{}", i + 1),
           .prompt = {{"", fmt::format("{} {}", names[stream.below(4)], i)}},
           .completions = {Conversation{{"", std::string(verbs[stream.below(4)]) + things[a]}},
                           Conversation{{"", std::string(verbs[stream.below(4)]) + things[b]}}},
           .votes = {{"", choice, 0}}});
    }
    return data;
  }
  RewardTrainOptions options(const std::string& run) const {
    RewardTrainOptions result;
    result.run = folder_ / run;
    result.batch = 8;
    result.save_every = 5;
    result.data.held_out = 0.25;
    result.schedule.rate = 0.01F;
    result.schedule.warmup = 3;
    result.threads = 1;
    result.evaluation.sampling.resamples = 200;
    return result;
  }
  Result<RewardTrainReport> train(const PreferenceData& data,
                                  const RewardTrainOptions& options) const {
    return train_reward({folder_}, data, options);
  }
  std::string bytes(const std::string& name) const { return *read_file(folder_ / name); }
  void expect_refused(const Result<RewardTrainReport>& report, ErrorKind kind,
                      const std::string& words) const {
    ASSERT_FALSE(report) << words;
    EXPECT_EQ(report.error().kind, kind) << report.error().message;
    EXPECT_NE(report.error().message.find(words), std::string::npos) << report.error().message;
  }
};

TEST_F(RewardTraining, LearnsWhatPeoplePrefer) {
  RewardTrainOptions how = options("run");
  how.epochs = 3;
  const auto report = train(cats(400), how);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->finished);
  EXPECT_EQ(report->comparisons, 300U);
  EXPECT_EQ(report->held_out.comparisons.size(), 100U);
  EXPECT_LT(report->last_loss, report->first_loss);
  ASSERT_TRUE(report->evaluation);
  EXPECT_GT(report->evaluation->accuracy.strict.ci.low, 0.9);
  EXPECT_GT(report->train_accuracy, 0.95);
  EXPECT_LT(report->evaluation->longest.strict.value, 0.5);
  // The saved model gives new texts the order that was learnt, on a scale of its own.
  const auto model = load_reward_model({report->model});
  ASSERT_TRUE(model) << model.error().message;
  const Completed texts[] = {{"mia 900", " met a cat"}, {"mia 900", " met a kite"}};
  const auto scores = (*model)->score(texts, 1);
  EXPECT_GT((*scores)[0], (*scores)[1] + 0.5);
  EXPECT_EQ((*model)->card().normalisation->n, 200U);
  EXPECT_EQ((*model)->card().normalisation->policy, hashes_of(report->held_out).completions);
  EXPECT_EQ((*model)->card().training["held_out"], 100);
  const Json last =
      Json::parse(bytes("run/events.jsonl").substr(bytes("run/events.jsonl").rfind("{\"step\"")));
  EXPECT_DOUBLE_EQ(last["held_out"]["accuracy"], report->evaluation->accuracy.half_tie.value);
}

TEST_F(RewardTraining, TakenUpAfterAKillGivesTheBytesOfARunThatWasNot) {
  const PreferenceData data = cats(160);
  for (const auto ties : {TieHandling::kHalfWins, TieHandling::kRaoKupper}) {
    const std::string kind = ties == TieHandling::kHalfWins ? "plain" : "ties";
    RewardTrainOptions how = options(kind);
    how.loss.ties = ties;
    how.epochs = 2;
    const auto whole = train(data, how);
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(whole->steps, 30U);
    for (const std::size_t kill : {4UL, 10UL, 18UL}) {
      const std::string name = fmt::format("{}{}", kind, kill);
      RewardTrainOptions killed = how;
      killed.run = folder_ / name;
      killed.stop_after = kill;
      const auto part = train(data, killed);
      ASSERT_TRUE(part) << part.error().message;
      EXPECT_FALSE(part->finished);
      killed.stop_after = 0;
      killed.threads = 2;
      const auto rest = train(data, killed);
      ASSERT_TRUE(rest) << rest.error().message;
      EXPECT_EQ(rest->resumed_from, kill / 5 * 5);
      for (const char* file : {"/events.jsonl", "/model/model.safetensors", "/model/reward.json",
                               "/state.safetensors", "/manifest.json"}) {
        EXPECT_EQ(bytes(name + file), bytes(kind + file)) << file;
      }
      EXPECT_EQ(rest->last_loss, whole->last_loss);
      EXPECT_EQ(rest->train_accuracy, whole->train_accuracy);
    }
  }
}

TEST_F(RewardTraining, LearnsHowOftenPeopleTie) {
  for (const auto ties : {TieHandling::kRaoKupper, TieHandling::kDavidson}) {
    RewardTrainOptions how = options(fmt::format("run{}", static_cast<int>(ties)));
    how.loss.ties = ties;
    how.epochs = 3;
    const auto report = train(cats(400), how);
    ASSERT_TRUE(report) << report.error().message;
    const auto model = load_reward_model({report->model});
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ((*model)->card().ties, ties);
    EXPECT_EQ((*model)->card().log_tie_parameter, *report->tie_parameter);
    const Completed texts[] = {
        {"mia 7", " saw a ball"}, {"mia 7", " had a hat"}, {"mia 7", " saw a cat"}};
    const auto scores = *(*model)->score(texts, 1);
    EXPECT_GT((*model)->outcome_probabilities(scores[0] - scores[1]).tie, 0.5);
    EXPECT_LT((*model)->outcome_probabilities(scores[2] - scores[1]).tie, 0.3);
  }
}

// Rankings of three: a cat, then a ball, then a hat.
PreferenceData ranked_cats(std::size_t count) {
  const char* const things[] = {" a cat", " a ball", " a hat"};
  const char* const verbs[] = {" saw", " had", " met", " fed"};
  PreferenceData data;
  data.file = "ranked.jsonl";
  for (std::size_t r = 1; r <= count; ++r) {
    Stream stream(0, "ranked", r);
    std::string texts[3];
    for (std::size_t i = 0; i < 3; ++i) texts[i] = verbs[stream.below(4)] + std::string(things[i]);
    for (const auto& [better, worse] :
         {std::pair<std::size_t, std::size_t>(0, 1), {0, 2}, {1, 2}}) {
      data.comparisons.push_back(
          {.where = fmt::format("ranked.jsonl:{}", r),
           .prompt = {{"", fmt::format("mia {}", r)}},
           .completions = {Conversation{{"", texts[better]}}, Conversation{{"", texts[worse]}}},
           .votes = {{"", Choice::kA, 0}},
           .ranking = r,
           .ranks = {better, worse}});
    }
  }
  return data;
}

TEST_F(RewardTraining, LearnsRankingsAndIsTakenUpInThem) {
  RewardTrainOptions how = options("run");
  how.learnt = Learnt::kRankings;
  how.epochs = 3;
  const auto report = train(ranked_cats(150), how);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_NEAR(report->first_loss, std::log(6.0), 0.4);  // 3! orders
  EXPECT_LT(report->last_loss, 0.5 * report->first_loss);
  ASSERT_TRUE(report->evaluation);
  EXPECT_GT(report->evaluation->accuracy.strict.ci.low, 0.85);
  RewardTrainOptions killed = how;
  killed.run = folder_ / "killed";
  killed.stop_after = 7;
  ASSERT_TRUE(train(ranked_cats(150), killed));
  killed.stop_after = 0;
  ASSERT_TRUE(train(ranked_cats(150), killed));
  EXPECT_EQ(bytes("run/model/model.safetensors"), bytes("killed/model/model.safetensors"));
  EXPECT_EQ(bytes("run/events.jsonl"), bytes("killed/events.jsonl"));
  RewardTrainOptions pairs = options("pairs");
  pairs.learnt = Learnt::kRankings;
  expect_refused(train(cats(20), pairs), ErrorKind::kBadInput, "a pair, and not a ranking");
}

// A coin has no pattern: what the model makes of held-out coins is a coin.
TEST_F(RewardTraining, LearnsNothingFromCoins) {
  const PreferenceData data = cats(160);
  std::size_t covered = 0;
  constexpr std::size_t kRuns = 24;
  for (std::size_t seed = 0; seed < kRuns; ++seed) {
    RewardTrainOptions how = options(fmt::format("coins{}", seed));
    how.data.random_labels = true;
    how.data.split_seed = how.seed = seed;
    how.data.held_out = 0.5;
    const auto report = train(data, how);
    ASSERT_TRUE(report) << report.error().message;
    const stats::Interval ci = report->evaluation->accuracy.half_tie.ci;
    covered += ci.low <= 0.5 && 0.5 <= ci.high ? 1 : 0;
  }
  // 95 % each: fewer than 20 of 24 would happen once in 190 tries.
  EXPECT_GE(covered, 20U);
}

TEST_F(RewardTraining, LeavesOutWhatHasNoLabel) {
  PreferenceData data = cats(40);
  data.comparisons[3].completions[1] = data.comparisons[3].completions[0];
  data.comparisons[4].votes.clear();
  data.comparisons[5].completions[1] = {{"", ""}};
  const auto report = train(data, options("run"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->unlabelled, 2U);
  EXPECT_EQ(report->comparisons + report->held_out.comparisons.size(), 38U);
  for (Comparison& one : data.comparisons) one.completions[1] = one.completions[0];
  expect_refused(train(data, options("none")), ErrorKind::kBadInput,
                 "cats.jsonl: no comparison to train on");
}

TEST_F(RewardTraining, RefusesTheFolderOfAnotherRunAndNamesTheDifference) {
  RewardTrainOptions first = options("run");
  first.stop_after = 1;
  ASSERT_TRUE(train(cats(40), first));
  RewardTrainOptions second = options("run");
  second.loss.margin = 0.5;
  expect_refused(train(cats(40), second), ErrorKind::kBusy, "its loss is {");
  expect_refused(train(cats(41), options("run")), ErrorKind::kBusy, "its data_sha256 is");
  second = options("run");
  second.seed = 3;
  expect_refused(train(cats(40), second), ErrorKind::kBusy, "the folder holds another run");
}

TEST_F(RewardTraining, StopsWhereItDivergesAndKeepsTheLastState) {
  const PreferenceData data = cats(160);
  RewardTrainOptions wild = options("wild");
  wild.schedule.rate = 1e30F;
  wild.schedule.warmup = 0;
  wild.save_every = 1;
  wild.evaluate_every = 100;
  wild.adam.decay = 0;
  expect_refused(train(data, wild), ErrorKind::kBadInput, "score of step 2 is not finite");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "wild" / "state.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "wild" / "model"));
}

TEST_F(RewardTraining, RefusesADamagedState) {
  const PreferenceData data = cats(160);
  RewardTrainOptions part = options("run");
  part.loss.ties = TieHandling::kDavidson;
  part.stop_after = 6;
  ASSERT_TRUE(train(data, part));
  std::string state = bytes("run/state.safetensors");
  const std::size_t note = state.find("\"tie\":\"[");
  ASSERT_NE(note, std::string::npos);
  state[note + 7] = 'x';
  write("run/state.safetensors", state);
  part.stop_after = 0;
  expect_refused(train(data, part), ErrorKind::kBadInput, "its note \"tie\" is not three numbers");
  write("run/state.safetensors", state.substr(0, state.size() / 2));
  expect_refused(train(data, part), ErrorKind::kBadInput, "state.safetensors: tensor");
}

}  // namespace
}  // namespace plumb::rlhf
