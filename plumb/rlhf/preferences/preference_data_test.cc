#include "plumb/rlhf/preferences/preference_data.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <unistd.h>
#include <filesystem>

#include "plumb/base/files.h"

namespace plumb::rlhf {
namespace {

class PreferenceFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path =
        testing::TempDir() + fmt::format("preference_data_{}.jsonl", ::getpid());
    EXPECT_TRUE(write_file_atomic(path, text));
    return path;
  }
  PreferenceData read(const std::string& text) {
    auto data = read_preferences(write(text), {});
    EXPECT_TRUE(data) << data.error().message;
    return data ? *data : PreferenceData{};
  }
  std::string error(const std::string& text) {
    const auto data = read_preferences(write(text), {});
    return data ? "" : data.error().message;
  }
};

TEST_F(PreferenceFile, TakesAPromptAndTwoTexts) {
  const auto data = read(R"({"prompt":"Sky?","chosen":" Blue.","rejected":" Green.","margin":2})");
  const Comparison& one = data.comparisons.at(0);
  EXPECT_EQ(one.prompt, (Conversation{{"", "Sky?"}}));
  EXPECT_EQ(last_text(one.completions[0]), "Blue.");
  EXPECT_EQ(last_text(one.completions[1]), "Green.");
  EXPECT_EQ(one.votes.at(0).strength, 2);
  EXPECT_EQ(share_of_first(one), 1);
  EXPECT_FALSE(data.order_known);
  EXPECT_TRUE(data.defects.empty());
}

TEST_F(PreferenceFile, FindsThePromptThatBothTextsBeginWith) {
  const auto data = read(R"({"chosen":"The sky is blue.","rejected":"The sky is black."})");
  EXPECT_EQ(plain_text(data.comparisons[0].prompt), "The sky is");
  EXPECT_EQ(last_text(data.comparisons[0].completions[0]), "blue.");
  EXPECT_EQ(last_text(data.comparisons[0].completions[1]), "black.");
}

TEST_F(PreferenceFile, KnowsThePromptByTheNamesThatProjectsGiveIt) {
  const std::string pair = R"("chosen":"kind glad","rejected":"kind sad"})";
  const std::pair<std::string, std::string> cases[] = {
      {R"({"context_messages":"Say it",)", "Say it"},
      {R"({"context_messages":[{"role":"user","content":"Say it"}],)", "Say it"},
      {R"({"instruction":"Say it","input":"now",)", "Say it\n\nnow"},
      {R"({"instruction":"Say it","input":"",)", "Say it"},
      {R"({"question":"Say it",)", "Say it"},
      {R"({"instruction":"no","prompt":"Say it",)", "Say it"}};
  for (const auto& [begin, prompt] : cases) {
    const auto data = read(begin + pair);
    ASSERT_EQ(data.comparisons.size(), 1U) << begin;
    EXPECT_EQ(last_text(data.comparisons[0].prompt), prompt) << begin;
    EXPECT_EQ(last_text(data.comparisons[0].completions[0]), "kind glad");
    EXPECT_TRUE(data.defects.empty()) << begin;
  }
  const auto ranked = read(R"({"question":"Say it","completions":["a","b"]})");
  EXPECT_EQ(last_text(ranked.comparisons.at(0).prompt), "Say it");
}

TEST_F(PreferenceFile, SaysThatAPromptMayStandUnderAnotherName) {
  const auto data = read(R"({"history":"Say it","chosen":"kind glad","rejected":"kind sad"})");
  ASSERT_EQ(data.defects.size(), 1U);
  EXPECT_EQ(data.defects[0].id, "prompt-not-named");
  EXPECT_NE(data.defects[0].meaning.find("where \"history\" is the prompt"), std::string::npos);
  EXPECT_TRUE(data.defects[0].where.at(0).ends_with(":1"));
}

TEST_F(PreferenceFile, SaysSoOfMessagesThatBeginWithTheAssistantToo) {
  const std::string sides = R"("chosen":[{"role":"assistant","content":"glad"}],)"
                            R"("rejected":[{"role":"assistant","content":"sad"}]})";
  const auto data = read(R"({"my_prompt":[{"role":"user","content":"Say it"}],)" + sides);
  ASSERT_EQ(data.defects.size(), 1U);
  EXPECT_EQ(data.defects[0].id, "prompt-not-named");
  EXPECT_NE(data.defects[0].meaning.find("\"my_prompt\""), std::string::npos);
  EXPECT_TRUE(read(R"({"prompt":"Say it",)" + sides).defects.empty());
  EXPECT_TRUE(read("{\"note\":\"n\"," + std::string(R"("chosen":[{"role":"user","content":"a"},)") +
                   R"({"role":"assistant","content":"b"}],"rejected":[{"role":"user",)" +
                   R"("content":"a"},{"role":"assistant","content":"c"}]})")
                  .defects.empty());
}

