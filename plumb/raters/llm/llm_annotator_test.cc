#include "plumb/raters/llm/llm_annotator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "plumb/base/files.h"
#include "plumb/raters/remote/testing_server.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/scoring.h"
#include "plumb/tasks/testing.h"

namespace plumb::raters {
namespace {

using tasks::Answer;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Task;
using tasks::testing::task_of;
using testing::Answered;
using testing::Asked;
using testing::FakeTime;
using testing::LocalServer;

constexpr const char* kKey = "sk-secret-0123456789";

Answered says(const std::string& content, const std::string& finish = "stop") {
  return {.body = to_text(Json{
              {"choices",
               {{{"index", 0},
                 {"message", {{"role", "assistant"}, {"content", content}, {"refusal", nullptr}}},
                 {"finish_reason", finish}}}}})};
}

// The last thing the user said.
std::string prompt_of(const Asked& asked) { return asked.body["messages"].back()["content"]; }

// The number that stands behind "text " in the prompts of task_of(): which item is asked about.
int item_in(const std::string& prompt) {
  return std::stoi(prompt.substr(prompt.find("\ntext ") + 6));
}

class LlmAnnotatorTest : public ::testing::Test {
 protected:
  LlmAnnotatorTest()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("plumb-llm-{}-{}", ::getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    options_.log = folder_ / "replies.jsonl";
    options_.http.api_key = kKey;
    options_.http.tries = 3;
    options_.http.clock = time_.clock();
  }
  ~LlmAnnotatorTest() override { std::filesystem::remove_all(folder_); }

  Result<std::vector<AnswerSheet>> answer(const LocalServer& server, const Task& task,
                                          std::uint64_t seed = 1) const {
    auto rater = make_llm_annotator(server.spec(), options_);
    if (!rater) return tl::unexpected(rater.error());
    return (*rater)->answer(task, {.seed = seed});
  }
  AnswerSheet sheet(const LocalServer& server, const Task& task) const {
    auto sheets = answer(server, task);
    EXPECT_TRUE(sheets) << sheets.error().message;
    return sheets ? std::move(sheets->at(0)) : AnswerSheet{};
  }

