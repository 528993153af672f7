#include "plumb/base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>
#include <string>

namespace plumb {
namespace {

TEST(ToText, WritesNullForWhatIsNotFinite) {
  EXPECT_EQ(to_text(Json{{"a", std::numeric_limits<double>::quiet_NaN()},
                         {"b", std::numeric_limits<double>::infinity()}}),
            R"({"a":null,"b":null})");
}

TEST(ToText, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(to_text(Json("a\xFF")), "\"a\xEF\xBF\xBD\"");
}

TEST(ToText, KeepsTheOrderOfKeys) {
  EXPECT_EQ(to_text(Json{{"z", 1}, {"a", 2}}), R"({"z":1,"a":2})");
}

TEST(WithoutNonfiniteWords, ReplacesThemOutsideStringsAlone) {
  const StrictText strict =
      without_nonfinite_words(R"({"NaN":NaN,"b":[-Infinity,Infinity],"c":"\"NaN"})");
  EXPECT_EQ(strict.text, R"({"NaN":null,"b":[null,null],"c":"\"NaN"})");
  EXPECT_EQ(strict.replaced, 3u);
}

TEST(WithoutNonfiniteWords, LeavesAStringThatIsNeverClosedAsItIs) {
  EXPECT_EQ(without_nonfinite_words(R"({"a": "NaN)").text, R"({"a": "NaN)");
}

TEST(WithoutNonfiniteWords, LeavesValidJsonAlone) {
  EXPECT_TRUE(rc::check([](const std::map<std::string, std::vector<std::string>>& object) {
    const std::string text = to_text(Json(object));
    const StrictText strict = without_nonfinite_words(text);
    RC_ASSERT(strict.text == text);
    RC_ASSERT(strict.replaced == 0u);
  }));
}

}  // namespace
}  // namespace plumb
