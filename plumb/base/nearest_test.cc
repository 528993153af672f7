#include "plumb/base/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace plumb {
namespace {

const std::vector<std::string> kWords = {"--aggregate", "--against", "--audit"};

TEST(Nearest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(nearest("--agregate", kWords), "--aggregate");
  EXPECT_EQ(nearest("--againts", kWords), "--against");
  EXPECT_EQ(nearest("--audit", kWords), "--audit");
}

TEST(Nearest, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest("--output-format", kWords), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

}  // namespace
}  // namespace plumb
