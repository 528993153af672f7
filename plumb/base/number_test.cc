#include "plumb/base/number.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(Number, IsReadBareOrAsAText) {
  EXPECT_EQ(number_of(Json(0.5)), 0.5);
  EXPECT_EQ(number_of(Json(3)), 3.0);
  EXPECT_EQ(number_of(Json("-1.5e3")), -1500.0);
}

TEST(Number, IsNothingWhereTheWholeTextIsNone) {
  for (const char* text : {"", " 1", "1 ", "1x", "one", "1,5", "+1"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  EXPECT_EQ(number_of(Json()), std::nullopt);
  EXPECT_EQ(number_of(Json(true)), std::nullopt);
  EXPECT_EQ(number_of(Json::array({1})), std::nullopt);
}

}  // namespace
}  // namespace plumb
