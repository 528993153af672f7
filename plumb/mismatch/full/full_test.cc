#include "plumb/mismatch/full/full.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/lm/run_folder.h"
#include "plumb/mismatch/study_testing.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

class FullRun : public SmallStudyTest {
 protected:
  // Texts of its own for each part, in which a small model would repeat itself.
  FullOptions options(const std::string& name, int threads = 2) const {
    for (const char* part : {"chain", "population", "remedies", "loop"}) {
      run_folder(name + "/" + part);
    }
    FullOptions o;
    o.base = {model_};
    o.folder = folder_ / name;
    o.gold = "length";
    o.chain.measured_prompts = 8;
    o.chain.training_prompts = 16;
    o.chain.samples = 8;
    o.chain.pairs = 3;
    o.chain.epochs = 1;
    o.chain.members = 2;
    o.chain.methods = {rlhf::Method::kRloo, rlhf::Method::kDpo};
    o.chain.steps = 4;
    o.population.grid = {.layers = {1, 2}, .amounts = {0.5, 1}, .noises = {0, 0.4}, .seeds = 1};
    o.population.epochs = 1;
    o.population.training_prompts = 16;
    o.population.validation_prompts = o.population.measured_prompts = 8;
    o.population.samples = 8;
    o.population.n = 4;
    o.population.pairs = 3;
    o.population.correlation.sampling.resamples = 50;
    o.remedies.remedies = {"none", "kl-budget", "best-of-n", "soft-best-of-n"};
    o.remedies.training_prompts = 16;
    o.remedies.measured_prompts = 8;
    o.remedies.pairs = 3;
    o.remedies.samples = 8;
    o.remedies.steps = 4;
    o.loop.rounds = 2;
    o.loop.questions = 12;
    o.loop.members = 2;
    o.loop.steps = 4;
    o.loop.training_prompts = 16;
    o.loop.measured_prompts = 8;
    o.loop.samples = 4;
    o.evaluations = {.suites = {"cloze"}, .items = 6};
    o.links.sampling.resamples = 50;
    for (auto* words : {&o.chain.prompt_words, &o.population.prompt_words, &o.remedies.prompt_words,
                        &o.loop.prompt_words}) {
      *words = 3;
    }
    for (auto* tokens : {&o.chain.max_tokens, &o.population.max_tokens, &o.remedies.max_tokens,
                         &o.loop.max_tokens}) {
      *tokens = 16;
    }
    o.seed = 4;
    o.threads = threads;
    return o;
  }
  FullReport measured(const FullOptions& o, const FullWatch& watch = {}) const {
    const auto report = run_full(o, watch);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : FullReport();
  }
};

TEST_F(FullRun, MeasuresEveryPartAndPutsItBesideTheLinks) {
  std::set<std::string> parts;
  std::optional<double> left;
  const FullReport report = measured(options("one"), [&](const FullStatus& now) {
    parts.insert(now.part);
    if (now.seconds_left) left = now.seconds_left;
  });
  EXPECT_EQ(parts.size(), 6U);
  EXPECT_TRUE(left);
  EXPECT_EQ(report.chain.runs.size(), 2U);
  EXPECT_EQ(report.chain.gold_runs.size(), 1U);  // DPO learns from no reward
  EXPECT_EQ(report.population.members.size(), 8U);
  EXPECT_EQ(report.loop.rounds.size(), 2U);
  const LinkReport& links = report.links.report;
  EXPECT_EQ(links.verdicts.size(), 2U);
  const auto has = [&](Link link, const std::string& words) {
    return std::ranges::any_of(links.rows, [&](const LinkRow& row) {
      return row.link == link && row.measure.find(words) != std::string::npos;
    });
  };
  EXPECT_TRUE(has(Link::kB, "people_accuracy and the policy's gold"));
  EXPECT_TRUE(has(Link::kB, "pairs of cloze ordered right"));
  ASSERT_EQ(report.links.swaps.size(), 1U);
  EXPECT_EQ(report.links.swaps[0].run, "rloo");
  EXPECT_EQ(report.links.inputs.size(), 4U);  // population, pairs, evals of two runs
  ASSERT_EQ(report.times.size(), 6U);
  EXPECT_GT(report.times[0].seconds, 0);
}

TEST_F(FullRun, AsksEveryCheckpointThatARunKept) {
  const FullReport report = measured(options("one"));
  const fs::path run = folder_ / "one" / "chain" / "policies" / "rloo";
  const auto series = read_eval_log(run / "evals.jsonl", 0.95);
  ASSERT_TRUE(series) << series.error().message;
  ASSERT_EQ(series->size(), 1U);
  EXPECT_EQ(series->at(0).name, "cloze acc");
  std::size_t kept = 0;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    kept += entry.is_directory() ? 1 : 0;
  }
  EXPECT_EQ(series->at(0).points.size(), kept);
  EXPECT_GE(kept, 2U);
}

TEST_F(FullRun, EndsWithTheSameBytesWhereverItWasKilled) {
  const FullOptions whole = options("whole"), cut = options("cut", 1);
  (void)measured(whole);
  fs::remove_all(cut.folder);
  fs::copy(whole.folder, cut.folder, fs::copy_options::recursive);
  for (const char* part : {"chain/policies/dpo", "chain/against-gold/rloo/model",
                           "chain/policies/rloo/evals/4.json", "chain/policies/rloo/evals.jsonl",
                           "pairs.jsonl", "population/records", "population/population.jsonl",
                           "remedies/policies/kl-budget", "loop/rounds/2", "loop/rounds.jsonl"}) {
    ASSERT_GT(fs::remove_all(cut.folder / part), 0U) << part;
  }
  // Times that are none of ours are taken for none.
  const char* times = R"({"chain":{"seconds":"x"},"evaluations":3})";
  ASSERT_TRUE(write_file_atomic(cut.folder / "times.json", times));
  (void)measured(cut);
  std::vector<std::string> differing = differing_files(whole.folder, cut.folder);
  std::erase_if(differing, [](const std::string& name) {
    // Where a reward model lies stands in what describes it.
    return name == "times.json" || name.ends_with("reward.json") || name.ends_with("settings.json");
  });
  EXPECT_EQ(differing, std::vector<std::string>());
}

TEST_F(FullRun, RefusesOtherSettingsAndRunsWithoutAReward) {
  FullOptions o = options("one");
  ASSERT_TRUE(lm::open_run(o.folder, {{"schema", "plumb.full-run/1"}}));
  const auto other = run_full(o, {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBusy);
  o.chain.methods = {rlhf::Method::kDpo};
  const auto none = run_full(o, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kUsage);
  EXPECT_NE(none.error().message.find("rloo, grpo or ppo"), std::string::npos);
}

TEST(FullScale, NeverLeavesTooFewToMeasure) {
  FullOptions whole, small, none;
  scale(small, 0.1);
  EXPECT_EQ(small.chain.steps, whole.chain.steps / 10);
  EXPECT_EQ(small.population.samples, 16U);
  EXPECT_EQ(small.evaluations.items, 20U);
  EXPECT_EQ(small.population.grid.seeds, whole.population.grid.seeds);
  scale(none, 1);
  EXPECT_EQ(none.chain.samples, whole.chain.samples);
  EXPECT_EQ(none.evaluations.items, 0U);
}

TEST(CheckpointEvals, NameARunThatKeptNone) {
  const auto done = evaluate_checkpoints("no-such-run", {.suites = {"cloze"}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(done.error().message.find("no checkpoints were kept"), std::string::npos);
}

}  // namespace
}  // namespace plumb::mismatch
