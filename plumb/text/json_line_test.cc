#include "plumb/text/json_line.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

constexpr const char* kAdvice =
    ", which JSON does not have; write null where there is no figure, or leave the record out";

TEST(JsonLine, NamesTheFieldThatIsNotANumber) {
  EXPECT_EQ(why_no_object(R"({"step": 1, "gold": NaN})"), std::string("\"gold\" is NaN") + kAdvice);
  EXPECT_EQ(why_no_object(R"({"note":"NaN","kl":null,"gold" :-Infinity})"),
            std::string("\"gold\" is -Infinity") + kAdvice);
  EXPECT_EQ(why_no_object(R"({"scores":[1,NaN]})"),
            std::string("it holds NaN or Infinity") + kAdvice);
}

TEST(JsonLine, SaysNothingOfWordsInTextsAndBrokenLines) {
  EXPECT_EQ(why_no_object(R"({"note":"NaN")"), "the line is not a JSON object");
  EXPECT_TRUE(why_no_object("gold,NaN").starts_with("the line is not a JSON object; a table is"));
  EXPECT_EQ(why_no_object("[1,2]"), "the line is not a JSON object");
  EXPECT_EQ(nonfinite_trouble("[1,2]"), "");
}

TEST(JsonLine, KnowsWhatBeginsAnArrayOfRecords) {
  for (const char* text : {"[", " [ {\"a\":1}]", "[\"a\",", "[[1]]"}) {
    EXPECT_TRUE(begins_array(text)) << text;
    EXPECT_NE(why_no_object(text).find("jq -c '.[]'"), std::string::npos) << text;
  }
  for (const char* text : {"", "{\"a\":[", "[1,2]", "[sic] once"}) EXPECT_FALSE(begins_array(text));
}

}  // namespace
}  // namespace plumb
