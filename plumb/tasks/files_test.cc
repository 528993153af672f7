#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"
#include "plumb/tasks/testing.h"

namespace plumb::tasks {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("plumb_files_" + std::to_string(::getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view bytes) {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  std::string task_error(std::string_view bytes) {
    const auto task = read_task(write("t.jsonl", bytes));
    EXPECT_FALSE(task);
    if (task) return "";
    EXPECT_EQ(task.error().kind, ErrorKind::kBadInput);
    return shortened(task.error().message);
  }
  std::string answers_error(const Task& task, std::string_view bytes,
                            const std::string& name = "a.jsonl") {
    const auto sheets = read_answers(write(name, bytes), task);
    EXPECT_FALSE(sheets);
    if (sheets) return "";
    EXPECT_EQ(sheets.error().kind, ErrorKind::kBadInput);
    return shortened(sheets.error().message);
  }
  // Without the folder.
  std::string shortened(std::string message) const {
    const std::string folder = folder_.string() + "/";
    return message.starts_with(folder) ? message.substr(folder.size()) : message;
  }

  std::filesystem::path folder_;
};

constexpr const char* kSts = R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5]})";

TEST_F(Files, GiveBackEveryTaskAsItWasWritten) {
  for (const Kind kind : kKinds) {
    Stream stream(3, "files", 0);
    Task task = testing::random_task(kind, 7, stream);
    task.instruction = "Judge \"it\"\n";
    task.language = "ar";
    task.items[2].texts[0] = "\u0646\u0635 \u0639\u0631\u0628\u064a";
    task.items[3].gold.clear();
    if (kind == Kind::kClassification) {
      task.train.push_back(task.items.back());
      task.train.back().id = "another";
    }
    const auto read = read_task(write("t.jsonl", format_task(task)));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, task) << kind_name(kind);
    EXPECT_EQ(items_hash(*read), items_hash(task));
  }
}

TEST_F(Files, GiveBackEveryAnswerAsItWasWritten) {
  for (const Kind kind : kKinds) {
    Stream stream(4, "files", 0);
    const Task task = testing::random_task(kind, 6, stream);
    std::vector<AnswerSheet> sheets(2);
    for (std::size_t s = 0; s < 2; ++s) {
      sheets[s].rater = s == 0 ? "one" : "two";
      sheets[s].kind = s == 0 ? RaterKind::kPerson : RaterKind::kModel;
      for (std::size_t i = 0; i < 6; ++i) {
        sheets[s].answers.emplace_back(testing::random_answer(kind, stream));
        if (kind == Kind::kClustering) sheets[s].answers[i] = Answer{static_cast<double>(i / 2)};
      }
    }
    sheets[0].answers[5] = std::nullopt;
    const auto read = read_answers(write("a.jsonl", format_answers(task, sheets)), task);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->size(), 2U);
    for (std::size_t s = 0; s < 2; ++s) {
      EXPECT_EQ((*read)[s].rater, sheets[s].rater);
      EXPECT_EQ((*read)[s].kind, sheets[s].kind);
      EXPECT_EQ((*read)[s].answers, sheets[s].answers) << kind_name(kind);
    }
  }
}

TEST_F(Files, TakeTheirNameFromTheFileWhereTheHeaderHasNone) {
  const auto task = read_task(
      write("my.task.jsonl", std::string(kSts) + "\n" + R"({"id":1,"text1":"a","text2":"b"})"));
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->name, "my");
  EXPECT_EQ(task->items[0].id, "1");
  EXPECT_TRUE(task->items[0].gold.empty());
}