TEST_F(PreferenceFile, MayBeATable) {
  const std::string path = testing::TempDir() + fmt::format("pairs_{}.csv", ::getpid());
  ASSERT_TRUE(write_file_atomic(path,
                                "prompt,chosen,rejected,margin\n"
                                "\"Sky, \"\"today\"\"\n?\", Blue., Green.,2\nSea?,Wet.,Dry.,\n"));
  const auto data = read_preferences(path, {});
  ASSERT_TRUE(data) << data.error().message;
  ASSERT_EQ(data->comparisons.size(), 2U);
  EXPECT_EQ(data->comparisons[0].prompt, (Conversation{{"", "Sky, \"today\"\n?"}}));
  EXPECT_EQ(data->comparisons[0].votes.at(0).strength, 2);
  EXPECT_EQ(last_text(data->comparisons[1].completions[1]), "Dry.");
  EXPECT_TRUE(data->comparisons[1].where.ends_with(".csv:4"));
  ASSERT_TRUE(write_file_atomic(path, "prompt,chosen,rejected,margin\na,b,c,much\n"));
  EXPECT_NE(read_preferences(path, {}).error().message.find(".csv:2: \"margin\" is not a number"),
            std::string::npos);
}

TEST_F(PreferenceFile, TakesMessagesWithAndWithoutThePromptInThem) {
  const std::string user = R"({"role":"user","content":"Sky?"})";
  const std::string blue = R"({"role":"assistant","content":"Blue."})";
  const std::string green = R"({"role":"assistant","content":"Green."})";
  const Conversation prompt = {{"user", "Sky?"}}, chosen = {{"assistant", "Blue."}};
  const std::string lines[] = {
      R"({"prompt":[)" + user + R"(],"chosen":[)" + blue + R"(],"rejected":[)" + green + "]}",
      R"({"chosen":[)" + user + "," + blue + R"(],"rejected":[)" + user + "," + green + "]}",
      R"({"prompt":"Sky?","chosen":[)" + user + "," + blue + R"(],"rejected":[)" + user + "," +
          green + "]}"};
  for (const std::string& line : lines) {
    const auto data = read(line);
    EXPECT_EQ(data.comparisons[0].prompt, prompt) << line;
    EXPECT_EQ(data.comparisons[0].completions[0], chosen) << line;
  }
}

TEST_F(PreferenceFile, SplitsTranscriptsIntoTurns) {
  const auto data =
      read(R"({"chosen":"\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Sky?\n\nAssistant: Blue.",)"
           R"("rejected":"\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Sky?\n\nAssistant: Green."})");
  const Conversation prompt = {{"user", "Hi"}, {"assistant", "Yes?"}, {"user", "Sky?"}};
  EXPECT_EQ(data.comparisons[0].prompt, prompt);
  EXPECT_EQ(data.comparisons[0].completions[1], (Conversation{{"assistant", "Green."}}));
  EXPECT_EQ(plain_text(prompt), "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Sky?");
}

TEST_F(PreferenceFile, KeepsEarlierTurnsThatDifferInTheCompletions) {
  const auto data = read(
      R"({"chosen":"\n\nHuman: A\n\nAssistant: x","rejected":"\n\nHuman: B\n\nAssistant: y"})");
  EXPECT_TRUE(data.comparisons[0].prompt.empty());
  EXPECT_EQ(data.comparisons[0].completions[0].size(), 2U);
}

TEST_F(PreferenceFile, ReadsATranscriptAsThePromptOfCompletions) {
  const auto data =
      read(R"({"prompt":"\n\nHuman: Sky?\n\nAssistant:","chosen":" Blue.","rejected":" Red."})");
  EXPECT_EQ(data.comparisons[0].prompt, (Conversation{{"user", "Sky?"}}));
  EXPECT_EQ(data.comparisons[0].completions[0][0].role, "assistant");
}

