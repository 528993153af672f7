#include "plumb/rlhf/samples.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "plumb/base/files.h"

namespace plumb::rlhf {
namespace {

std::string write(const std::string& text) {
  const std::string path = testing::TempDir() + fmt::format("samples_{}.jsonl", ::getpid());
  EXPECT_TRUE(write_file_atomic(path, text));
  return path;
}

std::string error_of(const std::string& text) {
  const auto samples = read_samples(write(text));
  if (samples) return "";
  EXPECT_EQ(samples.error().kind, ErrorKind::kBadInput);
  const std::string& message = samples.error().message;
  return message.substr(message.find(".jsonl") + 6);
}

TEST(Samples, ComeBackAsTheyWereWritten) {
  const Sample whole{.step = 3,
                     .prompt = "Once \"upon\"\n",
                     .completion = " a tíme",
                     .tokens = 4,
                     .ended = false,
                     .proxy = 0.1,
                     .gold = -2,
                     .kl = 0.25,
                     .log_probability = -5.5,
                     .reference_log_probability = -5};
  const Sample least{.step = 0, .prompt = "", .completion = ""};
  const std::string text = to_text(sample_json(whole)) + "\n\n" + to_text(sample_json(least));
  EXPECT_EQ(read_samples(write(text)).value(), (std::vector{whole, least}));
}

TEST(Samples, AcceptMessagesAndWhatWasNotMeasured) {
  const auto samples = read_samples(write(
      R"({"step":1,"prompt":[{"role":"user","content":"Hi"}],"completion":"Hello","gold":null})"));
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(samples->at(0).prompt, "\n\nHuman: Hi");
  EXPECT_FALSE(samples->at(0).gold);
}

TEST(Samples, NameTheLineAndTheFieldThatIsWrong) {
  const std::string good = R"({"step":1,"prompt":"a","completion":"b"})";
  EXPECT_EQ(error_of(""), ": holds no samples");
  EXPECT_TRUE(error_of(good + "\n[1]").starts_with(":2: the line is not a JSON object"));
  EXPECT_EQ(error_of(R"({"prompt":"a","completion":"b"})"),
            ":1: \"step\" is missing; there are prompt, completion");
  EXPECT_EQ(error_of(R"({"step":1,"completion":"b"})"),
            ":1: \"prompt\" is missing; there are step, completion");
  EXPECT_EQ(error_of(R"({"step":0.5,"prompt":"a","completion":"b"})"),
            ":1: \"step\" is not a whole number from 0 on");
  EXPECT_EQ(error_of(R"({"step":1,"prompt":"a","completion":"b","gold":"x"})"),
            ":1: \"gold\" is not a number");
  EXPECT_EQ(error_of(R"({"step":1,"prompt":"a","completion":"b","kl":-1})"),
            ":1: \"kl\", an exact divergence, is below 0");
  EXPECT_EQ(error_of(R"({"step":1,"prompt":"a","completion":"b","ended":1})"),
            ":1: \"ended\" is neither true nor false");
}

// The names of TRL's tables of completions, and of OpenRLHF's lines.
TEST(Samples, AreReadByTheNamesOfOtherTrainers) {
  const std::string table =
      write("step,prompt,completion,accuracy_reward\n3,\"a, b\", c,0.5\n4,a,,\n");
  const SampleFields trl{.names = {{"proxy", "accuracy_reward"}}, .format = "csv"};
  auto reader = SampleReader::open(table, trl);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->next().value(),
            (Sample{.step = 3, .prompt = "a, b", .completion = " c", .proxy = 0.5}));
  EXPECT_EQ(reader->next().value(), (Sample{.step = 4, .prompt = "a", .completion = ""}));
  EXPECT_FALSE(reader->next().value());

  const std::string lines = write(R"({"input":"a","output":"b","reward":"-1.5"})");
  const SampleFields openrlhf{
      .names = {{"prompt", "input"}, {"completion", "output"}, {"proxy", "reward"}}, .step = 7};
  reader = SampleReader::open(lines, openrlhf);
  EXPECT_EQ(reader->next().value(),
            (Sample{.step = 7, .prompt = "a", .completion = "b", .proxy = -1.5}));
}

}  // namespace
}  // namespace plumb::rlhf