TEST_F(Files, NameTheLineOfWhatIsWrongWithATask) {
  const std::string head = std::string(kSts) + "\n";
  const std::string good = R"({"id":"1","text1":"a","text2":"b","rating":5})"
                           "\n";
  EXPECT_EQ(task_error(head + good + R"({"id":"2","text1":"a","text2":"b","rating":6})"),
            "t.jsonl:3: \"rating\" is 6, off the scale from 0 to 5");
  EXPECT_EQ(task_error(head + good + R"({"id":"2","text1":"a","text2":"b","rating":"3"})"),
            "t.jsonl:3: \"rating\" holds \"3\", not a number");
  EXPECT_EQ(task_error(head + R"({"id":"2","text1":"a"})"), "t.jsonl:2: \"text2\" is missing");
  EXPECT_EQ(task_error(head + good + good),
            "t.jsonl:3: the id \"1\" occurred before; ids are unique in a task");
  EXPECT_EQ(task_error(head + good + "{"),
            "t.jsonl:3: the line is not JSON; every line is one object");
  EXPECT_EQ(task_error(head + good + "{\"id\":\"\xff\"}"),
            "t.jsonl:3: byte 8 of the line is not UTF-8; convert the file first");
  EXPECT_EQ(task_error(head), "t.jsonl: the task has no items");
  EXPECT_EQ(task_error(""), "t.jsonl: the file is empty");
  EXPECT_EQ(task_error(R"({"schema":"plumb.task/1","kind":"sts"})"),
            "t.jsonl:1: an sts task states the \"scale\" of its ratings, such as [0, 5]");
  EXPECT_EQ(task_error(R"({"schema":7,"kind":"sts"})"),
            "t.jsonl:1: \"schema\" is 7, not a text in quotes");
}

TEST_F(Files, SuggestTheLabelThatWasProbablyMeant) {
  const std::string head =
      R"({"schema":"plumb.task/1","kind":"classification","labels":["joy","anger"]})"
      "\n";
  EXPECT_EQ(task_error(head + R"({"id":"1","text":"a","label":"angr"})"),
            "t.jsonl:2: unknown label \"angr\"; did you mean \"anger\"?");
  EXPECT_EQ(task_error(head + R"({"id":"1","text":"a","label":"fear"})"),
            "t.jsonl:2: unknown label \"fear\"; the task has joy, anger");
  EXPECT_EQ(task_error(R"({"schema":"plumb.task/1","kind":"clustering"})"
                       "\n"
                       R"({"id":"1","text":"a","group":"g0"})"),
            "t.jsonl:2: unknown group \"g0\"; the header of the task names no \"labels\"");
}

TEST_F(Files, NameTheLineOfWhatIsWrongWithAnAnswer) {
  const Task task = testing::task_of(Kind::kSts, {{1}, {2}});
  const std::string good = R"({"rater":"r","item":"i0","rating":3})"
                           "\n";
  EXPECT_EQ(answers_error(task, good + R"({"rater":"r","item":"i9","rating":3})"),
            "a.jsonl:2: the task \"a task\" has no item \"i9\"");
  EXPECT_EQ(answers_error(task, good + good), "a.jsonl:2: a second answer of \"r\" to item \"i0\"");
  EXPECT_EQ(answers_error(task, R"({"rater":"r","item":"i0","rating":5.5})"),
            "a.jsonl:1: \"rating\" is 5.5, off the scale from 0 to 5");
  EXPECT_EQ(answers_error(task, R"({"item":"i0","rating":5})"), "a.jsonl:1: \"rater\" is missing");
  EXPECT_EQ(answers_error(task, "item,rater,rating\ni0,r,7\n", "a.csv"),
            "a.csv:2: \"rating\" is 7, off the scale from 0 to 5");
  EXPECT_EQ(answers_error(task, "item,rater,rating\ni0,r,high\n", "a.csv"),
            "a.csv:2: \"rating\" holds \"high\", not a number");
  EXPECT_NE(answers_error(task, R"({"schema":"plumb.answers/1","items":"00","task":"b"})")
                .find("a.jsonl:1: the answers belong to other items"),
            std::string::npos);
}

