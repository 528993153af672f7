#include "plumb/raters/llm/llm_prompt.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "plumb/tasks/testing.h"

namespace plumb::raters {
namespace {

using tasks::Answer;
using tasks::Kind;
using tasks::Task;
using tasks::testing::task_of;

constexpr auto kAnswered = LlmOutcome::kAnswered;
constexpr auto kRefused = LlmOutcome::kRefused;
constexpr auto kUnreadable = LlmOutcome::kUnreadable;

LlmQuestion question_of(const Task& task, std::uint64_t seed = 0) {
  Stream order(seed, "test", 0);
  return ask_item(task, 0, order);
}

LlmAnswer read(const Task& task, std::string_view reply) {
  return read_item(task, question_of(task), reply);
}

Task labelled() {
  Task task = task_of(Kind::kClassification, {{0}});
  task.labels = {"joy", "anger", "no emotion"};
  return task;
}

Task preference(bool strength) {
  Task task = task_of(Kind::kPreference, {{0, 0}});
  if (strength) task.scale = tasks::Scale{1, 3};
  return task;
}

TEST(LlmPrompt, TellsTheGuidelineThenTheInstructionThenItsOwnWords) {
  Task task = task_of(Kind::kSts, {{3}});
  EXPECT_EQ(instruction_source(task), "default");
  EXPECT_TRUE(question_of(task).prompt.starts_with("Rate how similar"));
  task.instruction = "Compare the lines.";
  EXPECT_EQ(instruction_source(task), "instruction");
  EXPECT_TRUE(question_of(task).prompt.starts_with("Compare the lines.\n\n"));
  task.guideline = "# Guideline\nCompare them well.";
  EXPECT_EQ(instruction_source(task), "guideline");
  EXPECT_TRUE(question_of(task).prompt.starts_with("# Guideline\nCompare them well.\n\n"));
}

TEST(LlmPrompt, HoldsEveryTextAsItIs) {
  Task task = task_of(Kind::kSts, {{3}});
  task.items[0].texts = {" first\n\nlines ", "z\u00fcrich"};
  const std::string prompt = question_of(task).prompt;
  EXPECT_NE(prompt.find("\n<text 1>\n first\n\nlines \n</text 1>\n"), std::string::npos);
  EXPECT_NE(prompt.find("\n<text 2>\nz\u00fcrich\n</text 2>\n"), std::string::npos);
  EXPECT_TRUE(prompt.starts_with(prompt_head(task)));
}

TEST(LlmPrompt, NeverHoldsTheGold) {
  for (const Kind kind : {Kind::kSts, Kind::kClassification, Kind::kReranking}) {
    Stream stream(1, "gold", 0);
    Task task = tasks::testing::random_task(kind, 1, stream);
    const std::string before = question_of(task).prompt;
    for (double& value : task.items[0].gold) value = value == 1 ? 2 : 1;
    EXPECT_EQ(question_of(task).prompt, before);
  }
}

TEST(LlmAnswer, OfARatingIsAPlainNumberOnTheScale) {
  const Task task = task_of(Kind::kSts, {{3}});
  const std::pair<const char*, double> good[] = {{"4", 4},   {"4.25", 4.25},         {"0", 0},
                                                 {"5.0", 5}, {" \n\t3.5\r\n ", 3.5}, {"-0", 0}};
  for (const auto& [reply, rating] : good) {
    EXPECT_EQ(read(task, reply).outcome, kAnswered) << reply;
    EXPECT_EQ(read(task, reply).answer, Answer{rating}) << reply;
  }
  for (const char* reply : {"",
                            "  ",
                            "four",
                            "4.",
                            ".5",
                            "4,5",
                            "5.1",
                            "-1",
                            "4/5",
                            "4 out of 5",
                            "Rating: 4",
                            "**4**",
                            "1e0",
                            "0x1",
                            "+4",
                            "nan",
                            "inf",
                            "```json\n4\n```",
                            "{\"rating\": 4}",
                            "4 4",
                            "4\n4",
                            "\xef\xbc\x94",
                            "4\xc2\xa0",
                            "Cannot tell",
                            "I cannot tell",
                            "cannot tell."}) {
    EXPECT_EQ(read(task, reply).outcome, kUnreadable) << reply;
  }
  EXPECT_EQ(read(task, " cannot tell\n").outcome, kRefused);
}

TEST(LlmAnswer, OfALabelIsThatLabelLetterByLetter) {
  const Task task = labelled();
  EXPECT_EQ(read(task, "anger").answer, Answer{1});
  EXPECT_EQ(read(task, "\n no emotion ").answer, Answer{2});
  for (const char* reply : {"Anger", "anger.", "\"anger\"", "sadness", "joy, anger", "joy\nanger",
                            "The label is joy", "joy (clearly)", "no  emotion", "", "1"}) {
    EXPECT_EQ(read(task, reply).outcome, kUnreadable) << reply;
  }
  EXPECT_EQ(read(task, "cannot tell").outcome, kRefused);
}

TEST(LlmAnswer, ALabelNamedLikeARefusalIsALabel) {
  Task task = labelled();
  task.labels.emplace_back(kCannotTell);
  EXPECT_EQ(read(task, "cannot tell").answer, Answer{3});
}

TEST(LlmAnswer, OfAPreferenceIsALetterOrAWord) {
  const Task task = preference(false);
  EXPECT_EQ(read(task, "tie").answer, (Answer{2, 0}));
  EXPECT_EQ(read(task, " both bad ").answer, (Answer{3, 0}));
  EXPECT_EQ(read(task, "A").outcome, kAnswered);
  for (const char* reply :
       {"a", "A 2", "A.", "Answer A", "A is better", "both", "Tie", "C", "AB"}) {
    EXPECT_EQ(read(task, reply).outcome, kUnreadable) << reply;
  }
}

TEST(LlmAnswer, OfAPreferenceWithStrengthHasBoth) {
  const Task task = preference(true);
  EXPECT_EQ(read(task, "A 2").answer[1], 2);
  EXPECT_EQ(read(task, "B 1.5").answer[1], 1.5);
  EXPECT_EQ(read(task, "tie").answer, (Answer{2, 0}));
  for (const char* reply : {"A", "A2", "A 0", "A 4", "A two", "A: 2", "tie 2", "A 2 B 1"}) {
    EXPECT_EQ(read(task, reply).outcome, kUnreadable) << reply;
  }
}

TEST(LlmAnswer, OfAPreferenceIsGivenBackFromTheOrderShown) {
  const Task task = preference(false);
  std::set<std::vector<std::size_t>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const LlmQuestion question = question_of(task, seed);
    orders.insert(question.order);
    const bool swapped = question.order[0] == 1;
    const std::size_t one = question.prompt.find("\none\n"), two = question.prompt.find("\ntwo\n");
    EXPECT_EQ(two < one, swapped);
    EXPECT_EQ(read_item(task, question, "A").answer[0], swapped ? 1 : 0);
    EXPECT_EQ(read_item(task, question, "B").answer[0], swapped ? 0 : 1);
  }
  EXPECT_EQ(orders.size(), 2u);
}

TEST(LlmAnswer, OfCandidatesHasEachNumberOnceInAnyOrder) {
  Task task = task_of(Kind::kReranking, {{1, 0, 2}});
  const LlmQuestion question = question_of(task, 3);
  const auto read3 = [&](std::string_view reply) { return read_item(task, question, reply); };
  const LlmAnswer answer = read3(" 1: 3\n 3:0.5 \n2: 2\n");
  ASSERT_EQ(answer.outcome, kAnswered);
  EXPECT_EQ(answer.answer[question.order[0]], 3);
  EXPECT_EQ(answer.answer[question.order[1]], 2);
  EXPECT_EQ(answer.answer[question.order[2]], 0.5);
  for (const char* reply :
       {"1: 3\n2: 2", "1: 3\n2: 2\n2: 1", "1: 3\n2: 2\n3: 4", "1: 3\n2: 2\n3: 1\n4: 0", "3\n2\n1",
        "1: 3\n\n2: 2\n3: 1", "0: 1\n1: 1\n2: 1", "Grades:\n1: 3\n2: 2\n3: 1",
        "1: 3\n2: 2\n3:", "1 : 3\n2: 2\n3: 1", "1: 3\n2: 2\n3: 1\nthat is all", "1: 3, 2: 2, 3: 1",
        "99999999999999999999999: 1\n2: 1\n3: 1"}) {
    EXPECT_EQ(read3(reply).outcome, kUnreadable) << reply;
  }
  EXPECT_EQ(read3("cannot tell").outcome, kRefused);
}

TEST(LlmAnswer, OfCandidatesIsOnTheTasksScale) {
  Task task = task_of(Kind::kReranking, {{1, 0}});
  task.scale = tasks::Scale{0, 1};
  EXPECT_NE(question_of(task).prompt.find("grade from 0 (not relevant) to 1"), std::string::npos);
  EXPECT_EQ(read(task, "1: 1\n2: 2").outcome, kUnreadable);
  EXPECT_EQ(read(task, "1: 1\n2: 0").outcome, kAnswered);
}

// Grades that are known, shown in any order, come back to their documents.
RC_GTEST_PROP(LlmAnswerProperty, GradesComeBackToTheirDocuments, (std::uint64_t seed)) {
  Stream stream(seed, "grades", 0);
  const std::size_t documents = 1 + stream.below(12);
  const Task task = task_of(Kind::kReranking, {Answer(documents, 0)});
  const LlmQuestion question = question_of(task, seed);
  Answer wanted(documents);
  for (double& grade : wanted) grade = stream.below(4);
  std::string reply;
  for (std::size_t i = 0; i < documents; ++i) {
    reply += fmt::format("{}: {}\n", i + 1, wanted[question.order[i]]);
  }
  const LlmAnswer answer = read_item(task, question, reply);
  RC_ASSERT(answer.outcome == kAnswered);
  RC_ASSERT(answer.answer == wanted);
}

// Whatever bytes a model sends, they are read or they are not; and what is read is on the scale.
RC_GTEST_PROP(LlmAnswerProperty, AnyBytesAreReadOrNot, (const std::string& reply)) {
  const Task tasks[] = {task_of(Kind::kSts, {{3}}), labelled(), preference(true),
                        task_of(Kind::kReranking, {{1, 0}})};
  for (const Task& task : tasks) {
    const LlmAnswer answer = read(task, reply);
    RC_ASSERT((answer.outcome == kAnswered) == !answer.answer.empty());
    if (task.kind == Kind::kSts && !answer.answer.empty()) {
      RC_ASSERT(answer.answer[0] >= 0 && answer.answer[0] <= 5);
    }
  }
}

Task texts(std::size_t count) {
  return task_of(Kind::kClustering, std::vector<Answer>(count, Answer{0}));
}

TEST(LlmGrouping, AsksForAllTextsInRounds) {
  const Task task = texts(10);
  Stream order(1, "test", 0);
  const auto rounds = cluster_rounds(task, 4, order);
  ASSERT_EQ(rounds.size(), 3u);
  std::set<std::size_t> seen;
  for (const auto& round : rounds) seen.insert(round.begin(), round.end());
  EXPECT_EQ(seen.size(), 10u);
  Stream again(1, "test", 0);
  EXPECT_EQ(cluster_rounds(task, 100, again).size(), 1u);
}

TEST(LlmGrouping, KeepsTheGroupsOfEarlierRounds) {
  const Task task = texts(4);
  LlmGroups groups;
  const LlmQuestion first = ask_round(task, {2, 0}, groups);
  EXPECT_EQ(read_round(task, first, "1: birds\n2: fish", groups).answer, (Answer{0, 1}));
  const LlmQuestion second = ask_round(task, {1, 3}, groups);
  EXPECT_NE(second.prompt.find("birds\nfish\n"), std::string::npos);
  EXPECT_EQ(read_round(task, second, "2: fish\n1: stones", groups).answer, (Answer{2, 1}));
}

TEST(LlmGrouping, TakesNoMoreGroupsThanTheTaskHas) {
  Task task = texts(3);
  task.groups = 2;
  LlmGroups groups;
  const LlmQuestion question = ask_round(task, {0, 1, 2}, groups);
  EXPECT_NE(question.prompt.find("Make 2 groups, no more."), std::string::npos);
  EXPECT_EQ(read_round(task, question, "1: a\n2: b\n3: c", groups).outcome, kUnreadable);
  EXPECT_TRUE(groups.empty());
  EXPECT_EQ(read_round(task, question, "1: a\n2: b\n3: a", groups).answer, (Answer{0, 1, 0}));
}

TEST(LlmGrouping, AMissingTextMakesTheReplyUnreadable) {
  const Task task = texts(3);
  LlmGroups groups;
  const LlmQuestion question = ask_round(task, {0, 1, 2}, groups);
  EXPECT_EQ(read_round(task, question, "1: a\n2: b", groups).outcome, kUnreadable);
  EXPECT_EQ(read_round(task, question, "cannot tell", groups).outcome, kRefused);
}

}  // namespace
}  // namespace plumb::raters
