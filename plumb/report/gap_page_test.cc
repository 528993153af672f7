#include <gtest/gtest.h>

#include <string>

#include "plumb/report/gap_report.h"

namespace plumb::report {
namespace {

TEST(GapPage, CannotBeLeftByADangerousName) {
  gap::Figures figures;
  figures.name = "mine";
  const std::string page = gap_page("</script><script>alert(1)</script>", "plumb", Json::object(),
                                    Json::object(), Json::object(), {&figures, "published", 0.95});
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_NE(page.find("\\u003c/script>\\u003cscript>alert(1)"), std::string::npos);
  EXPECT_EQ(page.find("__PLUMB_DATA__"), std::string::npos);
}

TEST(GapPage, KeepsANameThatLooksLikeItsPlaceholder) {
  gap::Figures figures;
  figures.name = "__PLUMB_DATA__";
  const std::string page = gap_page("t", "c", Json::object(), Json::object(), Json::object(),
                                    {&figures, "published", 0.95});
  const std::size_t at = page.find("\"name\":\"__PLUMB_DATA__\"");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(page.find("__PLUMB_DATA__"), at + 8);
  EXPECT_EQ(page.find("__PLUMB_DATA__", at + 9), std::string::npos);
}

TEST(GapPage, AsksNothingOfTheNetwork) {
  const gap::Figures figures;
  const std::string page = gap_page("t", "c", Json::object(), Json::object(), Json::object(),
                                    {&figures, "published", 0.95});
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
  EXPECT_EQ(page.find("href=\"http"), std::string::npos);
}

}  // namespace
}  // namespace plumb::report
