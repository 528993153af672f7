// plumb tokens from outside the program, with the small tokenizers of tests/golden.
#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

class Tokens : public Program {
 protected:
  std::string encode(const std::string& name, const std::string& more = "") const {
    return fmt::format("tokens encode --tokenizer {}/{}.json {}", PLUMB_GOLDEN_TOKENIZERS, name,
                       more);
  }
  std::string decode(const std::string& name, const std::string& more = "") const {
    return fmt::format("tokens decode --tokenizer {}/{}.json {}", PLUMB_GOLDEN_TOKENIZERS, name,
                       more);
  }
};

TEST_F(Tokens, AreALineATextAndBack) {
  write("texts", "The plumb line\n\nnaïve 墙 e\u0301\n");
  for (const char* name : {"llama3", "qwen", "mistral"}) {
    const Outcome ids = run(encode(name, path("texts")));
    EXPECT_EQ(ids.code, 0) << ids.error;
    EXPECT_EQ(std::ranges::count(ids.out, '\n'), 3);
    EXPECT_EQ(ids.out.find_first_not_of("0123456789 \n"), std::string::npos) << ids.out;
    write("ids", ids.out);
    const std::string expected = std::string(name) == "qwen"
                                     ? "The plumb line\n\nnaïve 墙 é\n"
                                     : "The plumb line\n\nnaïve 墙 e\u0301\n";
    EXPECT_EQ(run(decode(name, path("ids"))).out, expected);
  }
}

TEST_F(Tokens, ComeFromStandardInput) {
  EXPECT_EQ(shell("echo 'The wall' | plumb " + encode("llama3")).out,
            shell("echo 'The wall' | plumb " + encode("llama3", "-")).out);
  EXPECT_EQ(
      shell("echo 'The wall' | plumb " + encode("llama3") + " | plumb " + decode("llama3")).out,
      "The wall\n");
}

TEST_F(Tokens, AreJsonListsWhereAsked) {
  const Outcome plain = shell("echo 'The wall' | plumb " + encode("xlm_roberta"));
  const Json list =
      Json::parse(shell("echo 'The wall' | plumb " + encode("xlm_roberta", "--json")).out);
  EXPECT_EQ(list.front(), 0);
  EXPECT_EQ(list.back(), 2);
  std::string joined;
  for (const auto& id : list) joined += (joined.empty() ? "" : " ") + id.dump();
  EXPECT_EQ(joined + "\n", plain.out);
  EXPECT_EQ(shell("echo '" + list.dump() + "' | plumb " + decode("xlm_roberta", "--json")).out,
            "\"The wall\"\n");
}

TEST_F(Tokens, LeaveOutTheTemplateWhereAsked) {
  EXPECT_EQ(shell("echo '' | plumb " + encode("xlm_roberta")).out, "0 2\n");
  EXPECT_EQ(shell("echo '' | plumb " + encode("xlm_roberta", "--no-special")).out, "\n");
  EXPECT_EQ(shell("echo '0 2' | plumb " + decode("xlm_roberta")).out, "\n");
  EXPECT_EQ(shell("echo '0 2' | plumb " + decode("xlm_roberta", "--special")).out, "<s></s>\n");
}

TEST_F(Tokens, KeepBytesThatAreNoUtf8) {
  EXPECT_EQ(
      shell("printf 'a\\377\\303b\\n' | plumb " + encode("llama3") + " | plumb " + decode("llama3"))
          .out,
      "a\xff\xc3"
      "b\n");
}

TEST_F(Tokens, AreCutAndThatIsSaid) {
  const Outcome outcome = shell("printf 'The plumb line hangs still\\nThe\\n' | plumb " +
                                encode("xlm_roberta", "--max-tokens 4"));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(std::ranges::count(outcome.out.substr(0, outcome.out.find('\n')), ' '), 3);
  EXPECT_EQ(outcome.error, "plumb: 1 of 2 texts were longer than 4 tokens and were cut\n");
}

TEST_F(Tokens, NameWhatIsWrong) {
  write("ids", "1 2\n1 x\n");
  write("many", "1 999999\n");
  write("broken.json", R"({"model": {"type": "LSTM"}})");
  expect_failure(decode("llama3", path("ids")), 3,
                 "ids:2: 'x' is no token id; ids are whole numbers separated by blanks");
  expect_failure(decode("llama3", path("many")), 3, "many:1: id 999999 names no token");
  expect_failure(encode("llama3", path("none")), 4, "none: cannot read: No such file or directory");
  expect_failure("tokens encode --tokenizer " + path("broken.json"), 3,
                 "broken.json: model: type 'LSTM' is not supported");
  expect_failure("tokens encode --tokenizer " + path("none"), 4, "none: cannot read");
  expect_failure("tokens encode", 2, "--tokenizer is required");
  expect_failure("tokens encod", 2, "did you mean 'encode'?");
  write("text", "The wall\n");
  expect_failure(encode("xlm_roberta", "--max-tokens 1 " + path("text")), 3,
                 "text:1: max_tokens 1 does not hold the 2 tokens");
}

}  // namespace
}  // namespace plumb
