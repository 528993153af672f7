#include "plumb/mismatch/measure/run_details.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "plumb/base/files.h"
#include "plumb/base/json.h"

namespace plumb::mismatch {
namespace {

class RunDetails : public ::testing::Test {
 protected:
  RunDetails()
      : folder_(::testing::TempDir() +
                fmt::format("details_{}_{}", ::getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~RunDetails() override { std::filesystem::remove_all(folder_); }

  // Gold turns at step 3 of 6; each prompt's samples say which they are.
  void write_samples(std::size_t last, std::size_t each) const {
    std::string lines;
    for (std::size_t step = 0; step <= last; ++step) {
      const auto d = static_cast<double>(step);
      for (int p = 0; p < 10; ++p) {
        for (std::size_t i = 0; i < each; ++i) {
          const double wobble = 0.02 * ((p * 3 + static_cast<int>(i) * 5) % 7 - 3);
          lines += to_text(rlhf::sample_json({.step = step,
                                              .prompt = fmt::format("p{}", p),
                                              .completion = fmt::format("{}-{}-{}", p, step, i),
                                              .tokens = 5 + step,
                                              .ended = true,
                                              .proxy = d + wobble + static_cast<double>(i),
                                              .gold = d * (1 - 0.5 * std::log(d + 1e-9)) + wobble,
                                              .kl = d * d})) +
                   "\n";
        }
      }
    }
    ASSERT_TRUE(write_file_atomic(folder_ / "samples.jsonl", lines));
  }

  RunMeasure measure() const {
    return measure_run("run", read_sample_table(folder_, {}).value(),
                       {.sampling = {.resamples = 100}});
  }

  std::filesystem::path folder_;
};

TEST_F(RunDetails, ShowTheStartTheCeilingAndTheEnd) {
  write_samples(6, 2);
  const auto stages = stages_of(measure());
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages[0].step, 0U);
  EXPECT_EQ(stages[1].name, "ceiling");
  EXPECT_EQ(stages[1].step, 3U);  // e^(1 / 0.5 - 1) = 2.72
  EXPECT_EQ(stages[2].step, 6U);
  const Examples examples = read_examples(folder_, measure(), {}, {.prompts = 3}).value();
  ASSERT_EQ(examples.prompts.size(), 3U);
  ASSERT_EQ(examples.samples.size(), 9U);
  for (std::size_t p = 0; p < 3; ++p) {
    const std::string number = examples.prompts[p].substr(1);
    EXPECT_EQ(examples.samples[p * 3 + 1]->completion, number + "-3-0");
    EXPECT_EQ(examples.samples[p * 3 + 2]->completion, number + "-6-0");
  }
}

TEST_F(RunDetails, ShowTheBestOfNWhereThereIsNoRun) {
  write_samples(0, 6);
  const Examples examples = read_examples(folder_, measure(), {}, {.prompts = 20}).value();
  ASSERT_EQ(examples.stages.size(), 2U);
  ASSERT_EQ(examples.prompts.size(), 10U);
  EXPECT_EQ(examples.samples[0]->completion, "0-0-0");
  EXPECT_EQ(examples.samples[1]->completion, "0-0-5");
}

TEST_F(RunDetails, HoldTheMetersOfTheRunOrOfItsSamples) {
  write_samples(3, 2);
  const auto of_samples = read_meters(folder_, measure()).value();
  ASSERT_EQ(of_samples.size(), 3U);
  EXPECT_EQ(of_samples[1].name, "length");
  EXPECT_EQ(of_samples[1].points.at(3).value, 8);
  const auto file = folder_ / "evaluations.jsonl";
  ASSERT_TRUE(write_file_atomic(file,
                                "{\"step\":0,\"entropy\":2,\"entropy_ci\":[1,3],\"kl\":null}\n"
                                "{\"step\":5,\"entropy\":1}\n"));
  const auto of_run = read_meters(folder_, measure()).value();
  ASSERT_EQ(of_run.size(), 1U);
  EXPECT_EQ(of_run[0].name, "entropy");
  EXPECT_EQ(of_run[0].points[0].ci->high, 3);
  EXPECT_FALSE(of_run[0].points[1].ci);
  ASSERT_TRUE(write_file_atomic(file, "{\"entropy\":2}\n"));
  EXPECT_TRUE(read_meters(folder_, measure())
                  .error()
                  .message.ends_with("evaluations.jsonl:1: \"step\" is missing"));
}

}  // namespace
}  // namespace plumb::mismatch
