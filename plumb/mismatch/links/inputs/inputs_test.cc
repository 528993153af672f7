#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "plumb/base/files.h"
#include "plumb/mismatch/links/inputs/eval_log.h"
#include "plumb/mismatch/links/inputs/outside.h"
#include "plumb/mismatch/links/links.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

// Files, each in a folder of its own.
class LinkFiles : public ::testing::Test {
 protected:
  fs::path folder_ = fs::temp_directory_path() / fmt::format("plumb-links-{}", getpid());

  LinkFiles() { fs::create_directories(folder_); }
  ~LinkFiles() override { fs::remove_all(folder_); }
  fs::path write(const char* name, std::string_view text) {
    EXPECT_TRUE(write_file_atomic(folder_ / name, text));
    return folder_ / name;
  }
};

TEST_F(LinkFiles, EvaluationsAreReadInAllTheirForms) {
  const auto series = read_eval_log(
      write(
          "evals.jsonl",
          R"({"step":10,"eval":"cloze","item":"q1","score":1})"
          "\n"
          R"({"step":10,"eval":"cloze","item":"q2","score":0})"
          "\n"
          R"({"schema":"plumb.eval/1","step":0,"rows":[{"eval":"mmlu","metric":"acc","n":9,)"
          R"("score":0.3,"ci":[0.2,0.4],"at":"floor"},{"eval":"x","metric":"m","n":9,"score":null,)"
          R"("reason":"r"},{"eval":"mmlu","metric":"acc","n":9,"score":0.25,)"
          R"("note":"baseline: null"}]})"
          "\n"),
      0.95);
  ASSERT_TRUE(series) << series.error().message;
  ASSERT_EQ(series->size(), 2U);
  EXPECT_EQ((*series)[0].points[0].score, 0.5);
  EXPECT_EQ((*series)[0].points[0].n, 2U);
  EXPECT_EQ((*series)[1].name, "mmlu acc");
  EXPECT_EQ((*series)[1].points[0].at, "floor");
  EXPECT_EQ((*series)[1].points[0].ci->high, 0.4);
}

// By hand: Wilson's of two of two, 2 / (2 + 3.841459); lengths have no bounds.
TEST_F(LinkFiles, ItemsThatScoreAlikeHaveAnIntervalThatIsNoPoint) {
  const auto of = [&](const char* score) {
    std::string text;
    for (const char* item : {"a", "b"}) {
      text += fmt::format(R"({{"step":1,"eval":"e","item":"{}","score":{}}})"
                          "\n",
                          item, score);
    }
    return read_eval_log(write("alike.jsonl", text), 0.95).value()[0].points[0].ci;
  };
  EXPECT_NEAR(of("1")->low, 2 / (2 + 3.841459), 1e-6);
  EXPECT_NEAR(of("1")->high, 1, 1e-12);
  EXPECT_FALSE(of("30"));
}

TEST_F(LinkFiles, OnlyAManifestOfDpoHasAnImplicitReward) {
  write("manifest.json", R"({"method":"dpo","dpo_beta":0.2})");
  EXPECT_EQ(implicit_beta(folder_), 0.2);
  for (const char* other : {R"({"method":3,"dpo_beta":0.2})", R"({"method":"grpo"})", "[1]",
                            R"({"method":"dpo","dpo_beta":"x"})"}) {
    write("manifest.json", other);
    EXPECT_FALSE(implicit_beta(folder_)) << other;
  }
}

TEST_F(LinkFiles, BadInputIsNamedWithItsLine) {
  const auto message = [](const auto& result) {
    return result ? std::string("no error") : result.error().message;
  };
  const std::pair<const char*, const char*> evaluations[] = {
      {R"({"eval":"a","score":1})", "\"step\" is not a whole number from 0 to 2^53"},
      {R"({"step":1e30,"eval":"a","score":1})", "\"step\" is not a whole number from 0 to 2^53"},
      {R"({"step":1,"eval":"a","score":1,"n":1e300})", "\"n\" is above 2^53"},
      {R"({"step":1,"score":1})", "\"eval\" is missing"},
      {R"({"step":1,"eval":"a","score":"x"})", "\"score\" is not a number"},
      {"{\"step\":1,\"eval\":\"a\",\"score\":1}\n{\"step\":1,\"eval\":\"a\",\"score\":1}",
       "step 1 of \"a\" stands twice"},
      {"{\"step\":1,\"eval\":\"a\",\"score\":1,\"items\":\"12\"}\n"
       "{\"step\":2,\"eval\":\"a\",\"score\":1,\"items\":\"34\"}",
       ":2: step 2 of \"a\" is of other items than the steps before"},
      {R"({"step":1,"eval":"a","score":50,"ci":[0.4,0.6]})",
       "\"score\" is 50, far outside its interval [0.4, 0.6]"},
      {R"({"step":1,"rows":[{"eval":"a","score":1}]})", "\"metric\" is not a text"}};
  for (const auto& [text, reason] : evaluations) {
    const std::string found = message(read_eval_log(write("bad.jsonl", text), 0.95));
    EXPECT_NE(found.find(reason), std::string::npos) << found;
    EXPECT_NE(found.find("bad.jsonl:"), std::string::npos) << found;
  }
  const auto models = write("population.jsonl", "{\"accuracy\":0.6,\"gold\":1}\n{\"gold\":1}\n");
  EXPECT_NE(message(read_population(folder_)).find(":2: \"accuracy\" is not a number"),
            std::string::npos);
  EXPECT_NE(message(read_population(write("few.jsonl", "{\"gold\":1}\n")))
                .find("1 reward models; a correlation needs four or more"),
            std::string::npos);
  EXPECT_NE(message(read_scored_pairs(write("pairs.jsonl", "{\"chosen\":1}\n")))
                .find(":1: \"rejected\" is not a number"),
            std::string::npos);
  EXPECT_NE(message(read_labels(write("labels.jsonl", "{\"item\":1,\"label\":\"a\"}\n")))
                .find("no item has two labels"),
            std::string::npos);
}

// By hand: 8 of 10 items agree, a = 0.8; 1 - e = (1 + sqrt(0.6)) / 2.
TEST(NoiseCeiling, FollowsFromRepeatedLabels) {
  std::vector<std::vector<std::string>> labels(8, {"a", "a"});
  labels.insert(labels.end(), 2, {"a", "b"});
  const auto rows = noise_ceiling_rows(labels, {.resamples = 200});
  EXPECT_NEAR(*rows[0].estimate, 0.8, 1e-12);
  EXPECT_NEAR(*rows[1].estimate, (1 + std::sqrt(0.6)) / 2, 1e-12);
}

TEST(ScoredPairs, CountTiesHalf) {
  const auto rows = pair_rows({{"gsm8k", {1, 1, 0.5, 0}, {0, 1, 2, 3}, 1}}, 0.95);
  EXPECT_EQ(rows[0].measure, "pairs of gsm8k ordered right");
  EXPECT_EQ(*rows[0].estimate, 0.625);
  EXPECT_EQ(rows[0].note, "1 ties count half");
}

}  // namespace
}  // namespace plumb::mismatch
