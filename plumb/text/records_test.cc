#include "plumb/text/records.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "plumb/base/files.h"

namespace plumb {
namespace {

class Records : public testing::Test {
 protected:
  ~Records() override { std::filesystem::remove(path_); }

  Result<std::vector<Record>> read(const std::string& text, const std::string& format) {
    EXPECT_TRUE(write_file_atomic(path_, text));
    return read_records(path_, {.format = format});
  }

  const std::string path_ = testing::TempDir() + fmt::format("plumb_records_{}", ::getpid());
};

TEST_F(Records, OfParquetAreRefusedWithWhatToDo) {
  for (const char* format : {"", "csv", "jsonl"}) {
    const auto records = read(std::string("PAR1\x15\x04\xff\0PAR1", 12), format);
    ASSERT_FALSE(records);
    EXPECT_EQ(records.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(records.error().message.find("Parquet is not read; make JSON lines of Parquet: "
                                           "python3 -c"),
              std::string::npos)
        << records.error().message;
    EXPECT_TRUE(records.error().message.ends_with("\" " + path_)) << records.error().message;
  }
}

TEST_F(Records, OfATableMayGoOnOverSeveralLines) {
  const auto records = read("id,text\n1,\"two\nlines, \"\"quoted\"\"\"\n\n2,plain\n", "csv");
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ((*records)[0].fields["text"], "two\nlines, \"quoted\"");
  EXPECT_EQ((*records)[0].where, path_ + ":2");
  EXPECT_EQ((*records)[1].where, path_ + ":5");
}

TEST_F(Records, NameTheLineOfWhatIsWrong) {
  const std::pair<const char*, const char*> tables[] = {
      {"a,b\n1,2\n\n3\n", ":4: 1 fields where the table has 2 columns"},
      {"a,b\n1,2\n3,\"4\n5\n", ":3: a quote is never closed"},
      {"a,b\n\"1\nx\"y,2\n", ":3: text after a closing quote"}};
  for (const auto& [text, message] : tables) {
    const auto records = read(text, "csv");
    ASSERT_FALSE(records) << text;
    EXPECT_EQ(records.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(records.error().message.find(message), std::string::npos) << records.error().message;
  }
  EXPECT_NE(
      read("{\"a\":1}\n{\"gold\": NaN}\n", "jsonl").error().message.find(":2: \"gold\" is NaN"),
      std::string::npos);
  EXPECT_NE(read("{\"a\":1}\n[2]\n", "jsonl").error().message.find(":2: the line is not a JSON"),
            std::string::npos);
}

TEST_F(Records, OfATableAreWhatWasWritten) {
  EXPECT_TRUE(rc::check([this](const std::vector<std::vector<std::uint8_t>>& cells) {
    const std::string_view alphabet = "ab \",\n;\t'x";
    std::string text = "first,second\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto& cell : cells) {
      std::string field = "f";
      for (const std::uint8_t letter : cell) field += alphabet[letter % alphabet.size()];
      rows.push_back({field, std::string(field.rbegin(), field.rend())});
      append_csv_row(text, rows.back());
    }
    const auto records = read(text, "csv");
    RC_ASSERT(records.has_value());
    RC_ASSERT(records->size() == rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      RC_ASSERT((*records)[r].fields["first"] == rows[r][0]);
      RC_ASSERT((*records)[r].fields["second"] == rows[r][1]);
    }
  }));
}

}  // namespace
}  // namespace plumb