TEST_F(PreferenceFile, RefusesWhatIsNoComparisonWithFileAndLine) {
  const std::string good = R"({"prompt":"p","chosen":"a","rejected":"b"})"
                           "\n";
  const std::pair<const char*, const char*> cases[] = {
      {R"({"prompt":"p","chosen":"a"})", "jsonl:2: \"rejected\" is missing"},
      {R"({"prompt":"p","rejected":"a"})", "jsonl:2: \"chosen\" is missing"},
      {R"({"prompt":"p","chosen":"a","rejected":null})", "jsonl:2: \"rejected\" is null"},
      {R"({"prompt":"p","completion":"a","label":true})", "jsonl:2: one completion with a label"},
      {R"([{"prompt":"p","chosen":"a","rejected":"b"}])", "jsonl:2: a JSON array"},
      {R"({"chosen":"a","rejected":[{"role":"user","content":"b"}]})", "jsonl:2: one of"},
      {R"({"chosen":3,"rejected":"b"})", "jsonl:2: \"chosen\" is neither a text nor a list"},
      {R"({"chosen":[],"rejected":"b"})", "jsonl:2: \"chosen\" is neither"},
      {R"({"chosen":[{"role":"user"}],"rejected":"b"})", "jsonl:2: a message of \"chosen\" has no"},
      {R"({"chosen":"a","rejected":"b","margin":"x"})", "jsonl:2: \"margin\" is not a number"},
      {R"({"schema":"plumb.answers/1"})", "jsonl:2: a file of plumb"},
      {R"({"prompt":"p","chosen":"a","rejected":"b","margin":NaN})", "jsonl:2: \"margin\" is NaN"},
      {"[1,2]", "jsonl:2: the line is not a JSON object"},
      {"{", "jsonl:2: the line is not a JSON object"}};
  for (const auto& [line, words] : cases) {
    EXPECT_NE(error(good + line).find(words), std::string::npos) << error(good + line);
  }
  EXPECT_NE(error("\n").find("holds no comparison"), std::string::npos);
}

TEST_F(PreferenceFile, TakesRankingsAsTheirPairs) {
  const auto data =
      read(R"({"prompt":"Sky?","completions":[" Blue."," Grey."," Green."]})"
           "\n"
           R"({"prompt":"Sea?","chosen":" Wet.","rejected":" Dry."})"
           "\n"
           R"({"prompt":"Sun?","completions":["cold","hot","warm"],"ranks":[3,1,2]})");
  ASSERT_EQ(data.comparisons.size(), 7U);
  const std::pair<std::string, std::string> expected[] = {
      {"Blue.", "Grey."}, {"Blue.", "Green."}, {"Grey.", "Green."}, {"Wet.", "Dry."},
      {"hot", "warm"},    {"hot", "cold"},     {"warm", "cold"}};
  for (std::size_t i = 0; i < 7; ++i) {
    const Comparison& one = data.comparisons[i];
    EXPECT_EQ(last_text(one.completions[0]), expected[i].first);
    EXPECT_EQ(last_text(one.completions[1]), expected[i].second);
    EXPECT_EQ(share_of_first(one), 1);
    EXPECT_EQ(one.ranking, i < 3 ? 1U : i == 3 ? 0U : 2U);
    EXPECT_NE(one.where.find(i < 3 ? ":1" : i == 3 ? ":2" : ":3"), std::string::npos) << one.where;
  }
  EXPECT_EQ(data.comparisons[5].ranks, (std::array<std::size_t, 2>{0, 2}));
}

TEST_F(PreferenceFile, RefusesRankingsWithTiesAndGapsWithFileAndLine) {
  const std::string good = R"({"prompt":"p","completions":["a","b"]})";
  const std::pair<const char*, const char*> cases[] = {
      {R"({"prompt":"p","completions":["a"]})", "\"completions\" is not a list of two or more"},
      {R"({"prompt":"p","completions":"ab"})", "\"completions\" is not a list of two or more"},
      {R"({"completions":["a","b"]})", "\"prompt\" is missing"},
      {R"({"prompt":"p","completions":["a","b","a"]})", "completions 1 and 3 are the same text"},
      {R"({"prompt":"p","completions":["a"," "]})", "completion 2 holds no text"},
      {R"({"prompt":"p","completions":["a",7]})", "\"completion 2\" is neither a text"},
      {R"({"prompt":"p","completions":["a",["b","c"]]})", "ties are not read"},
      {R"({"prompt":"p","completions":["a","b"],"ranks":[1]})", "\"ranks\" is not a list of 2"},
      {R"({"prompt":"p","completions":["a","b"],"ranks":[1,"x"]})", "is not a number"},
      {R"({"prompt":"p","completions":["a","b","c"],"ranks":[2,1,2]})",
       "completions 1 and 3 have one rank"}};
  for (const auto& [line, words] : cases) {
    const std::string message = error(good + "\n" + line);
    EXPECT_NE(message.find(words), std::string::npos) << line << ": " << message;
    EXPECT_NE(message.find(".jsonl:2: "), std::string::npos) << message;
  }
}