  FakeTime time_;
  std::filesystem::path folder_;
  LlmOptions options_;
};

const Task kRatings = task_of(Kind::kSts, {{1}, {2}, {3}, {4}, {5}, {0}});

TEST_F(LlmAnnotatorTest, FillsASheetOfItsOwnKind) {
  LocalServer server([](const Asked& asked, std::size_t) {
    return says(fmt::format(" {}\n", item_in(prompt_of(asked)) % 6));
  });
  const AnswerSheet got = sheet(server, kRatings);
  EXPECT_EQ(got.kind, tasks::RaterKind::kLlm);
  EXPECT_EQ(got.rater, "some-model");
  ASSERT_EQ(got.answers.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(got.answers[i], Answer{static_cast<double>(i)});
  EXPECT_EQ(got.refused, 0u);
}

TEST_F(LlmAnnotatorTest, AsksWithTemperatureZeroAndASeed) {
  LocalServer server([](const Asked&, std::size_t) { return says("1"); });
  sheet(server, kRatings);
  std::set<std::uint64_t> seeds;
  for (const Asked& asked : server.asked()) {
    EXPECT_EQ(asked.path, "/v1/chat/completions");
    EXPECT_EQ(asked.body["model"], "some-model");
    EXPECT_EQ(asked.body["temperature"], 0);
    EXPECT_EQ(asked.body["messages"].size(), 1u);
    EXPECT_GT(asked.body["max_tokens"], 8);
    seeds.insert(asked.body["seed"].get<std::uint64_t>());
  }
  EXPECT_EQ(seeds.size(), kRatings.items.size());
}

TEST_F(LlmAnnotatorTest, CountsWhatIsRefusedUnreadableOrTooLong) {
  LocalServer server([](const Asked& asked, std::size_t) -> Answered {
    switch (item_in(prompt_of(asked))) {
      case 0:
        return says("cannot tell");
      case 1:
        return says("I would say 4, as both texts speak of a number.");
      case 2:
        return {.body = R"({"choices":[{"message":{"content":null,"refusal":"I will not"}}]})"};
      case 3:
        return says("3", "length");
      case 4:
        return {.status = 400, .body = R"({"error":{"message":"maximum context length is 8"}})"};
      default:
        return says("2", "content_filter");
    }
  });
  const AnswerSheet got = sheet(server, kRatings);
  EXPECT_EQ(got.answered(), 0u);
  EXPECT_EQ(got.refused, 6u);
  const Json& counts = got.provenance["counts"];
  EXPECT_EQ(counts["refused"], 3);
  EXPECT_EQ(counts["unreadable"], 2);
  EXPECT_EQ(counts["too_long"], 1);
  EXPECT_EQ(counts["answered"], 0);
}

TEST_F(LlmAnnotatorTest, AsksAgainOnceWithTheFormWhereThatIsWanted) {
  LocalServer server([](const Asked& asked, std::size_t) {
    return says(asked.body["messages"].size() == 1 ? "about 3" : "3");
  });
  EXPECT_EQ(sheet(server, kRatings).answered(), 0u);
  EXPECT_EQ(server.requests(), 6u);
  options_.ask_again = true;
  const AnswerSheet got = sheet(server, kRatings);
  EXPECT_EQ(got.answered(), 6u);
  EXPECT_EQ(got.provenance["counts"]["asked_again"], 6);
  EXPECT_EQ(server.requests(), 12u);  // the first replies are in the log
  const Json messages = server.asked().back().body["messages"];
  EXPECT_EQ(messages[1]["content"], "about 3");
  EXPECT_NE(messages[2]["content"].get<std::string>().find("one number from 0 to 5"),
            std::string::npos);
}

TEST_F(LlmAnnotatorTest, NeverAsksAThirdTime) {
  LocalServer server([](const Asked&, std::size_t) { return says("hm"); });
  options_.ask_again = true;
  EXPECT_EQ(sheet(server, kRatings).refused, 6u);
  EXPECT_EQ(server.requests(), 12u);
}

TEST_F(LlmAnnotatorTest, GoesOnWhereARunWasInterrupted) {
  bool ill = true;
  LocalServer server([&](const Asked& asked, std::size_t) -> Answered {
    const int item = item_in(prompt_of(asked));
    if (ill && item == 4) return {.status = 401, .body = "no"};
    return says(std::to_string(item));
  });
  options_.concurrency = 1;
  const auto failed = answer(server, kRatings);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("item \"i4\""), std::string::npos)
      << failed.error().message;
  const std::size_t before = server.requests();
  EXPECT_EQ(before, 5u);
  ill = false;
  EXPECT_EQ(sheet(server, kRatings).answered(), 6u);
  EXPECT_EQ(server.requests() - before, 2u);
  sheet(server, kRatings);
  EXPECT_EQ(server.requests() - before, 2u);
}

TEST_F(LlmAnnotatorTest, RefetchesADamagedRecordAndSaysSo) {
  LocalServer server([](const Asked&, std::size_t) { return says("1"); });
  sheet(server, kRatings);
  std::string bytes = *read_file(options_.log);
  const std::size_t at = bytes.find('\n') + 100;  // in the second record
  bytes[at] = static_cast<char>(bytes[at] ^ 4);
  ASSERT_TRUE(write_file_atomic(options_.log, bytes));
  const AnswerSheet got = sheet(server, kRatings);
  EXPECT_EQ(got.answered(), 6u);
  EXPECT_EQ(server.requests(), 7u);
  EXPECT_EQ(got.provenance["damaged_records"], 1);
}

TEST_F(LlmAnnotatorTest, TheSheetIsTheSameHoweverManyRequestsAreUnderWay) {
  const auto handler = [](const Asked& asked, std::size_t) {
    return says(prompt_of(asked).size() % 2 == 0 ? "A" : "B");
  };
  Stream stream(5, "preferences", 0);
  const Task task = tasks::testing::random_task(Kind::kPreference, 30, stream);
  std::vector<std::string> seen;
  for (const int concurrency : {1, 4}) {
    LocalServer server(handler);
    options_.concurrency = concurrency;
    std::filesystem::remove(options_.log);
    const auto sheets = answer(server, task);
    ASSERT_TRUE(sheets);
    seen.push_back(tasks::format_answers(task, *sheets));
    EXPECT_LE(server.most_at_once(), concurrency);
  }
  EXPECT_EQ(seen[0], seen[1]);
}

TEST_F(LlmAnnotatorTest, UndoesTheSwapOfABAndRecordsIt) {
  // Always the completion "one", wherever it is shown.
  LocalServer server([](const Asked& asked, std::size_t) {
    const std::string prompt = prompt_of(asked);
    return says(prompt.find("\none\n") < prompt.find("\ntwo\n") ? "A" : "B");
  });
  const Task task = task_of(Kind::kPreference, std::vector<Answer>(40, Answer{0, 0}));
  const AnswerSheet got = sheet(server, task);
  for (const auto& answer : got.answers) EXPECT_EQ(answer, (Answer{0, 0}));

  std::ifstream log(options_.log);
  std::string line;
  int swapped = 0;
  while (std::getline(log, line)) {
    const Json record = Json::parse(line)["record"];
    const bool shown_swapped = record["notes"]["order"][0] == 1;
    EXPECT_EQ(record["reply"]["content"], shown_swapped ? "B" : "A");
    swapped += shown_swapped ? 1 : 0;
  }
  EXPECT_GT(swapped, 0);
  EXPECT_LT(swapped, 40);
  EXPECT_EQ(got.provenance["counts"]["swapped"], swapped);
}

TEST_F(LlmAnnotatorTest, RunsDifferInOrderAndSeed) {
  LocalServer server([](const Asked&, std::size_t) { return says("A"); });
  options_.runs = 3;
  const Task task = task_of(Kind::kPreference, std::vector<Answer>(20, Answer{0, 0}));
  const auto sheets = answer(server, task);
  ASSERT_TRUE(sheets) << sheets.error().message;
  ASSERT_EQ(sheets->size(), 3u);
  EXPECT_EQ(server.requests(), 60u);
  for (int run = 0; run < 3; ++run) EXPECT_EQ((*sheets)[static_cast<std::size_t>(run)].run, run);
  EXPECT_NE((*sheets)[0].answers, (*sheets)[1].answers);
}

TEST_F(LlmAnnotatorTest, TellsHowFarItIs) {
  LocalServer server([](const Asked&, std::size_t) { return says("1"); });
  options_.runs = 2;
  std::mutex mutex;
  std::multiset<std::size_t> seen;
  const auto rater = make_llm_annotator(server.spec(), options_).value();
  ASSERT_TRUE(
      rater->answer(kRatings, {.seed = 1, .progress = [&](std::size_t done, std::size_t of) {
                                 const std::lock_guard lock(mutex);
                                 EXPECT_EQ(of, 12u);
                                 seen.insert(done);
                               }}));
  EXPECT_EQ(seen.size(), 12u);
  EXPECT_EQ(*seen.rbegin(), 12u);
}

TEST_F(LlmAnnotatorTest, SortsTextsInRoundsThatKnowTheGroupsSoFar) {
  // Groups by whether the item's number is odd.
  LocalServer server([](const Asked& asked, std::size_t) {
    const std::string prompt = prompt_of(asked);
    std::string reply;
    for (std::size_t at = 0, line = 1; (at = prompt.find("\ntext ", at)) != std::string::npos;
         ++line) {
      at += 6;
      reply +=
          fmt::format("{}: {}\n", line, std::stoi(prompt.substr(at)) % 2 == 1 ? "odd" : "even");
    }
    return says(reply);
  });
  options_.texts_per_request = 4;
  Task task = task_of(Kind::kClustering, {{0}, {1}, {0}, {1}, {0}, {1}, {0}, {1}, {0}, {1}});
  task.groups = 2;
  const AnswerSheet got = sheet(server, task);
  EXPECT_EQ(server.requests(), 3u);
  EXPECT_EQ(got.answered(), 10u);
  const auto scorer = tasks::Scorer::make(task, got, {});
  ASSERT_TRUE(scorer);
  EXPECT_DOUBLE_EQ(*scorer->score(), 1);
}

TEST_F(LlmAnnotatorTest, AnUnreadableRoundLeavesItsTextsUnanswered) {
  LocalServer server([](const Asked&, std::size_t number) {
    return number == 0 ? says("sure, here they are") : says("1: a\n2: a\n3: b");
  });
  options_.texts_per_request = 3;
  const AnswerSheet got = sheet(server, task_of(Kind::kClustering, std::vector<Answer>(6, {0})));
  EXPECT_EQ(got.answered(), 3u);
  EXPECT_EQ(got.refused, 3u);
}

// What the model says, and the same said by a file, must score alike, for every kind of task.
TEST_F(LlmAnnotatorTest, ScoresAsTheSameAnswersFromAFile) {
  for (const Kind kind : {Kind::kSts, Kind::kClassification, Kind::kReranking, Kind::kPreference}) {
    Stream stream(3, "scores", static_cast<std::uint64_t>(kind));
    const Task task = tasks::testing::random_task(kind, 24, stream);
    std::vector<Answer> wanted;
    for (std::size_t i = 0; i < 24; ++i) {
      wanted.push_back(tasks::testing::random_answer(kind, stream));
    }
    LocalServer server([&](const Asked& asked, std::size_t) {
      const std::string prompt = prompt_of(asked);
      const Answer& answer = wanted[static_cast<std::size_t>(item_in(prompt))];
      if (kind == Kind::kSts) return says(fmt::format("{}", answer[0]));
      if (kind == Kind::kClassification) {
        return says(task.labels[static_cast<std::size_t>(answer[0])]);
      }
      if (kind == Kind::kPreference) {
        const bool swapped = prompt.find("\ntwo\n") < prompt.find("\none\n");
        const char* words[] = {swapped ? "B" : "A", swapped ? "A" : "B", "tie", "both bad"};
        return says(words[static_cast<std::size_t>(answer[0])]);
      }
      std::string reply;
      for (std::size_t at = 0, line = 1; (at = prompt.find("\ndocument ", at)) != std::string::npos;
           ++line) {
        at += 10;
        reply += fmt::format("{}: {}\n", line, answer[std::stoul(prompt.substr(at))]);
      }
      return says(reply);
    });
    const AnswerSheet got = sheet(server, task);
    std::string file = "{\"schema\":\"plumb.answers/1\"}\n";
    for (std::size_t i = 0; i < 24; ++i) {
      Json line = {{"rater", "file"}, {"item", task.items[i].id}};
      if (kind == Kind::kSts) line["rating"] = wanted[i][0];
      if (kind == Kind::kClassification) {
        line["label"] = task.labels[static_cast<std::size_t>(wanted[i][0])];
      }
      if (kind == Kind::kReranking) line["grades"] = wanted[i];
      if (kind == Kind::kPreference) {
        line["choice"] = tasks::choice_name(static_cast<tasks::Choice>(wanted[i][0]));
      }
      file += to_text(line) + "\n";
    }
    const auto path = folder_ / "answers.jsonl";
    ASSERT_TRUE(write_file_atomic(path, file));
    const auto of_file = tasks::read_answers(path, task);
    ASSERT_TRUE(of_file) << of_file.error().message;
    EXPECT_EQ(got.answers, of_file->at(0).answers) << tasks::kind_name(kind);
    const auto model = tasks::Scorer::make(task, got, {});
    const auto person = tasks::Scorer::make(task, of_file->at(0), {});
    ASSERT_TRUE(model && person);
    ASSERT_TRUE(model->score());
    EXPECT_EQ(*model->score(), *person->score()) << tasks::kind_name(kind);
  }
}

TEST_F(LlmAnnotatorTest, KeepsTheKeyOutOfEveryFileSheetAndError) {
  LocalServer server([](const Asked& asked, std::size_t) -> Answered {
    if (item_in(prompt_of(asked)) == 5) {
      return {.status = 401, .body = fmt::format("who is {}", asked.authorization)};
    }
    return says(fmt::format("you are {}", asked.authorization));
  });
  options_.concurrency = 1;
  const auto failed = answer(server, kRatings);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message.find(kKey), std::string::npos);
  Task task = kRatings;
  task.items.pop_back();
  const AnswerSheet got = sheet(server, task);
  EXPECT_EQ(to_text(got.provenance).find(kKey), std::string::npos);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = *read_file(entry.path());
    EXPECT_EQ(bytes.find(kKey), std::string::npos);
    EXPECT_NE(bytes.find("you are Bearer [key]"), std::string::npos);
  }
}

