#include "plumb/server/login_limiter.h"

#include <gtest/gtest.h>

namespace plumb::server {
namespace {

TEST(LoginLimiter, WaitsAMinuteAfterFiveFailuresAndTwiceAsLongAfterEachMore) {
  std::int64_t now = 0;
  LoginLimiter limiter([&now] { return now; });
  for (int i = 0; i < 4; ++i) limiter.failed("ann");
  EXPECT_EQ(limiter.wait_ms("ann"), 0);
  limiter.failed("ann");
  EXPECT_EQ(limiter.wait_ms("ann"), 60'000);
  EXPECT_EQ(limiter.wait_ms("bob"), 0);
  now += 60'000;
  EXPECT_EQ(limiter.wait_ms("ann"), 0);
  limiter.failed("ann");
  EXPECT_EQ(limiter.wait_ms("ann"), 120'000);
  for (int i = 0; i < 20; ++i) limiter.failed("ann");
  EXPECT_EQ(limiter.wait_ms("ann"), 3'600'000);
}

TEST(LoginLimiter, ForgetsTheFailuresOfWhoeverSucceeds) {
  LoginLimiter limiter([] { return 0; });
  for (int i = 0; i < 5; ++i) limiter.failed("ann");
  limiter.succeeded("ann");
  EXPECT_EQ(limiter.wait_ms("ann"), 0);
}

}  // namespace
}  // namespace plumb::server
