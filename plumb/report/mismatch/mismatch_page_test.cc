#include "plumb/report/mismatch/mismatch_page.h"

#include <gtest/gtest.h>

namespace plumb::report {
namespace {

std::string page_of(const std::string& name, const rlhf::Sample& sample) {
  mismatch::RunMeasure run;
  run.name = name;
  const RunDetails details{{}, {{{"start", 0, ""}}, {"prompt"}, {sample}}};
  return mismatch_page("title", std::vector{run}, std::vector{details}, {{}, "plumb"});
}

TEST(MismatchPage, CannotBeLeftByADangerousText) {
  const std::string page = page_of("</script><script>alert(1)</script>",
                                   {.step = 0, .prompt = "p", .completion = "<!--<script>"});
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<!--<script>"), std::string::npos);
  EXPECT_NE(page.find("\\u003c!--\\u003cscript>"), std::string::npos);
  EXPECT_NE(page.find("plumb.mismatch-report/1"), std::string::npos);
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
}

TEST(MismatchPage, CutsLongCompletionsBetweenCharacters) {
  std::string text(1499, 'a');
  for (int i = 0; i < 100; ++i) text += "é";
  const std::string page = page_of("run", {.step = 0, .prompt = "p", .completion = text});
  EXPECT_NE(page.find("aaa … (1699 bytes in all)"), std::string::npos);
  EXPECT_EQ(page.find("\xEF\xBF\xBD"), std::string::npos);
}

}  // namespace
}  // namespace plumb::report
