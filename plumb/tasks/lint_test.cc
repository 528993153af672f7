#include "plumb/tasks/lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "plumb/base/files.h"
#include "plumb/tasks/task_file.h"
#include "plumb/tasks/testing.h"

namespace plumb::tasks {
namespace {

using testing::task_of;

const Finding* find(const std::vector<Finding>& findings, std::string_view check) {
  const auto found = std::ranges::find(findings, check, &Finding::check);
  return found == findings.end() ? nullptr : &*found;
}

std::vector<std::string> names(const std::vector<Finding>& findings) {
  std::vector<std::string> result;
  for (const Finding& finding : findings) result.push_back(finding.check);
  return result;
}

// Three labels, trained and asked for; nothing to find.
Task clean() {
  Task task = task_of(Kind::kClassification, {{0}, {1}, {2}, {0}});
  for (std::size_t i = 0; i < 3; ++i) {
    task.train.push_back(
        {fmt::format("t{}", i), {fmt::format("training {}", i)}, {static_cast<double>(i)}});
  }
  return task;
}

using Ids = std::vector<std::string>;

TEST(Lint, FindsNothingInACleanTask) { EXPECT_EQ(names(lint_task(clean(), {})), Ids{}); }

TEST(Lint, NamesTheItemsThatAreTrainingItemsToo) {
  Task task = clean();
  task.train[1].texts = task.items[2].texts;
  const auto findings = lint_task(task, {});
  ASSERT_NE(find(findings, "train-overlap"), nullptr);
  EXPECT_EQ(find(findings, "train-overlap")->items, Ids{"i2"});
  EXPECT_EQ(find(findings, "train-overlap")->severity, Severity::kError);
}

TEST(Lint, TellsDuplicatesFromContradictions) {
  Task task = clean();
  task.items[3].texts = task.items[0].texts;  // the same gold
  EXPECT_EQ(find(lint_task(task, {}), "duplicate")->items, (Ids{"i0", "i3"}));
  EXPECT_EQ(find(lint_task(task, {}), "contradiction"), nullptr);
  task.items[3].gold = {2};
  EXPECT_EQ(find(lint_task(task, {}), "contradiction")->items, (Ids{"i0", "i3"}));
  EXPECT_EQ(find(lint_task(task, {}), "duplicate"), nullptr);
}

TEST(Lint, FindsTextsThatNobodyCanRead) {
  Task task = clean();
  task.items[0].texts = {" \n"};
  task.items[1].texts = {std::string(5001, 'x')};
  task.train[0].texts = {
      "a\x01"
      "b"};
  task.items[2].texts = {"abc \u202e def"};
  task.items[3].texts = {"\u0645\u0631\u062d\u0628\u0627"};  // Arabic
  const auto findings = lint_task(task, {});
  EXPECT_EQ(find(findings, "empty-text")->items, Ids{"i0"});
  EXPECT_EQ(find(findings, "long-text")->items, Ids{"i1"});
  EXPECT_EQ(find(findings, "control-character")->items, Ids{"t0"});
  EXPECT_EQ(find(findings, "direction-mark")->items, Ids{"i2"});
  EXPECT_EQ(find(findings, "right-to-left")->items, Ids{"i3"});
}

TEST(Lint, CountsCharactersNotBytes) {
  Task task = clean();
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "\u00e9";
  task.items[0].texts = {text};
  EXPECT_EQ(find(lint_task(task, {}), "long-text"), nullptr);
  EXPECT_NE(find(lint_task(task, {.longest_text = 4999}), "long-text"), nullptr);
}

TEST(Lint, RefusesOneClassAndLabelsWithoutTraining) {
  Task task = clean();
  for (Item& item : task.items) item.gold = {1};
  EXPECT_NE(find(lint_task(task, {}), "one-class"), nullptr);
  task = clean();
  task.train.erase(task.train.begin() + 2);
  EXPECT_EQ(find(lint_task(task, {}), "unused-label")->severity, Severity::kError);
  task = clean();
  task.items[2].gold = {0};
  EXPECT_EQ(find(lint_task(task, {}), "unused-label")->severity, Severity::kNote);
}

TEST(Lint, FindsMixedLabels) {
  Task task = clean();
  task.labels = {"0", "1", "sport"};
  EXPECT_NE(find(lint_task(task, {}), "mixed-labels"), nullptr);
  task.labels = {"0", "1", "2"};
  EXPECT_EQ(find(lint_task(task, {}), "mixed-labels"), nullptr);
  task.labels = {"joy", "fear", "Joy "};
  EXPECT_NE(find(lint_task(task, {}), "mixed-labels"), nullptr);
}

TEST(Lint, FindsWhatIsWrongWithQueriesAndPairs) {
  Task task = task_of(Kind::kReranking, {{1, 0}, {0, 0}, {1, 1, 0}});
  task.items[2].texts[3] = task.items[2].texts[1];
  auto findings = lint_task(task, {});
  EXPECT_EQ(find(findings, "one-class")->items, Ids{"i1"});
  EXPECT_EQ(find(findings, "repeated-candidate")->items, Ids{"i2"});
  EXPECT_EQ(find(findings, "position"), nullptr) << "one query has nothing relevant";

  task = task_of(Kind::kReranking, std::vector<Answer>(6, {1, 0, 0}));
  EXPECT_NE(find(lint_task(task, {}), "position"), nullptr);

  task = task_of(Kind::kPreference, {{0, 0}, {1, 0}});
  task.items[1].texts[2] = task.items[1].texts[1];
  EXPECT_EQ(find(lint_task(task, {}), "equal-completions")->items, Ids{"i1"});
  task = task_of(Kind::kPreference, std::vector<Answer>(5, {0, 0}));
  EXPECT_NE(find(lint_task(task, {}), "position"), nullptr);
}

TEST(Lint, SaysWhereGoldIsMissing) {
  Task task = clean();
  task.items[1].gold = {};
  EXPECT_EQ(find(lint_task(task, {}), "missing-gold")->items, Ids{"i1"});
  for (Item& item : task.items) item.gold = {};
  for (Item& item : task.train) item.gold = {};
  EXPECT_EQ(find(lint_task(task, {}), "missing-gold")->severity, Severity::kNote);
}

class LintFile : public ::testing::Test {
 protected:
  void write(const std::string& text) { ASSERT_TRUE(write_file_atomic(path_, text)); }
  void TearDown() override { std::filesystem::remove(path_); }

  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / fmt::format("plumb_lint_{}.jsonl", ::getpid());
};

TEST_F(LintFile, ReadsOnAfterALineThatIsRefused) {
  write(R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5]}
{"id":"a","text1":"x","text2":"y","rating":7}
{"id":"b","text1":"x","text2":"z","rating":3}
not JSON
{"id":"c","text1":")"
        "\xff"
        R"(","text2":"z","rating":3}
{"id":"d","text1":"u","text2":"v","rating":1}
)");
  const auto lint = lint_file(path_, {});
  ASSERT_TRUE(lint) << lint.error().message;
  EXPECT_EQ(lint->task.items.size(), 2U);
  EXPECT_EQ(names(lint->findings), (Ids{"refused-line", "refused-line", "refused-line"}));
  EXPECT_NE(lint->findings[0].message.find(":2:"), std::string::npos);
  EXPECT_NE(lint->findings[1].message.find(":4:"), std::string::npos);
  EXPECT_NE(lint->findings[2].message.find("not UTF-8"), std::string::npos);
}

TEST_F(LintFile, RefusesWhatIsNoTask) {
  write("{}\n");
  EXPECT_EQ(lint_file(path_, {}).error().kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace plumb::tasks
