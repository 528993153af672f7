#include "plumb/stats/few_prompts.h"

#include <gtest/gtest.h>

namespace plumb::stats {
namespace {

TEST(FewPrompts, AreNamedUpToTwenty) {
  EXPECT_EQ(few_prompts(1),
            "1 prompt is too few for a verdict or a ceiling; 8 or more are needed, 20 or more are "
            "better.");
  EXPECT_EQ(few_prompts(8), "8 prompts are few for a bootstrap: intervals may be too short.");
  EXPECT_EQ(few_prompts(20), std::nullopt);
  EXPECT_EQ(no_verdict_from(5), "no verdict from 5 prompts: 8 or more are needed");
}

}  // namespace
}  // namespace plumb::stats
