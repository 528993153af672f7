#include "plumb/tasks/import.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace plumb::tasks {
namespace {

class Import : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("plumb_import_" + std::to_string(::getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view bytes) {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  static ImportOptions options_of(Kind kind) {
    ImportOptions options;
    options.header.kind = kind;
    if (kind == Kind::kSts) options.header.scale = Scale{0, 5};
    return options;
  }
  Result<Task> import(const std::string& file, const ImportOptions& options) {
    const std::vector<std::string> files = {file};
    return import_task(files, {}, options);
  }
  std::string error_of(const std::string& file, const ImportOptions& options) {
    const auto task = import(file, options);
    EXPECT_FALSE(task);
    const std::string folder = folder_.string() + "/";
    std::string message = task ? "" : task.error().message;
    return message.starts_with(folder) ? message.substr(folder.size()) : message;
  }

  std::filesystem::path folder_;
};

TEST_F(Import, ReadsATableUnderTheNamesOfItsColumns) {
  ImportOptions options = options_of(Kind::kSts);
  options.columns = {{"text1", "a"}, {"text2", "b"}, {"rating", "score"}};
  const auto task =
      import(write("t.csv", "a,b,score,other\n\"one, two\",x,2.5,?\ny,z,5,?\n"), options);
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->items[0], (Item{"1", {"one, two", "x"}, {2.5}}));
  EXPECT_EQ(task->items[1], (Item{"2", {"y", "z"}, {5}}));
}

TEST_F(Import, NumbersTheColumnsOfATableWithoutNames) {
  ImportOptions options = options_of(Kind::kClustering);
  options.no_header = true;
  options.columns = {{"group", "1"}, {"text", "2"}};
  const auto task =
      import(write("t.txt", "18\tfill a table\n3\tbest client\n18\tpage it\n"), options);
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->labels, (std::vector<std::string>{"18", "3"}));
  EXPECT_EQ(task->items[2], (Item{"3", {"page it"}, {0}}));
}

TEST_F(Import, ReadsJsonLines) {
  const auto task =
      import(write("t.jsonl",
                   "{\"text\":\"a\",\"label\":1}\n\n{\"text\":\"b\",\"label\":0,\"id\":\"x\"}\n"),
             options_of(Kind::kClassification));
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->labels, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(task->items[0].gold, (Answer{1}));
  EXPECT_EQ(task->items[1].id, "x");
}

TEST_F(Import, LeavesGoldOutWhereItsCellIsEmpty) {
  const auto table =
      import(write("t.csv", "text,label\nabc,joy\ndef,\n"), options_of(Kind::kClassification));
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->labels, (std::vector<std::string>{"joy"}));
  EXPECT_EQ(table->items[1], (Item{"2", {"def"}, {}}));
  const auto lines = import(write("t.jsonl",
                                  "{\"text\":\"abc\",\"group\":null}\n"
                                  "{\"text\":\"def\",\"group\":\"b\"}\n"),
                            options_of(Kind::kClustering));
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ(lines->labels, (std::vector<std::string>{"b"}));
  const auto pairs =
      import(write("s.csv", "text1,text2,rating\na,b,\nc,d,5\n"), options_of(Kind::kSts));
  ASSERT_TRUE(pairs) << pairs.error().message;
  EXPECT_TRUE(pairs->items[0].gold.empty());
  EXPECT_EQ(error_of(write("n.csv", "text,label\nabc,\n"), options_of(Kind::kClassification)),
            "n.csv: no item has a label; --labels says which there are");
}

TEST_F(Import, GathersTheRowsOfAQuery) {
  ImportOptions options = options_of(Kind::kReranking);
  const auto task =
      import(write("t.csv", "query,candidate,grade\nq1,a,0\nq1,b,1\nq2,c,1\n"), options);
  ASSERT_TRUE(task) << task.error().message;
  ASSERT_EQ(task->items.size(), 2U);
  EXPECT_EQ(task->items[0], (Item{"1", {"q1", "a", "b"}, {0, 1}}));
  EXPECT_EQ(task->items[1], (Item{"2", {"q2", "c"}, {1}}));
}

TEST_F(Import, KeepsTrainingItemsApartAndTakesLabelsFromBoth) {
  const std::vector<std::string> files = {write("t.csv", "text,label\na,x\n")};
  const std::vector<std::string> train = {write("train.csv", "text,label\nb,y\n")};
  const auto task = import_task(files, train, options_of(Kind::kClassification));
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->labels, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(task->train[0].id, "train-1");
}

TEST_F(Import, NamesFileAndLineOfWhatIsWrong) {
  const ImportOptions sts = options_of(Kind::kSts);
  EXPECT_EQ(error_of(write("t.csv", "text1,text2,rating\na,b,1\na,b,9\n"), sts),
            "t.csv:3: \"rating\" is 9, off the scale from 0 to 5");
  EXPECT_EQ(error_of(write("t.csv", "text1,text2,rating\na,b,low\n"), sts),
            "t.csv:2: \"rating\" holds \"low\", not a number");
  EXPECT_EQ(error_of(write("t.csv", "text1,text2\na,b\na\n"), sts),
            "t.csv:3: 1 fields where the table has 2 columns");
  EXPECT_EQ(error_of(write("t.csv", "text1,rating\na,1\n"), sts), "t.csv:2: \"text2\" is missing");
  EXPECT_EQ(error_of(write("t.csv", "id,text1,text2\n7,a,b\n7,a,b\n"), sts),
            "t.csv:3: the id \"7\" occurred before; ids are unique in a task");
  EXPECT_EQ(error_of(write("t.csv", "text1,text2\na,b\xff\n"), sts),
            "t.csv:2: byte 4 of the line is not UTF-8; convert the file first");
  EXPECT_EQ(error_of(write("t.csv", "text1,text2\n"), sts).find("there are no items") !=
                std::string::npos,
            true);
  ImportOptions mapped = sts;
  mapped.columns["text1"] = "left";
  EXPECT_EQ(error_of(write("t.csv", "text1,text2\na,b\n"), mapped),
            "t.csv:2: there is no column \"left\"; there are text1, text2");
  EXPECT_NE(error_of(write("table", "a\tb\n"), sts).find("or by --format"), std::string::npos);
}

TEST_F(Import, RefusesAFieldThatTheKindDoesNotHave) {
  ImportOptions options = options_of(Kind::kSts);
  options.columns["label"] = "x";
  const auto task = import(write("t.csv", "x\n1\n"), options);
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(task.error().message,
            "--map: sts items have no field \"label\"; there are id, text1, text2, rating");
}

TEST_F(Import, AsksForTheScaleOfRatings) {
  ImportOptions options;
  const auto task = import(write("t.csv", "text1,text2\na,b\n"), options);
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().message, "--scale: an sts task states the scale of its ratings: 0:5");
}

}  // namespace
}  // namespace plumb::tasks