TEST_F(Files, ReadAnswersFromATable) {
  const Task task = testing::task_of(Kind::kReranking, {{1, 0}, {0, 1}});
  const auto sheets = read_answers(
      write("a.tsv", "rater\titem\tgrades\tkind\nr\ti1\t0 1\t\nm\ti0\t1 1\tmodel\n"), task);
  ASSERT_TRUE(sheets) << sheets.error().message;
  EXPECT_EQ((*sheets)[0].answers[1], (Answer{0, 1}));
  EXPECT_FALSE((*sheets)[0].answers[0]);
  EXPECT_EQ((*sheets)[1].kind, RaterKind::kModel);
}

TEST_F(Files, CountRefusals) {
  const Task task = testing::task_of(Kind::kSts, {{1}, {2}});
  const auto sheets = read_answers(
      write("a.jsonl", R"({"rater":"r","kind":"llm","item":"i0","refused":true})"), task);
  ASSERT_TRUE(sheets) << sheets.error().message;
  EXPECT_EQ((*sheets)[0].refused, 1U);
  EXPECT_EQ((*sheets)[0].answered(), 0U);
}

TEST_F(Files, RefuseOneRaterInTwoFiles) {
  const Task task = testing::task_of(Kind::kSts, {{1}, {2}});
  const std::vector<std::string> paths = {
      write("a.jsonl", R"({"rater":"r","item":"i0","rating":3})"),
      write("b.jsonl", R"({"rater":"r","item":"i1","rating":3})")};
  const auto sheets = read_all_answers(paths, task);
  ASSERT_FALSE(sheets);
  EXPECT_NE(sheets.error().message.find("rater \"r\" has answers in"), std::string::npos);
}

TEST_F(Files, OfATableTheRowsThatCountAndAreOfTheTask) {
  Task task = testing::task_of(Kind::kSts, {{1}, {2}});
  task.name = "=sts";
  const auto path = write("a.csv",
                          "task,item,rater,rating,counts\n"
                          "emo,e1,'-R1,,1\n"
                          "'=sts,i0,'-R1,3,1\n"
                          "'=sts,i0,'-R1,4,0\n"
                          "emo,e2,'-R1,,1\n");
  std::string told;
  const auto sheets = read_answers(path, task, [&told](const std::string& file, std::size_t rows) {
    told = file + " " + std::to_string(rows);
  });
  ASSERT_TRUE(sheets) << sheets.error().message;
  ASSERT_EQ(sheets->size(), 1U);
  EXPECT_EQ(sheets->front().rater, "-R1");
  EXPECT_EQ(sheets->front().answered(), 1U);
  EXPECT_EQ((*sheets->front().answers[0])[0], 3);
  EXPECT_EQ(told, path + " 2");
}

TEST_F(Files, ATableOfOtherTasksAloneIsRefused) {
  Task task = testing::task_of(Kind::kSts, {{1}, {2}});
  task.name = "ot";
  EXPECT_EQ(answers_error(task, "task,item,rater,rating\nsts,i0,r,3\nemo,i1,r,3\n", "a.csv"),
            "a.csv: no row is of the task \"ot\"; there are rows of \"sts\"");
  EXPECT_EQ(answers_error(task, "task,item,rater,rating,counts\not,i0,r,3,0\n", "a.csv"),
            "a.csv: there are no answers");
}

TEST(ItemsHash, ChangesWithEveryPartOfAnItem) {
  const Task task = testing::task_of(Kind::kSts, {{1}, {2}});
  const std::string hash = items_hash(task);
  Task other = task;
  other.name = "renamed";
  EXPECT_EQ(items_hash(other), hash);
  other.items[1].gold = {3};
  EXPECT_NE(items_hash(other), hash);
  other = task;
  other.items[0].texts[1] += " ";
  EXPECT_NE(items_hash(other), hash);
  other = task;
  std::swap(other.items[0], other.items[1]);
  EXPECT_NE(items_hash(other), hash);
  other = task;  // the border between two texts moves
  other.items[0].texts = {"text 0o", "ther 0"};
  EXPECT_NE(items_hash(other), hash);
}

}  // namespace
}  // namespace plumb::tasks
