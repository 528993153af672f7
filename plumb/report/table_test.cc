#include "plumb/report/table.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace plumb::report {
namespace {

Table sample() {
  return {{{"name"}, {"score", Align::kRight}}, {{"jasper", "80.1"}, {"µ", "-"}, {"a|b, c", "7"}}};
}

TEST(ToTerminal, AlignsByWhatIsSeenNotByBytes) {
  EXPECT_EQ(to_terminal(sample(), {}),
            "name    score\n"
            "jasper   80.1\n"
            "µ           -\n"
            "a|b, c      7\n");
}

TEST(ToTerminal, MarksTheHeaderWhereAsked) {
  EXPECT_TRUE(to_terminal(sample(), {.bold = true}).starts_with("\033[1mname    score\033[0m\n"));
}

TEST(ToTerminal, LeavesOutTheLeastColumnsOfANarrowTerminalAndSaysSo) {
  const Table table{
      {{"name"}, {"low", Align::kRight, 1}, {"high", Align::kRight, 1}, {"kind", Align::kLeft, 2}},
      {{"jasper", "73.4", "86.2", "model"}}};
  EXPECT_EQ(to_terminal(table, {.width = 40}),
            "name     low  high  kind\n"
            "jasper  73.4  86.2  model\n");
  EXPECT_TRUE(to_terminal(table, {.width = 24})
                  .starts_with("name     low  high\n"
                               "jasper  73.4  86.2\n"
                               "(Left out to fit 24"));
  EXPECT_TRUE(to_terminal(table, {.width = 17}).starts_with("name\njasper\n(Left out"))
      << "columns of one number go together";
}

TEST(ToTerminal, WrapsTheWidestColumnOfWordsWhereNoneCanBeLeftOut) {
  const Table table{{{"view"}, {"rank", Align::kRight}},
                    {{"mean over all the tasks", "4"}, {"µ", "1"}}};
  EXPECT_EQ(to_terminal(table, {.width = 20}),
            "view            rank\n"
            "mean over all      4\n"
            "the tasks\n"
            "µ                  1\n");
}

TEST(ToTerminal, ShowsControlCharactersInsteadOfObeyingThem) {
  const Table table{{{"name"}}, {{"\033[31mred\nline"}}};
  EXPECT_EQ(to_terminal(table, {}), "name\n\\x1b[31mred\\nline\n");
  EXPECT_EQ(to_markdown(table), "| name |\n| --- |\n| \\x1b[31mred\\nline |\n");
}

RC_GTEST_PROP(ToTerminal, FitsAnyTerminalThatHoldsItsNumbers,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& lengths)) {
  Table table{{{"name"}, {"n", Align::kRight}, {"note", Align::kLeft, 1}}, {}};
  for (const auto& [name, note] : lengths) {
    table.rows.push_back({std::string(name, 'x'), "100.0", std::string(note, 'y')});
  }
  const auto width = *rc::gen::inRange<std::size_t>(20, 200);
  std::istringstream lines(to_terminal(table, {.width = width}));
  for (std::string line; std::getline(lines, line);) RC_ASSERT(line.size() <= width);
}

TEST(Wrapped, BreaksAtBlanksAndIndentsWhatFollows) {
  EXPECT_EQ(wrapped("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(wrapped("   lead", 20, 0), "   lead");
  EXPECT_EQ(wrapped("", 20, 0), "");
}

TEST(Wrapped, CutsAWordOnlyWhereItIsLongerThanALine) {
  EXPECT_EQ(wrapped("a abcdefgh", 5, 0), "a\nabcde\nfgh");
}

TEST(ToCsv, QuotesWhatNeedsIt) {
  EXPECT_EQ(to_csv(sample()), "name,score\r\njasper,80.1\r\nµ,-\r\n\"a|b, c\",7\r\n");
}

TEST(ToMarkdown, EscapesPipes) {
  EXPECT_EQ(to_markdown(sample()),
            "| name | score |\n| --- | ---: |\n| jasper | 80.1 |\n| µ | - |\n| a\\|b, c | 7 |\n");
}

TEST(Numbers, ArePrintedAsTheTablesSay) {
  EXPECT_EQ(fixed(77.64), "77.6");
  EXPECT_EQ(fixed(std::nullopt), "-");
  EXPECT_EQ(with_sign(2.5), "+2.5");
  EXPECT_EQ(interval(stats::Interval{1, 2.26}), "[1.0, 2.3]");
  EXPECT_EQ(signed_interval(stats::Interval{-1, 2}), "[-1.0, +2.0]");
  EXPECT_EQ(exact(0.1), "0.1");
  EXPECT_EQ(exact(std::nullopt), "");
}

}  // namespace
}  // namespace plumb::report