TEST_F(LlmAnnotatorTest, StoresWhatIsNeededToAskAgain) {
  LocalServer server([](const Asked&, std::size_t) { return says("1"); });
  Task task = kRatings;
  task.guideline = "Read both lines twice.";
  const Json from = sheet(server, task).provenance;
  EXPECT_EQ(from["model"], "some-model");
  EXPECT_EQ(from["address"], server.address().text());
  EXPECT_EQ(from["instruction"], "guideline");
  EXPECT_EQ(from["temperature"], 0);
  EXPECT_TRUE(prompt_of(server.asked()[0]).starts_with(from["prompt_head"].get<std::string>()));
}

TEST_F(LlmAnnotatorTest, WhatIsNoChatCompletionIsAnError) {
  for (const char* body : {"{}", "[]", R"({"choices":[]})", R"({"choices":[{"message":3}]})",
                           R"({"choices":[{"message":{"content":["1"]}}]})"}) {
    LocalServer server([&](const Asked&, std::size_t) { return Answered{.body = body}; });
    const auto got = answer(server, kRatings);
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(got.error().message.find("no chat completion"), std::string::npos);
  }
}

TEST_F(LlmAnnotatorTest, AFieldThatTheServerRefusesIsAnErrorAndNoRefusal) {
  LocalServer server([](const Asked&, std::size_t) {
    return Answered{.status = 400, .body = R"({"error":"unknown field seed"})"};
  });
  const auto got = answer(server, kRatings);
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("unknown field seed"), std::string::npos);
}

TEST_F(LlmAnnotatorTest, LabelsThatDifferInBlanksAloneAreRefused) {
  LocalServer server([](const Asked&, std::size_t) { return says("x"); });
  Task task = task_of(Kind::kClassification, {{0}});
  task.labels = {"joy", "joy "};
  const auto got = answer(server, task);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(server.requests(), 0u);
}

TEST_F(LlmAnnotatorTest, OptionsThatMakeNoSenseAreUsageErrors) {
  const RemoteSpec spec{{.host = "127.0.0.1"}, "m"};
  for (int wrong = 0; wrong < 3; ++wrong) {
    LlmOptions options = options_;
    if (wrong == 0) options.log = "";
    if (wrong == 1) options.runs = 0;
    if (wrong == 2) options.concurrency = 0;
    const auto rater = make_llm_annotator(spec, options);
    ASSERT_FALSE(rater);
    EXPECT_EQ(rater.error().kind, ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace plumb::raters
