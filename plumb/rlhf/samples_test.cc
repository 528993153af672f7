#include "plumb/rlhf/samples.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "plumb/base/files.h"
#include "plumb/rlhf/sample_files.h"

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
  EXPECT_EQ(error_of(R"({"step":1,"prompt":"a","completion":"b","log_probability":5.5})"),
            ":1: \"log_probability\", the logarithm of a probability, is above 0; give nats, not "
            "their negative");
  EXPECT_EQ(error_of(R"({"step":1,"prompt":"a","completion":"b","log_probability":1e-6})"), "");
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

TEST(Samples, RefuseANameThatNoLineHas) {
  const std::string lines = write(
      "{\"step\":1,\"prompt\":\"a\",\"completion\":\"b\"}\n"
      "{\"step\":1,\"prompt\":\"a\",\"completion\":\"c\",\"score\":1}\n");
  const auto said = [&](const char* name) {
    const auto reader = SampleReader::open(lines, {.names = {{"proxy", name}}});
    return reader ? std::string() : reader.error().message.substr(lines.size());
  };
  EXPECT_EQ(said("score"), "");  // of some lines alone
  EXPECT_EQ(
      said("scor"),
      ": no line has \"scor\", which proxy was said to be; there are step, prompt, completion");
  EXPECT_EQ(how_to_give("gold", lines),
            "there are step, prompt, completion; name it with --map gold=NAME, or score it with "
            "--gold-by");
}

TEST(Samples, OfAFolderWithoutThemAreLookedForWhereTheyMayBe) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("runs_{}", ::getpid());
  fs::create_directories(folder);
  const auto said = [&] { return find_samples(folder).error().message; };
  EXPECT_EQ(find_samples(folder).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(said().ends_with(": the folder holds no samples.jsonl"));
  ASSERT_TRUE(write_file_atomic(folder / "step_1.jsonl", "{}"));
  EXPECT_NE(said().find("put its files into one: cat "), std::string::npos);
  ASSERT_TRUE(write_file_atomic(folder / "completions_00001.parquet", "PAR1"));
  EXPECT_NE(said().find("make JSON lines of Parquet"), std::string::npos);
  fs::create_directories(folder / "policies");
  EXPECT_TRUE(said().ends_with("its runs are " + (folder / "policies/*").string()));
  ASSERT_TRUE(write_file_atomic(folder / "samples.jsonl", ""));
  EXPECT_EQ(find_samples(folder).value(), folder / "samples.jsonl");
  EXPECT_EQ(find_samples("none.jsonl").value(), "none.jsonl");  // whoever opens it says so
  fs::remove_all(folder);
}

}  // namespace
}  // namespace plumb::rlhf