TEST_F(PreferenceFile, ReportsWhatTeachesNothing) {
  const auto data = read(
      R"({"prompt":"p","chosen":"a","rejected":"a"})"
      "\n"
      R"({"prompt":"p","chosen":"a","rejected":"  "})"
      "\n"
      R"({"chosen":"\n\nHuman: A\n\nAssistant: x\n\nHuman: C","rejected":"\n\nHuman: A\n\nAssistant: y"})"
      "\n");
  ASSERT_EQ(data.comparisons.size(), 3U);
  ASSERT_EQ(data.defects.size(), 3U);
  EXPECT_EQ(data.defects[0].id, "equal-completions");
  EXPECT_TRUE(data.defects[0].where.at(0).ends_with(":1"));
  EXPECT_EQ(data.defects[1].id, "empty-completion");
  EXPECT_TRUE(data.defects[1].where.at(0).ends_with(":2"));
  EXPECT_EQ(data.defects[2].id, "last-turn");
  EXPECT_TRUE(data.defects[2].where.at(0).ends_with(":3"));
}

TEST_F(PreferenceFile, TakesATaskWithTheVotesOfSeveralAnnotators) {
  const std::string task =
      write(R"({"schema":"plumb.task/1","kind":"preference","scale":[0,3]})"
            "\n"
            R"({"id":"1","prompt":"Sky?","a":"Blue.","b":"Green.","choice":"A"})"
            "\n"
            R"({"id":"2","prompt":"Sea?","a":"Dry.","b":"Wet."})"
            "\n");
  const std::string answers =
      testing::TempDir() + fmt::format("preference_answers_{}.jsonl", ::getpid());
  ASSERT_TRUE(write_file_atomic(answers, R"({"rater":"ann","item":"1","choice":"A","strength":3})"
                                         "\n"
                                         R"({"rater":"bob","item":"1","choice":"B"})"
                                         "\n"
                                         R"({"rater":"ann","item":"2","choice":"tie"})"
                                         "\n"));
  const auto data = read_preferences(task, std::vector{answers}).value();
  EXPECT_TRUE(data.order_known);
  EXPECT_EQ(share_of_first(data.comparisons[0]), 0.5);
  EXPECT_EQ(data.comparisons[0].votes[0].strength, 3);
  EXPECT_EQ(share_of_first(data.comparisons[1]), std::nullopt);
  ASSERT_EQ(data.defects.size(), 1U);
  EXPECT_EQ(data.defects[0].id, "undecided");
  const auto gold = read_preferences(task, {}).value();
  EXPECT_EQ(share_of_first(gold.comparisons[0]), 1);
  EXPECT_FALSE(read_preferences(answers, std::vector{answers}));
}

// Texts of a few letters, so that prefixes are often shared.
rc::Gen<std::string> any_text() {
  return rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab \n")));
}

RC_GTEST_PROP(PreferencePair, LosesNothingOfItsTexts, ()) {
  const std::string chosen = *any_text(), rejected = *any_text();
  const std::string path =
      testing::TempDir() + fmt::format("preference_property_{}.jsonl", ::getpid());
  const Json line = {{"chosen", chosen}, {"rejected", rejected}};
  RC_ASSERT(write_file_atomic(path, to_text(line) + "\n").has_value());
  const auto data = read_preferences(path, {});
  RC_ASSERT(data.has_value());
  const Comparison& one = data->comparisons[0];
  RC_ASSERT(plain_text(one.prompt) + plain_text(one.completions[0]) == chosen);
  RC_ASSERT(plain_text(one.prompt) + plain_text(one.completions[1]) == rejected);
}

}  // namespace
}  // namespace plumb::rlhf
