#include "plumb/text/csv.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace plumb {
namespace {

using Fields = std::vector<std::string>;

std::string written(const Fields& fields, char separator = ',') {
  std::string out;
  append_csv_row(out, fields, separator);
  return out;
}

std::vector<Fields> parsed(std::string_view text, char separator = ',') {
  const auto rows = parse_csv(text, "test.csv", separator);
  std::vector<Fields> fields;
  for (const CsvRow& row : *rows) fields.push_back(row.fields);
  return fields;
}

TEST(AppendCsvRow, LeavesPlainFieldsAlone) {
  EXPECT_EQ(written({"model", "80.1", ""}), "model,80.1,\r\n");
}

TEST(AppendCsvRow, QuotesSeparatorsQuotesAndLineBreaks) {
  EXPECT_EQ(written({"a,b", "say \"hi\"", "two\nlines"}),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
}

TEST(AppendCsvRow, KeepsARowOfOneEmptyField) {
  EXPECT_EQ(parsed(written({""})), std::vector<Fields>({{""}}));
}

// The examples of RFC 4180, section 2.
TEST(ParseCsv, ReadsTheExamplesOfTheStandard) {
  EXPECT_EQ(parsed("aaa,bbb,ccc\r\nzzz,yyy,xxx"),
            (std::vector<Fields>{{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}}));
  EXPECT_EQ(parsed("\"aaa\",\"b\r\nbb\",\"ccc\"\r\n"),
            (std::vector<Fields>{{"aaa", "b\r\nbb", "ccc"}}));
  EXPECT_EQ(parsed("\"aaa\",\"b\"\"bb\",\"ccc\""), (std::vector<Fields>{{"aaa", "b\"bb", "ccc"}}));
}

TEST(ParseCsv, SkipsTheByteOrderMarkAndEmptyLines) {
  EXPECT_EQ(parsed("\xEF\xBB\xBF"
                   "a,b\n\n\nc,\n"),
            (std::vector<Fields>{{"a", "b"}, {"c", ""}}));
}

TEST(ParseCsv, TakesTabsWhereAsked) {
  EXPECT_EQ(parsed("a,b\tc\n", '\t'), (std::vector<Fields>{{"a,b", "c"}}));
}

TEST(ParseCsv, CountsLinesInsideQuotes) {
  const auto rows = *parse_csv("\"a\nb\"\nc\n", "test.csv");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].line, 3u);
}

TEST(ParseCsv, NamesTheLineOfAQuoteThatIsNeverClosed) {
  const auto rows = parse_csv("a\n\"b\nc", "test.csv");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(rows.error().message, "test.csv:2: a quote is never closed");
}

TEST(ParseCsv, RefusesTextAfterAClosingQuote) {
  const auto rows = parse_csv("\"a\"b,c\n", "test.csv");
  ASSERT_FALSE(rows);
  EXPECT_TRUE(rows.error().message.starts_with("test.csv:1: text after a closing quote"));
}

TEST(Csv, ReadsBackWhateverItWrote) {
  EXPECT_TRUE(rc::check([](const std::vector<Fields>& rows) {
    std::string text;
    std::vector<Fields> kept;
    for (const Fields& row : rows) {
      if (row.empty()) continue;
      append_csv_row(text, row);
      kept.push_back(row);
    }
    RC_ASSERT(parsed(text) == kept);
  }));
}

}  // namespace
}  // namespace plumb
