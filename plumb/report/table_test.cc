#include "plumb/report/table.h"

#include <gtest/gtest.h>

#include <string>

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
